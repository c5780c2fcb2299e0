"""Weigh and filter the projections of a slab, and lay them out for the back-projection."""

import numpy as np
import scipy.fft

from tomobatch.arrays import Float32Array
from tomobatch.reconstruct.cone.geometry import ConeGeometry
from tomobatch.reconstruct.cone.resample import detector_places, interpolate
from tomobatch.reconstruct.cone.weights import cosine_weights, ray_weights
from tomobatch.reconstruct.fft import in_parallel
from tomobatch.reconstruct.filter import (
    binning_response,
    check_finite,
    fill_padding,
    frequency_response,
)
from tomobatch.reconstruct.settings import FilterName, Padding


class ConeFilter:
    """Filters projections (row, angle, x) of a band of rows into (angle, column, row).

    Parameters
    ----------
    geometry
        Shared geometry.
    first_row, stop_row
        Rows of the detector that are handed over.
    first_out, stop_out
        Rows of the ideal detector that are laid out; where there are none of the detector, the
        nearest one stands.
    name, padding
        Window on the ramp; what is assumed beside the detector.
    """

    def __init__(
        self,
        geometry: ConeGeometry,
        rows: tuple[int, int],
        rows_out: tuple[int, int],
        name: FilterName = "ramp",
        padding: Padding = "edge",
    ) -> None:
        self._geometry, self._padding = geometry, padding
        self.rows, self.rows_out = rows, rows_out
        self.first_column, stop_column = geometry.reach_px
        self.n_columns = stop_column - self.first_column
        self._length = geometry.ring_px
        self._response = frequency_response(self._length, name)[:, None].astype(np.float32)
        self._rays = ray_weights(geometry).astype(np.float32)
        # Rows out that the rows in give; those beyond are copies.
        if geometry.beam.is_turned:
            self._first, self._stop = rows_out
            self._places = detector_places(geometry, *rows_out)
        else:
            self._first = max(rows[0], rows_out[0])
            self._stop = min(rows[1], rows_out[1])
        self._cosines = cosine_weights(geometry, self._first, self._stop).astype(np.float32)

    def __call__(self, sinograms: Float32Array, first_angle: int, out: Float32Array) -> None:
        """Filter ``sinograms`` (row, angle, x) into ``out`` (angle, n_columns, row of rows_out).

        The first angle of both is ``first_angle``; angles of ``out`` beyond are set to zero.

        Raises
        ------
        UserError
            A value that is not finite, with its row and projection.
        """
        n_angles = sinograms.shape[1]
        columns = np.arange(self.first_column, self.first_column + self.n_columns)
        wraps = columns[0] < 0 or columns[-1] >= self._length
        low, high = self._first - self.rows_out[0], self._stop - self.rows_out[0]

        def work(part: slice) -> None:
            for angle in range(part.start, part.stop):
                picture = self._weighed(sinograms[:, angle], first_angle + angle)
                spectrum = scipy.fft.rfft(picture, axis=0, overwrite_x=True)
                check_finite(spectrum[:1].T, self._first, first_angle + angle)
                spectrum *= self._response
                if self._geometry.slices.binning > 1:
                    spectrum *= self._mean(first_angle + angle)
                filtered = scipy.fft.irfft(spectrum, n=self._length, axis=0, overwrite_x=True)
                kept = out[angle, :, low:high]
                if wraps:
                    filtered.take(columns, axis=0, mode="wrap", out=kept)
                else:
                    kept[...] = filtered[columns[0] : columns[-1] + 1]
                out[angle, :, :low] = out[angle, :, low : low + 1]
                out[angle, :, high:] = out[angle, :, high - 1 : high]

        out[n_angles:] = 0
        in_parallel(work, n_angles, 1)

    def _weighed(self, projection: Float32Array, angle: int) -> Float32Array:
        """Return a projection (row, x) as (column, row), weighed and padded along its columns."""
        n_cols = self._geometry.slices.n_cols
        picture = np.empty((self._length, self._stop - self._first), dtype=np.float32)
        weights = self._cosines * self._rays[angle][:, None]
        if self._geometry.beam.is_turned:
            drift_u, drift_v = self._geometry.drift_px[angle]
            interpolate(
                projection, self.rows[0], self._places, drift_u, drift_v, weights, picture[:n_cols]
            )
        else:
            own = projection[self._first - self.rows[0] : self._stop - self.rows[0]]
            np.multiply(own.T, weights, out=picture[:n_cols])
        fill_padding(picture, n_cols, self._padding, axis=0)
        return picture

    def _mean(self, angle: int) -> Float32Array:
        """Return what averaging binned pixels does to the columns, (frequency, 1)."""
        slices = self._geometry.slices
        angles = slices.angles_rad[angle : angle + 1]
        mean = binning_response(self._length, angles, slices.binning)
        return mean.T.astype(np.float32)
