"""The rows of a block padded, transformed and filtered on the device, where it has transforms.

The host hands over the sinograms as they are: the fewest bytes over the bus, and no work for the
few cores that machines with GPUs have.

Decision 23.
"""

from collections.abc import Iterator

import numpy as np
import pyopencl as cl

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.opencl.buffers import uploaded
from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import load_kernel
from tomobatch.reconstruct import vkfft
from tomobatch.reconstruct.filter import (
    SAMPLES_PER_PX,
    not_finite,
    overlap_weights,
    padded_length,
    shift_phases,
)
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.rows import RowFilter
from tomobatch.reconstruct.settings import Padding

# Padded rows that are transformed at a time: enough to fill a device, and no more.
_PART_BYTES = 32 * 2**20
_NO_ROW = np.array([2**31 - 1], dtype=np.int32)


def is_device_work(geometry: Geometry) -> bool:
    """Tell whether a device that transforms takes the rows: binned pixels are for the host."""
    return geometry.binning == 1


def angles_a_part(geometry: Geometry, lanes: int, length: int) -> int:
    """Return how many angles of a block of padded rows are transformed at a time."""
    return min(geometry.n_angles, max(1, _PART_BYTES // (4 * length * lanes)))


def spectra_bytes(geometry: Geometry, lanes: int, length: int) -> list[int]:
    """Return the sizes of the buffers of ``RowSpectra``: sinograms, padded rows, spectra."""
    n_rows = lanes * angles_a_part(geometry, lanes, length)
    sinograms = 4 * lanes * geometry.n_angles * geometry.n_cols
    return [sinograms, 4 * n_rows * length, 8 * n_rows * (length // 2 + 1)]


def filter_bytes(geometry: Geometry, lanes: int) -> list[int]:
    """Return the sizes of the buffers of ``DeviceRowFilter``."""
    length = padded_length(geometry)
    n_ring = SAMPLES_PER_PX * length
    n_rows = lanes * angles_a_part(geometry, lanes, length)
    return [
        *spectra_bytes(geometry, lanes, length),
        4 * n_rows * n_ring,
        8 * n_rows * (n_ring // 2 + 1),
    ]


class RowSpectra:
    """Spectra of the padded rows of a block, made on the device some angles at a time.

    Parameters
    ----------
    queue, device
        Where it runs.
    geometry
        Shared geometry.
    lanes
        Most rows of a block.
    length
        That rows are padded to: even.
    padding
        What is assumed outside the detector.

    Attributes
    ----------
    buffer
        complex64 (row, angle of the part, length // 2 + 1): what the last part gave.
    """

    def __init__(
        self,
        queue: cl.CommandQueue,
        device: Device,
        geometry: Geometry,
        lanes: int,
        length: int,
        padding: Padding,
    ) -> None:
        self._queue, self._geometry, self._length = queue, geometry, length
        self._is_edge = padding == "edge"
        self.n_part = angles_a_part(geometry, lanes, length)
        self._transform = vkfft.RowTransform(queue, lanes * self.n_part, length)
        self.buffer = self._transform.spectra
        self._pad = cl.Kernel(load_kernel(device, "rows", {"LANES": lanes}), "pad")
        flags = cl.mem_flags.READ_WRITE
        of_sinograms, *_ = spectra_bytes(geometry, lanes, length)
        self._sinograms = cl.Buffer(queue.context, flags, of_sinograms)
        self._first_bad = cl.Buffer(queue.context, flags, _NO_ROW.nbytes)

    def parts(
        self, sinograms: Float32Array, cor_px: Float64Array, first_row: int
    ) -> Iterator[slice]:
        """Transform sinograms (row, angle, x) part by part, and yield the angles of each.

        All parts have one size, as the transform has: the last one reaches back.

        Raises
        ------
        UserError
            A value that is not finite, with its row and projection.
        """
        cl.enqueue_copy(self._queue, self._sinograms, sinograms)
        cl.enqueue_fill_buffer(self._queue, self._first_bad, _NO_ROW, 0, _NO_ROW.nbytes)
        weights = self._column_weights(cor_px)
        for start in range(0, self._geometry.n_angles, self.n_part):
            first = min(start, self._geometry.n_angles - self.n_part)
            self._enqueue_padding(len(sinograms), first, weights)
            self._transform.forward()
            yield slice(first, first + self.n_part)
        self._check_finite(first_row)

    def _column_weights(self, cor_px: Float64Array) -> cl.Buffer | None:
        """Return the overlap weights of half acquisition, or None: every column counts once."""
        if not self._geometry.half_acquisition:
            return None
        weights = overlap_weights(self._geometry.n_cols, cor_px)
        return uploaded(self._queue.context, weights.astype(np.float32))

    def _enqueue_padding(self, n_rows: int, first: int, weights: cl.Buffer | None) -> None:
        self._pad(
            self._queue,
            (self._length, self.n_part, n_rows),
            None,
            self._sinograms,
            self._sinograms if weights is None else weights,
            self._transform.rows,
            self._first_bad,
            np.int32(self._geometry.n_angles),
            np.int32(first),
            np.int32(self.n_part),
            np.int32(self._geometry.n_cols),
            np.int32(self._length),
            np.int32(self._is_edge),
            np.int32(weights is not None),
        )

    def _check_finite(self, first_row: int) -> None:
        found = np.empty_like(_NO_ROW)
        cl.enqueue_copy(self._queue, found, self._first_bad)
        if found[0] != _NO_ROW[0]:
            row, angle = divmod(int(found[0]), self._geometry.n_angles)
            raise not_finite(first_row + row, angle)


class DeviceRowFilter:
    """The ramp filter of ``rows.RowFilter``, on the device; binned pixels are left to the host.

    Parameters
    ----------
    queue, device
        Where it runs.
    geometry
        Shared geometry, without binning.
    lanes
        Rows of a block.
    padding
        What is assumed outside the detector.
    like
        The filter of the host, whose rows these are.
    """

    def __init__(
        self,
        queue: cl.CommandQueue,
        device: Device,
        geometry: Geometry,
        lanes: int,
        padding: Padding,
        like: RowFilter,
    ) -> None:
        self._queue, self._lanes = queue, lanes
        self._length, self._n_samples = like.length, like.n_samples
        self._axis_px = like.axis / SAMPLES_PER_PX
        self._n_ring = SAMPLES_PER_PX * like.length
        # The inverse transform does not normalise.
        self._response = like.response / self._n_ring
        self._spectra = RowSpectra(queue, device, geometry, lanes, self._length, padding)
        self._finer = vkfft.RowTransform(queue, lanes * self._spectra.n_part, self._n_ring)
        program = load_kernel(device, "rows", {"LANES": lanes})
        self._filter, self._interleave = (
            cl.Kernel(program, name) for name in ("filter", "interleave")
        )
        self._weights = uploaded(queue.context, geometry.angle_weights.astype(np.float32))

    def __call__(
        self, sinograms: Float32Array, cor_px: Float64Array, rows: cl.Buffer, first_row: int
    ) -> None:
        """Enqueue the filtering of sinograms (row, angle, x) into rows (angle, sample, lane).

        Raises
        ------
        UserError
            A value that is not finite, with its row and projection.
        """
        shift = shift_phases(self._length, self._axis_px - cor_px)
        factors = uploaded(self._queue.context, (self._response * shift.T).astype(np.complex64))
        for part in self._spectra.parts(sinograms, cor_px, first_row):
            self._enqueue(len(sinograms), part, factors, rows)

    def _enqueue(self, n_rows: int, part: slice, factors: cl.Buffer, rows: cl.Buffer) -> None:
        n_part = part.stop - part.start
        n_finer = self._n_ring // 2 + 1
        self._filter(
            self._queue,
            (n_finer, n_part, n_rows),
            None,
            self._spectra.buffer,
            factors,
            self._weights,
            self._finer.spectra,
            np.int32(part.start),
            np.int32(n_part),
            np.int32(self._length // 2 + 1),
            np.int32(n_finer),
        )
        self._finer.inverse()
        self._interleave(
            self._queue,
            (self._n_samples * self._lanes, n_part),
            None,
            self._finer.rows,
            rows,
            np.int32(n_rows),
            np.int32(part.start),
            np.int32(n_part),
            np.int32(self._n_ring),
            np.int32(self._n_samples),
        )
