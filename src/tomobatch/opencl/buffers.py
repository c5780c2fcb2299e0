"""Buffers that host and device share."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pyopencl as cl

Float32Array = npt.NDArray[np.float32]

_PAGE_BYTES = 4096


@contextmanager
def mapped(
    queue: cl.CommandQueue, buffer: cl.Buffer, shape: tuple[int, ...], flags: cl.map_flags
) -> Iterator[Float32Array]:
    """Give the host's view of a float32 buffer while the device leaves it alone.

    A CPU device hands out the memory itself, a GPU moves it over and back as the flags ask.
    """
    array: Any = cl.enqueue_map_buffer(
        queue, buffer, flags, 0, shape, np.dtype(np.float32), is_blocking=True
    )[0]
    try:
        yield array
    finally:
        array.base.release(queue)


class Shared:
    """A float32 buffer that host and device both use; on a CPU device it is the same memory.

    On a GPU it is memory of the device: one that the host could reach in place (ALLOC_HOST_PTR) may
    stay on the host's side, and every read of a kernel would cross the bus.
    """

    def __init__(self, queue: cl.CommandQueue, shape: tuple[int, ...]) -> None:
        self.shape = shape
        n_bytes, flags = 4 * math.prod(shape), cl.mem_flags
        if not _in_place(queue):
            self.buffer = cl.Buffer(queue.context, flags.READ_WRITE, n_bytes)
            return
        # numpy asks for huge pages, the runtime does not: touching its memory for the first time
        # takes as long as a good part of the reconstruction.
        memory = np.empty(n_bytes + _PAGE_BYTES, dtype=np.uint8)
        start = -memory.ctypes.data % _PAGE_BYTES
        where = flags.READ_WRITE | flags.USE_HOST_PTR
        self.buffer = cl.Buffer(queue.context, where, hostbuf=memory[start : start + n_bytes])


@contextmanager
def filled_by_device(queue: cl.CommandQueue, out: Float32Array) -> Iterator[cl.Buffer]:
    """Give a buffer for kernels to fill; at the end ``out`` (C-contiguous) holds its content."""
    flags = cl.mem_flags
    if _in_place(queue):
        buffer = cl.Buffer(queue.context, flags.WRITE_ONLY | flags.USE_HOST_PTR, hostbuf=out)
        yield buffer
        with mapped(queue, buffer, out.shape, cl.map_flags.READ):
            pass  # the content is sure to be in ``out`` once it has been mapped
    else:
        buffer = cl.Buffer(queue.context, flags.WRITE_ONLY, out.nbytes)
        yield buffer
        cl.enqueue_copy(queue, out, buffer)


def _in_place(queue: cl.CommandQueue) -> bool:
    """Whether the device computes in the host's memory."""
    return bool(queue.device.type & cl.device_type.CPU)
