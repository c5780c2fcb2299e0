"""The rays of a cone-beam scan as they walk through its slices, plane by plane."""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.reconstruct.cone.geometry import ConeGeometry
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.iterative.projector import make_grid

# A ray that passes so many pixels beside the mask's outermost ones shares in none of them.
_MARGIN_PIXELS = 2


@dataclass(frozen=True, eq=False)
class RayGrid:
    """The voxels that iterations work on, and every ray of the ideal detector.

    Slices are whole, whatever region is asked for. There are as many beyond the first and the last
    as rays of the detector's first and last rows cross behind the axis and before it.

    Attributes
    ----------
    cone : ConeGeometry
        Of whole slices.
    corner : (int, int)
        Row and column of the region's first pixel in them.
    region_px : (int, int)
        Rows and columns of the region.
    first_slice, stop_slice : int
        The slices, half open; slice k lies where row k sees the axis.
    """

    cone: ConeGeometry
    corner: tuple[int, int]
    region_px: tuple[int, int]
    first_slice: int
    stop_slice: int

    @property
    def slices(self) -> Geometry:
        """The geometry of a whole slice."""
        return self.cone.slices

    @property
    def side(self) -> int:
        """Pixels of a slice each way."""
        return self.slices.shape_px[0]

    @property
    def n_slices(self) -> int:
        """Slices in all."""
        return self.stop_slice - self.first_slice

    @property
    def rays_shape(self) -> tuple[int, int, int]:
        """Angles, columns and rows."""
        return self.slices.n_angles, self.slices.n_cols, self.cone.n_rows

    @property
    def centres_px(self) -> Float64Array:
        """Column and row of the principal point at each angle, (angle, 2)."""
        drift = self.cone.drift_px
        if self.cone.beam.is_turned:
            drift = np.zeros_like(drift)  # the projections were interpolated without it
        return np.asarray(self.cone.principal_px) + drift


@dataclass(frozen=True, eq=False)
class Walks:
    """How the rays of every column of the detector walk through the slices.

    A ray walks along the direction of the slice that it follows more closely, and meets one plane
    of pixels after the other.

    Attributes
    ----------
    place, place_step : float64 (angle, column)
        Index of the pixel across the walk in plane 0, and its change from one plane to the next.
    way, way_step : float64 (angle, column)
        Share of the way from the source to the detector at which plane 0 is met, and its change. A
        ray of the row v is as many slices above the source's plane as that times the rows between.
    length2, length2_a_row2 : float64 (angle, column)
        Square of a ray's length between two planes, in voxels, in the row of the principal point,
        and what the square of the rows from there adds to it, each.
    along_x : bool (angle, column)
        Whether planes are columns of the slice.
    first, stop : int64 (angle, column)
        Planes in which a ray is within the mask, half open.
    """

    place: Float64Array
    place_step: Float64Array
    way: Float64Array
    way_step: Float64Array
    length2: Float64Array
    length2_a_row2: Float64Array
    along_x: npt.NDArray[np.bool_]
    first: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]


def make_ray_grid(geometry: ConeGeometry) -> RayGrid:
    """Return the voxels around a region and above and below the slices asked for."""
    grid = make_grid(geometry.slices)
    cone = replace(geometry, slices=grid.geometry)
    farthest = 1 + cone.slices.reach_px / cone.source
    nearest = 1 - cone.slices.reach_px / cone.source
    plane = cone.principal_px[1]
    rows = np.array([0, cone.n_rows - 1]) - (plane + cone.drift_px[:, 1:])
    heights = plane + np.multiply.outer([nearest, farthest], rows)
    first, last = math.floor(heights.min()), math.ceil(heights.max())
    bounds = min(first, 0), max(last + 1, cone.n_rows)
    return RayGrid(cone, grid.corner, geometry.slices.shape_px, *bounds)


def make_walks(grid: RayGrid) -> Walks:
    """Return how all rays walk; see ``Walks``."""
    cone, slices = grid.cone, grid.slices
    cosine, sine = (f(slices.angles_rad)[:, None] for f in (np.cos, np.sin))
    u = np.arange(slices.n_cols) - grid.centres_px[:, :1]
    # From the source to the detector, in the plane of a slice.
    source_x = cone.source * sine - cone.beam.axis_shift_px * cosine
    source_y = -cone.source * cosine - cone.beam.axis_shift_px * sine
    way_x, way_y = u * cosine - cone.source * sine, u * sine + cone.source * cosine
    along_x = np.abs(way_x) > np.abs(way_y)
    pitch = slices.binning
    # "on" is the direction of the walk, "off" the one across.
    on, off = np.where(along_x, way_x, way_y), np.where(along_x, way_y, way_x)
    source_on = np.where(along_x, source_x, source_y)
    source_off = np.where(along_x, source_y, source_x)
    first_on = np.where(along_x, slices.first_x_px, slices.first_y_px)
    first_off = np.where(along_x, slices.first_y_px, slices.first_x_px)
    way, way_step = (first_on - source_on) / on, pitch / on
    first, stop = _planes(grid, source_x, source_y, way_x, way_y, way, way_step)
    aspect = cone.beam.row_pitch_mm / cone.beam.pixel_mm
    return Walks(
        place=(source_off + way * off - first_off) / pitch,
        place_step=way_step * off / pitch,
        way=way,
        way_step=way_step,
        length2=way_step**2 * (u**2 + cone.source**2),
        length2_a_row2=(way_step * aspect) ** 2,
        along_x=along_x,
        first=first,
        stop=stop,
    )


def _planes(
    grid: RayGrid,
    source_x: Float64Array,
    source_y: Float64Array,
    way_x: Float64Array,
    way_y: Float64Array,
    way: Float64Array,
    way_step: Float64Array,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the planes that a ray meets within the circle of all pixels, half open."""
    radius = grid.slices.reach_px + _MARGIN_PIXELS * grid.slices.binning
    way2 = way_x**2 + way_y**2
    nearest = -(source_x * way_x + source_y * way_y) / way2
    half2 = radius**2 - (source_x + nearest * way_x) ** 2 - (source_y + nearest * way_y) ** 2
    half = np.sqrt(np.maximum(half2, 0) / way2)
    ends = np.stack([nearest - half - way, nearest + half - way]) / way_step
    first = np.clip(np.floor(ends.min(axis=0)), 0, grid.side).astype(np.int64)
    stop = np.clip(np.ceil(ends.max(axis=0)) + 1, 0, grid.side).astype(np.int64)
    return first, np.where(half2 > 0, np.maximum(stop, first), first)
