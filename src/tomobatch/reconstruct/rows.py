"""Filter the rows of a block of slices and interleave them for the back-projection.

Decision 12.
"""

import numpy as np
import scipy.fft

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.reconstruct.fft import in_parallel
from tomobatch.reconstruct.filter import (
    SAMPLES_PER_PX,
    binning_response,
    check_finite,
    fill_padding,
    finer_response,
    overlap_weights,
    padded_length,
    shift_phases,
)
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.settings import FilterName, Padding

# Working memory of one thread: small enough for the cache it shares with the others.
_WORK_BYTES = 2**20


def count_samples(geometry: Geometry, margin_px: int) -> int:
    """Return the samples of a filtered row that keeps so many columns beyond the mask."""
    return SAMPLES_PER_PX * (2 * _reach_px(geometry, margin_px) + 2)


def _reach_px(geometry: Geometry, margin_px: int) -> int:
    return int(np.ceil(geometry.reach_px)) + margin_px


class RowFilter:
    """Ramp filter of all rows of a block, each moved so that its axis falls on a common sample.

    Filtered rows are (angle, sample, lane), ``SAMPLES_PER_PX`` samples a column, ready for linear
    interpolation (see ``finer_response``): the slices of a block are its lanes. Only the samples
    that output pixels project to are kept. Angle weights, the overlap weights of half acquisition
    and the averaging of binned pixels are folded in.

    Parameters
    ----------
    geometry
        Shared geometry.
    margin_px
        Columns to keep beyond those that pixels inside the mask project to.
    filter, padding
        Window on the ramp; what is assumed outside the detector.

    Attributes
    ----------
    n_samples
        Samples of a filtered row.
    axis
        The rotation axis in it, in samples.
    length
        That rows are padded to.
    response
        float64 (length // 2 + 1,), ``filter.finer_response``.
    """

    def __init__(
        self,
        geometry: Geometry,
        margin_px: int,
        filter: FilterName = "ramp",
        padding: Padding = "edge",
    ) -> None:
        reach = _reach_px(geometry, margin_px)
        centre = (geometry.n_cols - 1) / 2
        self.geometry = geometry
        self.padding = padding
        self.length = padded_length(geometry)
        # Where the centre of the detector is the axis, the detector's columns are samples.
        self.axis = SAMPLES_PER_PX * (reach + centre % 1)
        self.n_samples = count_samples(geometry, margin_px)
        self.response = finer_response(self.length, filter)

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: Float64Array,
        out: Float32Array,
        first_row: int = 0,
    ) -> None:
        """Filter sinograms (row, angle, x) into ``out``, float32 (angle, n_samples, lane).

        Lanes beyond the rows are filled with zeros; ``first_row`` is for messages only.

        Raises
        ------
        UserError
            A value that is not finite, with its row and projection.
        """
        n_rows, n_angles, _ = sinograms.shape
        shift = self.axis / SAMPLES_PER_PX - cor_px
        factors = (self.response[:, None] * shift_phases(self.length, shift)).astype(np.complex64)
        weights = self._column_weights(cor_px)
        out[:, :, n_rows:] = 0

        def work(part: slice) -> None:
            rows = self._interleave(sinograms[:, part], weights, part)
            spectrum = scipy.fft.rfft(rows, axis=1, overwrite_x=True)
            with np.errstate(invalid="ignore"):  # infinite times 0; found out below
                spectrum *= factors
            if self.geometry.binning > 1:
                angles = self.geometry.angles_rad[part]
                mean = binning_response(self.length, angles, self.geometry.binning)
                spectrum *= mean[:, :, None].astype(np.float32)
            n_ring = SAMPLES_PER_PX * self.length
            filtered = scipy.fft.irfft(spectrum, n=n_ring, axis=1, overwrite_x=True)
            # On a ring: the margin of a detector of a few columns goes around it.
            wrapped = self.n_samples > n_ring
            out[part, :, :n_rows] = (
                filtered.take(np.arange(self.n_samples), axis=1, mode="wrap")
                if wrapped
                else filtered[:, : self.n_samples]
            )

        row_bytes = 4 * SAMPLES_PER_PX * self.length * n_rows
        in_parallel(work, n_angles, max(1, _WORK_BYTES // row_bytes))
        check_finite(out[:, 0, :n_rows].T, first_row)

    def _column_weights(self, cor_px: Float64Array) -> Float64Array | None:
        """Return overlap weights (column, row), or None where every column counts once."""
        if not self.geometry.half_acquisition:
            return None
        return overlap_weights(self.geometry.n_cols, cor_px).T

    def _interleave(
        self, sinograms: Float32Array, weights: Float64Array | None, part: slice
    ) -> Float32Array:
        """Return padded rows (angle, length, lane), weighted; the left padding comes last."""
        n_rows, n_angles, n_cols = sinograms.shape
        rows = np.empty((n_angles, self.length, n_rows), dtype=np.float32)
        data = rows[:, :n_cols]
        angle_weights = self.geometry.angle_weights[part, None].astype(np.float32)
        for lane, sinogram in enumerate(sinograms):
            np.multiply(sinogram, angle_weights, out=data[:, :, lane])
        if weights is not None:
            data *= weights.astype(np.float32)
        fill_padding(rows, n_cols, self.padding, axis=1)
        return rows
