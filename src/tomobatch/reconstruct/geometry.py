"""The geometry that all slices of a reconstruction share, and the weights of its angles.

A point (x, y), in detector pixels from the rotation axis, projects at the angle theta to
``t = x cos(theta) + y sin(theta)`` from the axis; x grows with the column of the slice, y with its
row. Where the axis falls on the detector (``cor_px``) may differ from row to row: the filter shifts
every row to a common axis, so that the rest of the work is the same for all slices.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.errors import UserError
from tomobatch.turn import FULL_TURN_RAD, HALF_TURN_RAD, covers_full_turn, typical_gap

# A gap this many times the typical one is a missing wedge: its two sides get the typical gap.
_WEDGE_GAP = 8.0


@dataclass(frozen=True)
class Roi:
    """A part of the slice, in its unbinned pixels: columns [x0, x0 + nx), rows [y0, y0 + ny)."""

    x0: int
    y0: int
    nx: int
    ny: int

    def __str__(self) -> str:
        return f"[{self.x0}, {self.y0}, {self.nx}, {self.ny}]"

    def upside_down(self, size_px: int, binning: int) -> "Roi":
        """Return the same part of a slice whose rows count from the other end.

        Rows that binning leaves over are dropped at the end of the part that was asked for.
        """
        used = self.ny - self.ny % binning
        return Roi(self.x0, size_px - self.y0 - used, self.nx, used)


@dataclass(frozen=True, eq=False)
class Geometry:
    """Everything about a reconstruction that all its slices share.

    Attributes
    ----------
    angles_rad : float64 (angle,)
        In the order of the projections.
    angle_weights : float64 (angle,)
        What each angle counts in the sum over angles; pi/n for n uniform angles over half a turn.
    n_cols : int
        Detector columns of a sinogram.
    size_px : int
        Columns and rows of the whole, unbinned slice (N).
    roi : Roi
        The part that is reconstructed.
    binning : int
        Output pixels are the mean of this many pixels each way.
    mask_radius_px : float or None
        Pixels whose centre is further from the axis are zero; None leaves all pixels.
    half_acquisition : bool
        Whether a full turn about an axis off the detector's centre is merged into a wider view.
    """

    angles_rad: Float64Array
    angle_weights: Float64Array
    n_cols: int
    size_px: int
    roi: Roi
    binning: int = 1
    mask_radius_px: float | None = None
    half_acquisition: bool = False

    @property
    def n_angles(self) -> int:
        """Number of projections."""
        return len(self.angles_rad)

    @property
    def shape_px(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        return self.roi.ny // self.binning, self.roi.nx // self.binning

    @property
    def first_x_px(self) -> float:
        """Position x of the centre of the output's first column, from the axis."""
        return self.roi.x0 + (self.binning - 1) / 2 - (self.size_px - 1) / 2

    @property
    def first_y_px(self) -> float:
        """Position y of the centre of the output's first row, from the axis."""
        return self.roi.y0 + (self.binning - 1) / 2 - (self.size_px - 1) / 2

    @property
    def x_px(self) -> Float64Array:
        """Positions of the output's columns from the axis, (nx // binning,)."""
        return self.first_x_px + self.binning * np.arange(self.shape_px[1], dtype=np.float64)

    @property
    def y_px(self) -> Float64Array:
        """Positions of the output's rows from the axis, (ny // binning,)."""
        return self.first_y_px + self.binning * np.arange(self.shape_px[0], dtype=np.float64)

    @property
    def reach_px(self) -> float:
        """Furthest distance from the axis, along the detector, that an output pixel projects to."""
        x = max(abs(self.x_px[0]), abs(self.x_px[-1]))
        y = max(abs(self.y_px[0]), abs(self.y_px[-1]))
        corner = math.hypot(x, y)
        return corner if self.mask_radius_px is None else min(corner, self.mask_radius_px)


