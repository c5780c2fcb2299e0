"""Projection of interleaved slices and its exact adjoint: the host side of ``projector.cl``."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.opencl.buffers import uploaded
from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import load_kernel
from tomobatch.reconstruct.geometry import Geometry, Roi
from tomobatch.reconstruct.iterative.cut import Cut

PACKAGE = "tomobatch.reconstruct.iterative"
_FRACTION_BITS = 32
# A run of pixels at the mask's edge looks so far beyond it; two more to interpolate.
_MARGIN_PX = 6


@dataclass(frozen=True, eq=False)
class Grid:
    """Pixels and rays of a whole slice, in units of its (binned) pixels.

    A region sees the rays of everything around it, so that all of the slice is reconstructed, and
    the region cut from it. Binned slices have binned rays: one a pixel.

    Attributes
    ----------
    geometry
        Of the whole slice, whose sides are equal.
    corner
        Row and column of the region's first pixel in it.
    n_samples
        Rays at an angle; more than the mask lets through.
    axis
        The rotation axis in them, in samples.
    """

    geometry: Geometry
    corner: tuple[int, int]
    n_samples: int
    axis: float

    @property
    def side(self) -> int:
        """Pixels along either side."""
        return self.geometry.shape_px[0]

    @property
    def first_px(self) -> tuple[float, float]:
        """Position (x, y) of the first pixel's centre from the axis."""
        whole = self.geometry
        return whole.first_x_px / whole.binning, whole.first_y_px / whole.binning

    @property
    def radius(self) -> float:
        """Distance from the axis that no pixel's centre exceeds."""
        whole = self.geometry
        corner = math.hypot(*np.maximum(np.abs(self.first_px), self.side / 2))
        mask = whole.mask_radius_px
        return corner if mask is None else min(corner, mask / whole.binning)


def make_grid(geometry: Geometry) -> Grid:
    """Return the whole slice around a region, on the pixels that the region has."""
    roi, binning = geometry.roi, geometry.binning
    x0, y0 = roi.x0 % binning, roi.y0 % binning
    side = (geometry.size_px - min(x0, y0)) // binning
    whole = replace(geometry, roi=Roi(x0, y0, side * binning, side * binning))
    reach = math.ceil(whole.reach_px / binning) + _MARGIN_PX
    # Where the axis falls on the middle of the detector, its columns are samples.
    axis = reach + (geometry.n_cols - 1) / 2 % 1
    corner = (roi.y0 - y0) // binning, (roi.x0 - x0) // binning
    return Grid(whole, corner, 2 * reach + 2, axis)


