"""Filtered back-projection by gridding in Fourier space: the host side of ``gridding.cl``.

The spectrum of a row is a line through the origin of the slice's spectrum (Fourier slice theorem),
so a slice is the inverse transform of the spectra of all its rows, filtered by the ramp. Spreading
the lines onto a grid and one fast transform take O(N^2 log N) steps, back-projection O(N^3).

Decision 22.
"""

import math
from typing import cast

import numpy as np
import pyopencl as cl

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.opencl.buffers import Shared, filled_by_device, mapped, uploaded
from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import load_kernel
from tomobatch.reconstruct import vkfft
from tomobatch.reconstruct.engine import Method
from tomobatch.reconstruct.fft import even_fast_length, inverse_plane
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.gridding import Spreading, fall_off, tap_polynomials, tile_visits
from tomobatch.reconstruct.lines import Lines, make_lines
from tomobatch.reconstruct.rows_on_device import is_device_work, spectra_bytes
from tomobatch.reconstruct.sampling import LineSampler, row_length
from tomobatch.reconstruct.settings import FilterName, Padding
from tomobatch.reconstruct.tiling import make_tiling

STANDARD = Spreading(width=5, oversampling=1.25, degree=6)

_UPDATE = cast("cl.map_flags", cl.map_flags.READ | cl.map_flags.WRITE)


