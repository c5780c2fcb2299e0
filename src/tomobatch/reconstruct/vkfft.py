"""Fast Fourier transforms on a device by VkFFT, where pyvkfft is installed.

It is in the container image; elsewhere it has to be compiled, and the host transforms instead.

Decision 23.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import pyopencl as cl
from pyopencl.array import Array

from tomobatch.arrays import Float32Array


@cache
def is_installed() -> bool:
    """Tell whether pyvkfft is installed, and was built for OpenCL."""
    try:
        import pyvkfft.opencl  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def inverse_plane(
    queue: cl.CommandQueue, grid: cl.Buffer, shape: tuple[int, int, int]
) -> Callable[[], None]:
    """Return what enqueues the inverse transform of a complex64 grid (n, n, lane), in place."""
    from pyvkfft.opencl import VkFFTApp

    transform = VkFFTApp(shape, np.complex64, queue, axes=(0, 1), inplace=True, norm=0)
    array = Array(queue, shape, np.complex64, data=grid)

    def inverse() -> None:
        transform.ifft(array)

    return inverse


class RowTransform:
    """Real transforms of many rows at a time.

    Parameters
    ----------
    queue
        Where it runs.
    n_rows, length
        Most rows of a call; their even length.

    Attributes
    ----------
    spectra
        Buffer of complex64 (n_rows, length // 2 + 1): what the last call gave.
    """

    def __init__(self, queue: cl.CommandQueue, n_rows: int, length: int) -> None:
        from pyvkfft.opencl import VkFFTApp

        shape, half = (n_rows, length), (n_rows, length // 2 + 1)
        flags = cl.mem_flags.READ_WRITE
        self._queue = queue
        self._rows = cl.Buffer(queue.context, flags, 4 * math.prod(shape))
        self.spectra = cl.Buffer(queue.context, flags, 8 * math.prod(half))
        self._arrays = (
            Array(queue, shape, np.float32, data=self._rows),
            Array(queue, half, np.complex64, data=self.spectra),
        )
        self._transform = VkFFTApp(
            shape, np.float32, queue, ndim=1, inplace=False, norm=0, r2c=True
        )

    def __call__(self, rows: Float32Array) -> None:
        """Move rows (..., length), contiguous, to the device, and enqueue their transform."""
        cl.enqueue_copy(self._queue, self._rows, rows)
        self._transform.fft(*self._arrays)
