"""Filtered back-projection: the host side of ``direct.cl``."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.reconstruct.devices import Device
from tomobatch.reconstruct.filter import FilterName, PaddingName
from tomobatch.reconstruct.geometry import FloatArray, Geometry
from tomobatch.reconstruct.kernels import Define, load_kernel
from tomobatch.reconstruct.layout import Shared, SliceSplitter, mapped
from tomobatch.reconstruct.rows import RowFilter

Float32Array = npt.NDArray[np.float32]

FRACTION_BITS = 23

_VECTORS = {1: ("float", 1), 4: ("float4", 1), 8: ("float8", 1), 16: ("float16", 1)}


@dataclass(frozen=True)
class Tiling:
    """How the kernel cuts its work: see the constants in ``direct.cl``."""

    n_pixels: int = 4
    tile: int = 32
    n_angles: int = 8


class BackProjector:
    """Back-projects the filtered rows of a block of slices.

    Parameters
    ----------
    device
        Where it runs.
    geometry
        Shared geometry.
    lanes
        Slices of a block: 1, 4, 8, 16 or a multiple of 16.
    n_columns
        Columns of the filtered rows.
    axis_px
        Column of the rotation axis in them.
    """

    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        lanes: int,
        n_columns: int,
        axis_px: float,
        tiling: Tiling | None = None,
    ) -> None:
        self.tiling = tiling or Tiling()
        vector, n_vecs = _VECTORS.get(lanes, ("float16", lanes // 16))
        defines: dict[str, Define] = {
            "VEC": vector,
            "N_VECS": n_vecs,
            "N_PIXELS": self.tiling.n_pixels,
            "TILE": self.tiling.tile,
            "N_ANGLES": self.tiling.n_angles,
        }
        self._kernel = cl.Kernel(load_kernel(device, "direct", defines), "back_project")
        self.height, width = geometry.shape_px
        self.width = _round_up(width, self.tiling.n_pixels)
        self._n_columns, self._n_angles = n_columns, geometry.n_angles
        flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
        steps = fixed_point_steps(geometry, axis_px)
        spans = chords(geometry, self.tiling.n_pixels)
        self._steps = cl.Buffer(device.context, flags, hostbuf=steps)
        self._chords = cl.Buffer(device.context, flags, hostbuf=spans)

    def __call__(self, queue: cl.CommandQueue, rows: cl.Buffer, image: cl.Buffer) -> cl.Event:
        """Enqueue the back-projection of rows (angle, column, lane) into image (y, width, lane)."""
        tile = self.tiling.tile
        event: cl.Event = self._kernel(
            queue,
            (-(-self.width // tile), -(-self.height // tile)),
            (1, 1),
            rows,
            image,
            self._steps,
            self._chords,
            np.int32(self._n_columns),
            np.int32(self._n_angles),
            np.int32(self.width),
            np.int32(self.height),
        )
        return event


class DirectEngine:
    """Filtered back-projection of blocks of slices; see ``engine.Engine``."""

    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        lanes: int,
        name: FilterName = "ramp",
        padding: PaddingName = "edge",
        tiling: Tiling | None = None,
    ) -> None:
        tiling = tiling or Tiling()
        self.lanes = lanes
        self._geometry = geometry
        # Pixels are worked on in runs that may reach beyond the mask; 2 for the interpolation.
        margin = tiling.n_pixels * geometry.binning + 2
        self._filter = RowFilter(geometry, margin, name, padding)
        width_px = self._filter.width_px
        self._back_project = BackProjector(
            device, geometry, lanes, width_px, self._filter.axis_px, tiling
        )
        stride = self._back_project.width
        self._split = SliceSplitter(device, geometry, lanes, stride)
        self._queue = device.queue()
        self._rows = Shared(self._queue, (geometry.n_angles, width_px, lanes))
        self._image = Shared(self._queue, (geometry.shape_px[0], stride, lanes))

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: FloatArray,
        out: Float32Array,
        first_row: int = 0,
    ) -> None:
        """Reconstruct sinograms (row, angle, x) into ``out`` (row, ny, nx), both C-contiguous.

        ``first_row`` is the number of the first row, for messages.
        """
        with mapped(
            self._queue, self._rows.buffer, self._rows.shape, cl.map_flags.WRITE_INVALIDATE_REGION
        ) as rows:
            self._filter(sinograms, cor_px, rows, first_row)
        self._back_project(self._queue, self._rows.buffer, self._image.buffer)
        flags = cl.mem_flags.WRITE_ONLY | cl.mem_flags.USE_HOST_PTR
        slices = cl.Buffer(self._queue.context, flags, hostbuf=out)
        self._split(self._queue, self._image.buffer, slices, len(out))
        with mapped(self._queue, slices, out.shape, cl.map_flags.READ):
            pass
        self._queue.finish()


def fixed_point_steps(geometry: Geometry, axis_px: float) -> npt.NDArray[np.int64]:
    """Return how the column index changes with the pixel, fixed point, int64 (angle, 4).

    Per pixel to the right, per pixel down, at pixel [0, 0], unused.
    """
    cosine, sine = np.cos(geometry.angles_rad), np.sin(geometry.angles_rad)
    steps = np.zeros((geometry.n_angles, 4))
    steps[:, 0] = geometry.binning * cosine
    steps[:, 1] = geometry.binning * sine
    steps[:, 2] = geometry.first_x_px * cosine + geometry.first_y_px * sine + axis_px
    fixed: npt.NDArray[np.int64] = np.round(steps * 2**FRACTION_BITS).astype(np.int64)
    return fixed


def chords(geometry: Geometry, n_pixels: int) -> npt.NDArray[np.int32]:
    """Return the run of pixels of each output row that the mask lets through, int32 (ny, 2).

    Half open, widened to multiples of ``n_pixels``; an empty run is [0, 0).
    """
    height, width = geometry.shape_px
    spans = np.zeros((height, 2), dtype=np.int32)
    if geometry.mask_radius_px is None:
        spans[:, 1] = _round_up(width, n_pixels)
        return spans
    half2 = geometry.mask_radius_px**2 - geometry.y_px**2
    half = np.sqrt(np.maximum(half2, 0))
    start = np.ceil((-half - geometry.first_x_px) / geometry.binning)
    stop = np.floor((half - geometry.first_x_px) / geometry.binning) + 1
    start, stop = np.clip(start, 0, width), np.clip(stop, 0, width)
    seen = (half2 >= 0) & (stop > start)
    spans[seen, 0] = (start[seen] // n_pixels) * n_pixels
    spans[seen, 1] = -(-stop[seen] // n_pixels) * n_pixels
    return spans


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple
