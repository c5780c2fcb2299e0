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

from tomobatch.opencl.devices import Device

_ZERO = np.zeros(1, dtype=np.float32)


@cache
def is_installed() -> bool:
    """Tell whether pyvkfft is installed, and was built for OpenCL."""
    try:
        import pyvkfft.opencl  # noqa: F401
    except (ImportError, OSError):
        return False
    return True


def is_used(device: Device) -> bool:
    """Tell whether a device transforms by itself: a GPU, where VkFFT is installed."""
    return device.kind == "gpu" and is_installed()


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
    """Real transforms of many rows at a time, neither of them normalised.

    Parameters
    ----------
    queue
        Where it runs.
    n_rows, length
        Rows of a call; their even length.

    Attributes
    ----------
    rows
        Buffer of float32 (n_rows, length).
    spectra
        Buffer of complex64 (n_rows, length // 2 + 1).
    """

    def __init__(self, queue: cl.CommandQueue, n_rows: int, length: int) -> None:
        from pyvkfft.opencl import VkFFTApp

        shape, half = (n_rows, length), (n_rows, length // 2 + 1)
        flags = cl.mem_flags.READ_WRITE
        self.rows = cl.Buffer(queue.context, flags, 4 * math.prod(shape))
        self.spectra = cl.Buffer(queue.context, flags, 8 * math.prod(half))
        # Two rows share a complex transform: what is left of memory's last use would spoil the last
        # row of a block that is not full.
        for buffer in (self.rows, self.spectra):
            cl.enqueue_fill_buffer(queue, buffer, _ZERO, 0, buffer.size)
        self._rows = Array(queue, shape, np.float32, data=self.rows)
        self._spectra = Array(queue, half, np.complex64, data=self.spectra)
        self._transform = VkFFTApp(
            shape, np.float32, queue, ndim=1, inplace=False, norm=0, r2c=True
        )

    def forward(self) -> None:
        """Enqueue the transform of the rows into their spectra."""
        self._transform.fft(self._rows, self._spectra)

    def inverse(self) -> None:
        """Enqueue the transform of the spectra into the rows."""
        self._transform.ifft(self._spectra, self._rows)