def make_geometry(
    angles_rad: npt.ArrayLike,
    n_cols: int,
    *,
    size_px: int | None = None,
    roi: Roi | tuple[int, int, int, int] | None = None,
    binning: int = 1,
    mask: bool | float = True,
    half_acquisition: bool = False,
    cor_px: npt.ArrayLike | None = None,
) -> Geometry:
    """Return the geometry of a reconstruction, checked, with the angles' weights.

    Parameters
    ----------
    angles_rad : array_like (angle,)
        In any order, uniform or not, over half a turn or a full one.
    n_cols : int
        Detector columns.
    size_px : int, optional
        Columns and rows of the whole slice. Default: ``n_cols``; with half acquisition, what the
        longer side of the detector sees of every row.
    roi : Roi or (x0, y0, nx, ny), optional
        The part of the slice to reconstruct, in its pixels. Default: all of it.
    binning : int
        Output pixels are the mean of ``binning`` x ``binning`` pixels; what is left over at the end
        of a row or column is dropped.
    mask : bool or float
        True zeroes what lies outside the slice's inscribed circle, a number what lies further from
        its centre than that many pixels, False nothing.
    half_acquisition : bool
        Merge the two halves of a full turn into a view up to nearly twice the detector's width.
    cor_px : array_like, optional
        Centre of rotation, one value or one a row; needed by the default size of half acquisition.

    Raises
    ------
    UserError
        A value that makes no sense, named in the text.
    """
    angles = np.atleast_1d(np.asarray(angles_rad, dtype=np.float64))
    if angles.ndim != 1 or angles.size == 0 or not np.isfinite(angles).all():
        raise UserError("angles_rad: a list of finite numbers is needed, one for each projection")
    if n_cols < 2:
        raise UserError(f"sinogram: {n_cols} detector columns are too few, at least 2 are needed")
    if half_acquisition:
        _check_full_turn(angles)
    size = _default_size(n_cols, cor_px, half_acquisition) if size_px is None else size_px
    if size < 1:
        raise UserError(f"size_px: {size} is not a positive number of pixels")
    part = Roi(0, 0, size, size) if roi is None else Roi(*_astuple(roi))
    if min(part.x0, part.y0) < 0 or max(part.x0 + part.nx, part.y0 + part.ny) > size:
        raise UserError(f"roi_px: {part} is not inside a slice of {size} x {size} pixels")
    if min(part.nx, part.ny) < 1:
        raise UserError(f"roi_px: {part} has no pixels")
    if not 1 <= binning <= min(part.nx, part.ny):
        raise UserError(f"binning: {binning} does not fit a region of {part.nx} x {part.ny} pixels")
    return Geometry(
        angles_rad=angles,
        angle_weights=angle_weights(angles, FULL_TURN_RAD if half_acquisition else HALF_TURN_RAD),
        n_cols=n_cols,
        size_px=size,
        roi=part,
        binning=binning,
        mask_radius_px=_mask_radius_px(mask, size),
        half_acquisition=half_acquisition,
    )


def angle_weights(angles_rad: Float64Array, period_rad: float = HALF_TURN_RAD) -> Float64Array:
    """Return what each angle counts in the sum over angles, from the gaps to its neighbours.

    Each angle stands for half of the gap to the next angle on either side, on a circle of
    ``period_rad``: pi for parallel rays, which see the same after half a turn, or 2 pi for half
    acquisition. Angles that coincide share a weight, so a full turn, an end point taken twice and
    missing angles need no case of their own. A gap so wide that it is a missing wedge is not
    given to its two sides.

    Parameters
    ----------
    angles_rad : float64 (angle,)
        In any order.
    period_rad : float
        The weights sum to this where no wedge is missing.
    """
    folded = np.mod(angles_rad, period_rad)
    order = np.argsort(folded, kind="stable")
    sorted_rad = folded[order]
    gaps = np.diff(sorted_rad, append=sorted_rad[0] + period_rad)
    typical = typical_gap(gaps)
    gaps = np.where(gaps > _WEDGE_GAP * typical, typical, gaps)
    weights = np.empty_like(folded)
    weights[order] = (gaps + np.roll(gaps, 1)) / 2
    return weights


def default_cor_px(n_cols: int) -> float:
    """Centre of the detector, where the axis is assumed to be: (n - 1) / 2."""
    return (n_cols - 1) / 2


def _check_full_turn(angles_rad: Float64Array) -> None:
    if not covers_full_turn(angles_rad):
        span_deg = math.degrees(float(np.ptp(angles_rad)))
        raise UserError(
            f"half acquisition needs projections all around (360 degrees), these span"
            f" {span_deg:.1f} degrees; turn it off or check the angles"
        )


def _default_size(n_cols: int, cor_px: npt.ArrayLike | None, half_acquisition: bool) -> int:
    if not half_acquisition:
        return n_cols
    cor = np.asarray(default_cor_px(n_cols) if cor_px is None else cor_px, dtype=np.float64)
    longer_side = np.maximum(cor, n_cols - 1 - cor)
    return 2 * int(np.floor(longer_side.min())) + 1


def _mask_radius_px(mask: bool | float, size_px: int) -> float | None:
    if isinstance(mask, bool | np.bool_):
        return size_px / 2 if mask else None
    if not mask > 0:
        raise UserError(f"mask: a radius of {mask} px is not positive")
    return float(mask)


def _astuple(roi: Roi | tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return (roi.x0, roi.y0, roi.nx, roi.ny) if isinstance(roi, Roi) else roi
