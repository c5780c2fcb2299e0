"""Put the rows of a block of slices on the samples of the projector, and tell their noise."""

import numpy as np
import scipy.fft

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.reconstruct.fft import even_fast_length, in_parallel
from tomobatch.reconstruct.filter import check_finite, shift_phases
from tomobatch.reconstruct.iterative.projector import Grid

# Working memory of one thread, as for the filter of the direct method.
_WORK_BYTES = 2**20
# A column counts as on the detector up to rounding.
_SLACK_PX = 1e-6
# Of a second difference of white noise, and of the median of what is normal.
_OF_DIFFERENCE, _OF_MEDIAN = 6**0.5, 0.6745
_ANGLES_LOOKED_AT = 64


class RayPlacer:
    """Moves rows so that their axis falls on a common sample, each by its own centre of rotation.

    They are interpolated by their trigonometric series, which leaves the noise as it is; rows of
    binned slices are averaged over as many columns. Beyond the detector nothing is assumed: those
    samples are not ``seen``.

    Parameters
    ----------
    grid
        Pixels and rays.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        binning, n_cols = grid.geometry.binning, grid.geometry.n_cols
        reach = binning * grid.n_samples
        self._length = even_fast_length(n_cols + max(n_cols, reach))
        self._centres = binning * (np.arange(grid.n_samples) - grid.axis)

    def seen(self, cor_px: Float64Array) -> Float32Array:
        """Return 1 where the detector has all columns of a sample, else 0, (sample, row)."""
        half = (self._grid.geometry.binning - 1) / 2
        columns = self._centres[:, None] + cor_px
        last = self._grid.geometry.n_cols - 1
        inside = (columns - half > -_SLACK_PX) & (columns + half < last + _SLACK_PX)
        return inside.astype(np.float32)

    def __call__(
        self, sinograms: Float32Array, cor_px: Float64Array, out: Float32Array, first_row: int = 0
    ) -> None:
        """Place sinograms (row, angle, x) into ``out``, float32 (angle, sample, lane).

        Samples not seen, and lanes beyond the rows, become zero.

        Raises
        ------
        UserError
            A value that is not finite, with its row and projection.
        """
        n_rows, n_angles, _ = sinograms.shape
        check_finite(sinograms.sum(axis=2, dtype=np.float64), first_row)
        grid, length = self._grid, self._length
        binning = grid.geometry.binning
        # Sample 0 of the moved row lies where ray 0 does; binned rows are the mean around it.
        factors = shift_phases(length, -(self._centres[0] + cor_px)).astype(np.complex64)
        if binning > 1:
            cycles = np.arange(length // 2 + 1)[:, None] / length
            places = np.arange(binning) - (binning - 1) / 2
            factors *= np.cos(2 * np.pi * cycles * places).mean(axis=1, keepdims=True)
        seen = self.seen(cor_px)
        out[:, :, n_rows:] = 0

        def work(part: slice) -> None:
            rows = self._padded(sinograms[:, part])
            spectrum = scipy.fft.rfft(rows, axis=1, overwrite_x=True)
            spectrum *= factors
            moved = scipy.fft.irfft(spectrum, n=length, axis=1, overwrite_x=True)
            taken = moved.take(binning * np.arange(grid.n_samples), axis=1, mode="wrap")
            out[part, :, :n_rows] = taken * seen

        in_parallel(work, n_angles, max(1, _WORK_BYTES // (4 * length * n_rows)))

    def _padded(self, sinograms: Float32Array) -> Float32Array:
        """Return rows (angle, length, lane) that lead from their last column back to the first."""
        n_rows, n_angles, n_cols = sinograms.shape
        rows = np.empty((n_angles, self._length, n_rows), dtype=np.float32)
        rows[:, :n_cols] = np.moveaxis(sinograms, 0, 2)
        way = np.linspace(0, 1, self._length - n_cols + 2, dtype=np.float32)[1:-1, None]
        rows[:, n_cols:] = (1 - way) * rows[:, n_cols - 1 : n_cols] + way * rows[:, :1]
        return rows


def noise_sigma(rays: Float32Array, seen: Float32Array) -> Float64Array:
    """Return the noise of each slice's rays (angle, sample, lane), by their second differences.

    The median makes little of edges; what is curved everywhere counts as noise. Slices of which
    less than three neighbouring samples are seen have none.
    """
    step = max(1, rays.shape[0] // _ANGLES_LOOKED_AT)
    sigma = np.zeros(rays.shape[2])
    for lane in range(rays.shape[2]):
        row = rays[::step, seen[:, lane] > 0, lane]
        if row.shape[1] > 2:
            second = np.abs(row[:, 2:] - 2 * row[:, 1:-1] + row[:, :-2])
            sigma[lane] = np.median(second) / (_OF_MEDIAN * _OF_DIFFERENCE)
    return sigma
