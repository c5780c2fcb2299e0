"""What VkFFT does, by numpy on mapped buffers: pyvkfft has to be compiled, and is seldom there.

The kernels and the order of things around the transforms are the real ones; the transforms
themselves are held against scipy's by ``tomobatch doctor`` in the container image.
"""

from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
import pyopencl as cl
import pytest

from tomobatch.opencl.buffers import mapped
from tomobatch.reconstruct import vkfft

_READ, _WRITE = cl.map_flags.READ, cl.map_flags.WRITE


class RowTransform:
    """``vkfft.RowTransform``, with nothing sensible in its buffers to begin with."""

    def __init__(self, queue: cl.CommandQueue, n_rows: int, length: int) -> None:
        self._queue, self._shape = queue, (n_rows, length)
        self._half = (n_rows, length // 2 + 1)
        flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
        self.rows = cl.Buffer(
            queue.context, flags, hostbuf=np.full(self._shape, np.nan, np.float32)
        )
        self.spectra = cl.Buffer(
            queue.context, flags, hostbuf=np.full(self._half, np.nan, np.complex64)
        )

    def forward(self) -> None:
        """Transform the rows into their spectra."""
        with self._both(_READ, _WRITE) as (rows, spectra), np.errstate(invalid="ignore"):
            spectra[...] = np.fft.rfft(rows)

    def inverse(self) -> None:
        """Transform the spectra into the rows, without normalising."""
        with self._both(_WRITE, _READ) as (rows, spectra), np.errstate(invalid="ignore"):
            rows[...] = np.fft.irfft(spectra, self._shape[1], norm="forward")

    @contextmanager
    def _both(self, of_rows: cl.map_flags, of_spectra: cl.map_flags):
        with (
            mapped(self._queue, self.rows, self._shape, of_rows) as rows,
            mapped(self._queue, self.spectra, self._half, of_spectra, np.complex64) as spectra,
        ):
            yield rows, spectra


def inverse_plane(
    queue: cl.CommandQueue, grid: cl.Buffer, shape: tuple[int, int, int]
) -> Callable[[], None]:
    """``vkfft.inverse_plane``."""

    def inverse() -> None:
        with mapped(queue, grid, shape, _READ | _WRITE, np.complex64) as values:
            values[...] = np.fft.ifft2(values, axes=(0, 1), norm="forward")

    return inverse


def stand_in(patch: pytest.MonkeyPatch) -> None:
    """Let numpy do what VkFFT does, as though it were installed."""
    patch.setattr(vkfft, "RowTransform", RowTransform)
    patch.setattr(vkfft, "inverse_plane", inverse_plane)
    patch.setattr(vkfft, "is_installed", lambda: True)
