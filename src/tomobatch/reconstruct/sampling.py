"""The first step of gridding: rows become filtered spectra, the slices of a block interleaved."""

import threading
from dataclasses import dataclass

import numpy as np
import pyopencl as cl
import scipy.fft

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.opencl.buffers import uploaded
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.fft import even_fast_length, in_parallel
from tomobatch.reconstruct.filter import (
    binning_response,
    check_finite,
    fill_padding,
    frequency_response,
    overlap_weights,
    padded_length,
    shift_phases,
)
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.lines import Lines
from tomobatch.reconstruct.rows_on_device import RowSpectra, is_device_work
from tomobatch.reconstruct.settings import FilterName, Padding

# Padded rows that one thread transforms at a time: small enough for the cache it has for itself.
_PART_BYTES = 2 * 2**20


def row_length(geometry: Geometry) -> int:
    """Return the length that rows are padded to: even, fast to transform, at least 8."""
    return even_fast_length(max(padded_length(geometry), 8))


@dataclass(frozen=True, eq=False)
class _Block:
    """Rows to sample: what they are weighted with and multiplied by, and where they go."""

    sinograms: Float32Array
    weights: Float64Array | None
    factors: cl.Buffer
    samples: cl.Buffer
    first_row: int


class LineSampler:
    """Filters the spectra of the rows of a block and lays them along the lines of the grid.

    Parameters
    ----------
    queue, device
        Where it runs.
    kernel
        ``weigh`` of ``sampling.cl``.
    geometry, lines
        Shared geometry; where the spectra lie.
    lanes
        Most rows of a block.
    filter, padding
        Window on the ramp; what is assumed outside the detector.
    on_device
        Whether rows are transformed there, by VkFFT, or on the host.
    """

    def __init__(
        self,
        queue: cl.CommandQueue,
        device: Device,
        kernel: cl.Kernel,
        geometry: Geometry,
        lines: Lines,
        lanes: int,
        filter: FilterName,
        padding: Padding,
        *,
        on_device: bool,
    ) -> None:
        self._queue, self._kernel = queue, kernel
        self._geometry, self._padding = geometry, padding
        self.length = row_length(geometry)
        self.n_k = self.length // 2 + 1
        self._response = frequency_response(self.length, filter) / self.length
        # The highest frequency is met at both ends of a line.
        self._response[-1] /= 2
        self._weights = uploaded(self._queue.context, lines.weights)
        self._places = uploaded(self._queue.context, lines.places)
        self._lock = threading.Lock()
        self._spectra: RowSpectra | None = None
        if on_device and is_device_work(geometry):
            self._spectra = RowSpectra(queue, device, geometry, lanes, self.length, padding)

    def __call__(
        self, sinograms: Float32Array, cor_px: Float64Array, samples: cl.Buffer, first_row: int
    ) -> None:
        """Sample sinograms (row, angle, x) into complex samples (line, k, lane).

        Raises
        ------
        UserError
            A value that is not finite, with its row and projection.
        """
        factors = self._response * shift_phases(self.length, -cor_px).T
        response = uploaded(self._queue.context, factors.astype(np.complex64))
        weights: Float64Array | None = None
        if self._geometry.half_acquisition:
            weights = overlap_weights(self._geometry.n_cols, cor_px)
        block = _Block(sinograms, weights, response, samples, first_row)
        if self._spectra is None:
            self._sample_on_host(block)
            return
        for part in self._spectra.parts(sinograms, cor_px, first_row):
            self._weigh(block, self._spectra.buffer, part)

    def _sample_on_host(self, block: _Block) -> None:
        n_rows, n_angles, _ = block.sinograms.shape
        flags = cl.mem_flags.READ_ONLY | cl.mem_flags.USE_HOST_PTR

        def sample(part: slice) -> None:
            rows = self._padded(block, part)
            spectra = scipy.fft.rfft(rows, axis=2, overwrite_x=True)
            check_finite(spectra[:, :, 0], block.first_row, part.start)
            if self._geometry.binning > 1:
                angles_rad = self._geometry.angles_rad[part]
                mean = binning_response(self.length, angles_rad, self._geometry.binning)
                spectra *= mean.astype(np.float32)
            buffer = cl.Buffer(self._queue.context, flags, hostbuf=spectra)
            self._weigh(block, buffer, part).wait()

        in_parallel(sample, n_angles, max(1, _PART_BYTES // (4 * self.length * n_rows)))

    def _padded(self, block: _Block, part: slice) -> Float32Array:
        """Return rows (row, angle of the part, length), weighted and padded."""
        sinograms = block.sinograms[:, part]
        n_rows, n_angles, n_cols = sinograms.shape
        rows = np.empty((n_rows, n_angles, self.length), dtype=np.float32)
        if block.weights is None:
            rows[:, :, :n_cols] = sinograms
        else:
            column_weights = block.weights[:, None, :].astype(np.float32)
            np.multiply(sinograms, column_weights, out=rows[:, :, :n_cols])
        fill_padding(rows, n_cols, self._padding, axis=2)
        return rows

    def _weigh(self, block: _Block, spectra: cl.Buffer, part: slice) -> cl.Event:
        """Enqueue the kernel for spectra (row, angle of the part, k)."""
        n_angles = part.stop - part.start
        # A kernel object holds its arguments: threads take turns from setting them to enqueueing.
        with self._lock:
            event: cl.Event = self._kernel(
                self._queue,
                (-(-self.n_k // 4), n_angles),
                None,
                spectra,
                block.factors,
                self._weights,
                self._places,
                block.samples,
                np.int32(len(block.sinograms)),
                np.int32(n_angles),
                np.int32(part.start),
                np.int32(self.n_k),
            )
            self._queue.flush()
        return event