class Projector:
    """Projects the images of a block of slices, and back-projects rays by the exact adjoint.

    Images are (row, column, lane), each row between ``pad_px`` zeros; rays (angle, sample, lane),
    the angles in the geometry's order.

    Parameters
    ----------
    device
        Where it runs.
    grid
        Pixels and rays.
    cut
        How the work is cut.

    Attributes
    ----------
    chords
        Buffer of the run of pixels of each row inside the mask, see ``chord_table``.

    Notes
    -----
    Joseph (1982), IEEE Trans. Med. Imag. 1, 192-196: a ray's integral is the sum over rows (over
    columns where it is flatter than 45 degrees) of linearly interpolated pixels.
    """

    def __init__(self, device: Device, grid: Grid, cut: Cut) -> None:
        program = load_kernel(device, "projector", cut.defines, package=PACKAGE)
        self.grid, self.cut = grid, cut
        self.image_shape = (grid.side, grid.side + 2 * cut.pad_px, cut.lanes)
        self.rows_shape = (grid.geometry.n_angles, grid.n_samples, cut.lanes)
        self._project, self._back_project, self._turn = (
            cl.Kernel(program, name) for name in ("project", "back_project", "turn")
        )
        walks, rays = walk_tables(grid, cut.pad_px)
        self._walks, self._rays = uploaded(device.context, walks), uploaded(device.context, rays)
        self._steps = uploaded(device.context, step_table(grid))
        self.chords = uploaded(device.context, chord_table(grid.geometry))

    def project(
        self,
        queue: cl.CommandQueue,
        image: cl.Buffer,
        scratch: cl.Buffer,
        rows: cl.Buffer,
        weights: cl.Buffer,
        seen: cl.Buffer,
        target: cl.Buffer | None = None,
    ) -> None:
        """Enqueue ``rows = weight * (target - integral)``.

        Parameters
        ----------
        image, scratch
            The image, and a buffer of its size that gets the transpose.
        rows
            Result (angle, sample, lane).
        weights, seen
            float32 (angle, sample) and (sample, lane), whose product is the weight.
        target
            Rows, or None for zeros.
        """
        cut, grid = self.cut, self.grid
        tiles = -(-grid.side // cut.tile)
        self._turn(queue, *self._size(tiles, tiles), image, scratch, np.int32(grid.side))
        n_angles = grid.geometry.n_angles
        across, down = -(-grid.n_samples // cut.tile_rays), -(-n_angles // cut.tile_angles)
        self._project(
            queue,
            *self._size(across, down),
            image,
            scratch,
            rows,
            rows if target is None else target,
            weights,
            seen,
            self._walks,
            self._rays,
            np.int32(grid.n_samples),
            np.int32(n_angles),
            np.int32(grid.side),
            # A pixel beyond the mask's edge shares in what the interpolation reads.
            np.float32(grid.radius + 1.5),
            np.int32(target is not None),
        )

    def back_project(self, queue: cl.CommandQueue, rows: cl.Buffer, image: cl.Buffer) -> None:
        """Enqueue the adjoint of the projection: rows into image, zero outside the mask."""
        grid = self.grid
        tiles = -(-grid.side // self.cut.tile)
        self._back_project(
            queue,
            *self._size(tiles, tiles),
            rows,
            image,
            self._steps,
            self._rays,
            self.chords,
            np.int32(grid.n_samples),
            np.int32(grid.geometry.n_angles),
            np.int32(grid.side),
        )

    def _size(self, across: int, down: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the global and the local size for so many tiles; those left over do nothing."""
        group = self.cut.group
        return (-(-across * self.cut.n_vecs // group) * group, down), (group, 1)


def _fixed(values: Float64Array) -> npt.NDArray[np.int64]:
    return np.round(values * 2.0**_FRACTION_BITS).astype(np.int64)


def walk_tables(grid: Grid, pad_px: int) -> tuple[npt.NDArray[np.int64], Float32Array]:
    """Return how rays walk through an image: int64 (angle, 4) and float32 (angle, 4).

    See ``project`` in projector.cl.
    """
    angles = grid.geometry.angles_rad
    flat = np.abs(np.sin(angles)) > np.abs(np.cos(angles))
    cosine = np.where(flat, np.sin(angles), np.cos(angles))
    sine = np.where(flat, np.cos(angles), np.sin(angles))
    first_x, first_y = grid.first_px
    column, row = np.where(flat, first_y, first_x), np.where(flat, first_x, first_y)
    start = (-grid.axis - row * sine) / cosine - column + pad_px
    walks = np.stack([start, 1 / cosine, -sine / cosine, flat / 2.0**_FRACTION_BITS], axis=1)
    rays = np.stack([1 / np.abs(cosine), sine, row, np.full_like(sine, -grid.axis)], axis=1)
    return _fixed(walks), rays.astype(np.float32)


def step_table(grid: Grid) -> npt.NDArray[np.int64]:
    """Return how the sample's index changes with the pixel, int64 (angle, 4); the last is unused.

    Per pixel to the right, per pixel down, at pixel [0, 0].
    """
    cosine, sine = np.cos(grid.geometry.angles_rad), np.sin(grid.geometry.angles_rad)
    first_x, first_y = grid.first_px
    start = first_x * cosine + first_y * sine + grid.axis
    return _fixed(np.stack([cosine, sine, start, np.zeros_like(start)], axis=1))


def chord_table(geometry: Geometry) -> npt.NDArray[np.int32]:
    """Return the run of pixels of each row inside the mask, half open, int32 (row, 2)."""
    height, width = geometry.shape_px
    spans = np.zeros((height, 2), dtype=np.int32)
    inside = np.ones((height, width), dtype=bool)
    if geometry.mask_radius_px is not None:
        r2 = geometry.x_px[None, :] ** 2 + geometry.y_px[:, None] ** 2
        inside = r2 <= geometry.mask_radius_px**2
    seen = inside.any(axis=1)
    spans[seen, 0] = inside[seen].argmax(axis=1)
    spans[seen, 1] = width - inside[seen][:, ::-1].argmax(axis=1)
    return spans