class FourierEngine:
    """Reconstructs blocks of slices by gridding; see ``engine.Engine``.

    Parameters
    ----------
    device
        Where it runs.
    geometry
        Shared geometry.
    lanes
        Most slices of a block: 1, 2, 4, 8 or 16.
    filter, padding
        Window on the ramp; what is assumed outside the detector.
    spreading
        Accuracy of the gridding.
    shared
        Whether many work-items share a tile of the grid: by default, where the device has local
        memory of its own.
    on_device
        Whether the device transforms, by VkFFT: see ``vkfft.is_used``.
    """

    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        lanes: int,
        filter: FilterName = "ramp",
        padding: Padding = "edge",
        spreading: Spreading = STANDARD,
        shared: bool | None = None,
        on_device: bool | None = None,
    ) -> None:
        self.lanes = lanes
        self._geometry = geometry
        self._n_grid = grid_px(geometry, spreading)
        self.queue = device.queue()
        # Two slices share a complex value of the grid.
        self._width = max(lanes, 2)
        if shared is None:
            shared = device.cl_device.local_mem_type == cl.device_local_mem_type.LOCAL
        if on_device is None:
            on_device = vkfft.is_used(device)
        self._tiling = make_tiling(
            self._width,
            spreading,
            int(device.cl_device.local_mem_size),
            shared=shared,
            widest=16 if device.has_wide_builtins else 8,
            stream=device.kind == "cpu" and self._width >= 8,
        )
        weigh, self._spread, self._cut = self._load(device)
        lines = make_lines(geometry, row_length(geometry), self._n_grid)
        self._sample = LineSampler(
            self.queue, device, weigh, geometry, lines, lanes, filter, padding, on_device=on_device
        )
        self._tables = self._make_tables(spreading, lines)
        self._samples = Shared(self.queue, (geometry.n_angles, self._sample.n_k, 2 * self._width))
        self._grid = Shared(self.queue, (self._n_grid, self._n_grid, self._width))
        self._inverse = None
        if on_device:
            shape = (self._n_grid, self._n_grid, self._width // 2)
            self._inverse = vkfft.inverse_plane(self.queue, self._grid.buffer, shape)

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: Float64Array,
        out: Float32Array,
        first_row: int = 0,
    ) -> None:
        """Reconstruct sinograms (row, angle, x) into ``out`` (row, ny, nx), both C-contiguous.

        ``first_row`` is the number of the first row, for messages.

        Raises
        ------
        UserError
            A value that is not finite, with its row and projection.
        """
        self.sample_lines(sinograms, cor_px, first_row)
        self.spread_samples()
        self.transform_grid()
        self.cut_slices(out)
        self.queue.finish()

    def _load(self, device: Device) -> list[cl.Kernel]:
        """Build the kernels."""
        defines = self._tiling.defines
        gridding = load_kernel(device, "gridding", defines)
        return [
            cl.Kernel(load_kernel(device, "sampling", defines), "weigh"),
            cl.Kernel(gridding, self._tiling.spread),
            cl.Kernel(gridding, "cut"),
        ]

    def _make_tables(self, spreading: Spreading, lines: Lines) -> dict[str, cl.Buffer]:
        """Upload what all blocks share: lines, weights of points, visits of tiles, fall-off."""
        context, n_grid = self.queue.context, self._n_grid
        height, width = self._geometry.shape_px
        exponent = spreading.exponent(n_grid / max(height, width))
        reach = self._geometry.binning * n_grid / 2
        starts, visits = tile_visits(
            lines.directions_rad, n_grid, self._tiling.tile, spreading.width, reach
        )
        across, down = (
            (1 / fall_off(spreading, exponent, n_grid, n)).astype(np.float32)
            for n in (width, height)
        )
        arrays = {
            "steps": lines.steps,
            "taps": tap_polynomials(spreading, exponent),
            "starts": starts,
            "visits": visits,
            "across": across,
            "down": down,
        }
        return {name: uploaded(context, array) for name, array in arrays.items()}

    def sample_lines(
        self, sinograms: Float32Array, cor_px: Float64Array, first_row: int = 0
    ) -> None:
        """Transform the rows and put their filtered spectra, interleaved, into the samples."""
        self._sample(sinograms, cor_px, self._samples.buffer, first_row)

    def spread_samples(self) -> None:
        """Enqueue the spreading of the samples onto the grid."""
        n_grid, tile, group = self._n_grid, self._tiling.tile, self._tiling.group
        across, down = -(-n_grid // tile), -(-(n_grid // 2 + 1) // tile)
        self._spread(
            self.queue,
            (across * group[0], down * group[1]),
            group,
            self._samples.buffer,
            self._tables["steps"],
            self._tables["taps"],
            self._tables["starts"],
            self._tables["visits"],
            self._grid.buffer,
            np.int32(self._geometry.n_angles),
            np.int32(self._sample.n_k),
            np.int32(n_grid),
        )

    def _part(self, n: int) -> slice:
        """Return where n pixels of the output lie along an axis of the transformed grid."""
        start = self._n_grid // 2 - n // 2
        return slice(start, start + n)

    def transform_grid(self) -> None:
        """Transform the part of the grid that the output needs, or on the device all of it."""
        if self._inverse is not None:
            self._inverse()
            return
        height, width = self._geometry.shape_px
        rows, columns = self._part(height), self._part(width)
        with mapped(self.queue, self._grid.buffer, self._grid.shape, _UPDATE) as grid:
            inverse_plane(grid.view(np.complex64), rows, columns)

    def cut_slices(self, out: Float32Array) -> None:
        """Take the slices out of the transformed grid."""
        geometry = self._geometry
        n_rows, height, width = out.shape
        radius = geometry.mask_radius_px
        with filled_by_device(self.queue, out) as slices:
            self._cut(
                self.queue,
                (-(-width // self._tiling.run), height),
                None,
                self._grid.buffer,
                self._tables["across"],
                self._tables["down"],
                slices,
                np.int32(n_rows),
                np.int32(width),
                np.int32(height),
                np.int32(self._n_grid),
                np.array([self._part(width).start, self._part(height).start], dtype=np.int32),
                np.array([geometry.first_x_px, geometry.first_y_px], dtype=np.float32),
                np.float32(geometry.binning),
                np.float32(-1 if radius is None else radius**2),
            )


def grid_px(geometry: Geometry, spreading: Spreading) -> int:
    """Return the width of the grid: of the slice, oversampled, and never below a few kernels."""
    least = math.ceil(spreading.oversampling * max(geometry.shape_px))
    return even_fast_length(max(least, 4 * spreading.width))


def _buffer_bytes(geometry: Geometry, lanes: int, *, on_device: bool) -> list[int]:
    height, width = geometry.shape_px
    n_complex, length = max(lanes, 2), row_length(geometry)
    samples = 8 * n_complex * geometry.n_angles * (length // 2 + 1)
    grid = 4 * n_complex * grid_px(geometry, STANDARD) ** 2
    sizes = [samples, grid, 4 * lanes * height * width]
    samples_rows = on_device and is_device_work(geometry)
    return sizes + (spectra_bytes(geometry, lanes, length) if samples_rows else [])


def _work(geometry: Geometry) -> dict[str, float]:
    """``filter`` and ``grid``: points times the logarithm; ``spread``: samples of the spectrum."""
    length, n_grid = row_length(geometry), grid_px(geometry, STANDARD)
    return {
        "filter": geometry.n_angles * length * math.log2(length),
        "spread": geometry.n_angles * min(length / 2, length / 2 / geometry.binning),
        "grid": n_grid**2 * math.log2(n_grid),
    }


FOURIER = Method(
    "fourier",
    lanes=(16, 8, 4, 2, 1),
    # With 8 a slice takes a CPU 1.2 times as long as in a full block.
    well_filled=8,
    make=lambda device, geometry, lanes, chosen: FourierEngine(
        device, geometry, lanes, chosen.filter, chosen.padding
    ),
    buffer_bytes=_buffer_bytes,
    work=_work,
)
