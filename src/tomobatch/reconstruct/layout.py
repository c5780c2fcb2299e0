"""Buffers that host and device share, and the step from interleaved to separate slices."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.reconstruct.devices import Device
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.kernels import load_kernel

Float32Array = npt.NDArray[np.float32]

_RUN_PIXELS = 64
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


class SliceSplitter:
    """Takes interleaved slices (row, column, lane) apart into (slice, row, column), masked."""

    def __init__(self, device: Device, geometry: Geometry, lanes: int, stride: int) -> None:
        program = load_kernel(device, "layout", {"LANES": lanes, "N_PIXELS": _RUN_PIXELS})
        self._kernel = cl.Kernel(program, "split_slices")
        self._geometry = geometry
        self._stride = stride

    def __call__(
        self, queue: cl.CommandQueue, image: cl.Buffer, slices: cl.Buffer, n_slices: int
    ) -> None:
        """Enqueue the step for the first ``n_slices`` lanes."""
        geometry = self._geometry
        height, width = geometry.shape_px
        radius = geometry.mask_radius_px
        self._kernel(
            queue,
            (-(-width // _RUN_PIXELS), height),
            None,
            image,
            slices,
            np.int32(n_slices),
            np.int32(width),
            np.int32(height),
            np.int32(self._stride),
            np.array([geometry.first_x_px, geometry.first_y_px], dtype=np.float32),
            np.float32(geometry.binning),
            np.float32(-1 if radius is None else radius**2),
        )
