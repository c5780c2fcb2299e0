"""Buffers that host and device share."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pyopencl as cl

_PAGE_BYTES = 4096


@contextmanager
def mapped(
    queue: cl.CommandQueue,
    buffer: cl.Buffer,
    shape: tuple[int, ...],
    flags: cl.map_flags,
    dtype: npt.DTypeLike = np.float32,
) -> Iterator[npt.NDArray[Any]]:
    """Give the host's view of a buffer while the device leaves it alone.

    A CPU device hands out the memory itself, a GPU moves it over and back as the flags ask.
    """
    array: Any = cl.enqueue_map_buffer(
        queue, buffer, flags, 0, shape, np.dtype(dtype), is_blocking=True
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
def filled_by_device(
    queue: cl.CommandQueue, out: npt.NDArray[Any], *, added_to: bool = False
) -> Iterator[cl.Buffer]:
    """Give a buffer for kernels to fill; at the end ``out`` (C-contiguous) holds its content.

    With ``added_to`` the kernels find in it what ``out`` holds before.
    """
    flags = cl.mem_flags
    access = flags.READ_WRITE if added_to else flags.WRITE_ONLY
    if _in_place(queue):
        buffer = cl.Buffer(queue.context, access | flags.USE_HOST_PTR, hostbuf=out)
        yield buffer
        with mapped(queue, buffer, out.shape, cl.map_flags.READ, out.dtype):
            pass  # the content is sure to be in ``out`` once it has been mapped
        return
    if added_to:
        buffer = cl.Buffer(queue.context, access | flags.COPY_HOST_PTR, hostbuf=out)
    else:
        buffer = cl.Buffer(queue.context, access, out.nbytes)
    yield buffer
    cl.enqueue_copy(queue, out, buffer)


def lent(queue: cl.CommandQueue, array: npt.NDArray[Any]) -> cl.Buffer:
    """Return a buffer for kernels to read: the array's own memory where the device can reach it.

    The array stays as it is until the kernels have ended.
    """
    flags = cl.mem_flags
    how = flags.USE_HOST_PTR if _in_place(queue) else flags.COPY_HOST_PTR
    return cl.Buffer(queue.context, flags.READ_ONLY | how, hostbuf=_filled(array))


def uploaded(context: cl.Context, array: npt.NDArray[Any]) -> cl.Buffer:
    """Return a buffer for kernels to read, with a copy of the array."""
    flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
    return cl.Buffer(context, flags, hostbuf=_filled(array))


def _filled(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array in one piece; of an empty one, which no buffer can hold, a zero."""
    return np.ascontiguousarray(array) if array.size else np.zeros(1, array.dtype)


def _in_place(queue: cl.CommandQueue) -> bool:
    """Whether the device computes in the host's memory."""
    return bool(queue.device.type & cl.device_type.CPU)
