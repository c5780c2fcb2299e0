"""The geometry of a cone-beam reconstruction: its slices, its beam, and the rows that they need.

Lengths are in voxels, a voxel being what a column of the detector covers on the axis; heights are
in slices, a slice being what a row covers there. So slice k lies where row k sees the axis.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.beam import ConeBeam
from tomobatch.errors import UserError
from tomobatch.reconstruct.fft import even_fast_length
from tomobatch.reconstruct.geometry import Geometry, Roi, angle_weights, make_geometry
from tomobatch.turn import FULL_TURN_RAD, HALF_TURN_RAD, typical_gap

# A detector whose middle is further from the axis than this share of its width sees one side only,
# so that opposite views are merged (RTK's displaced detector takes the same share).
_OFFSET_SHARE = 0.1
# A full circle has no gap wider than so many steps.
_WIDEST_GAP_STEPS = 4.0
# Rows beyond those of a slab that turned detectors are interpolated from.
_RESAMPLING_ROWS = 2


@dataclass(frozen=True, eq=False)
class ConeGeometry:
    """Everything about a cone-beam reconstruction that all its slices share.

    Attributes
    ----------
    slices : Geometry
        Pixels of a slice, with the angles in the sense of the beam's frame and their weights.
    beam : ConeBeam
        Where source, axis and detector are.
    n_rows : int
        Rows of the detector, and slices of the volume.
    span_rad : float or None
        Range of the angles of a short scan, with a step on either end shared; None for a full
        circle.
    merged : bool
        Whether the two sides of a full circle about an axis off the detector's middle are merged.
    drift_px : float64 (angle, 2)
        How far the principal point moves at each angle, in columns and rows.
    """

    slices: Geometry
    beam: ConeBeam
    n_rows: int
    span_rad: float | None
    merged: bool
    drift_px: Float64Array

    @property
    def source(self) -> float:
        """Distance from the source to the axis."""
        return self.beam.source_voxels

    @property
    def principal_px(self) -> tuple[float, float]:
        """Column and row of the principal point."""
        return self.beam.principal_px(self.n_rows, self.slices.n_cols)

    @property
    def cor_px(self) -> float:
        """Column where the axis is seen in the source's plane."""
        return self.beam.cor_px(self.slices.n_cols)

    @property
    def reach_px(self) -> tuple[int, int]:
        """First column that a pixel of a slice projects to, and one past the last; whole numbers.

        They may lie beyond the detector.
        """
        reach, shift = self.slices.reach_px, self.beam.axis_shift_px
        # The circle of that reach, seen from the source.
        distance = math.hypot(self.source, shift)
        middle, half = math.atan2(shift, self.source), math.asin(min(reach / distance, 0.999))
        u_px, _ = self.principal_px
        drifts = self.drift_px[:, 0]
        first = u_px + drifts.min() + self.source * math.tan(middle - half)
        last = u_px + drifts.max() + self.source * math.tan(middle + half)
        return math.floor(first) - 1, math.ceil(last) + 3

    @property
    def ring_px(self) -> int:
        """Length that columns are padded to, so that none meets a pixel around the end.

        The same for all slices, as blocks cannot differ by it.
        """
        first, stop = self.reach_px
        n_cols = self.slices.n_cols
        return even_fast_length(max(2 * n_cols, n_cols + max(stop, n_cols) - min(first, 0)))

    @property
    def magnifications(self) -> tuple[float, float]:
        """How large a voxel is seen against one on the axis: at the far end, and at the near."""
        reach = self.slices.reach_px
        return self.source / (self.source + reach), self.source / (self.source - reach)

    def rows_seen(self, start: int, stop: int) -> tuple[float, float]:
        """Return the lowest and highest row that the voxels of slices [start, stop) project to.

        On the detector that is parallel to the axis, whole rows not being rounded to.
        """
        _, v_px = self.principal_px
        far, near = self.magnifications
        low, high = start - v_px, stop - 1 - v_px
        drifts = self.drift_px[:, 1]
        first = v_px + low * (far if low > 0 else near) + drifts.min()
        last = v_px + high * (near if high > 0 else far) + drifts.max()
        return first, last

    def rows_needed(self, start: int, stop: int) -> tuple[int, int]:
        """Return the rows of the detector that slices [start, stop) are made of, half open.

        At least one row, the nearest, where the slices project to none of the detector.
        """
        first, last = self.rows_seen(start, stop)
        if self.beam.is_turned:
            first, last = self._turned_rows(first, last)
        low, high = math.floor(first), math.ceil(last) + 1
        low = min(max(low, 0), self.n_rows - 1)
        return low, max(min(max(high, 0), self.n_rows), low + 1)

    def _turned_rows(self, first: float, last: float) -> tuple[float, float]:
        """Return the rows of the turned detector that a band of the ideal one is resampled from."""
        u_px, v_px = self.principal_px
        left, right = self.reach_px
        left, right = max(left, 0), min(right, self.slices.n_cols)
        u, v = np.meshgrid([left - u_px, right - u_px], [first - v_px, last - v_px])
        rows = self.beam.on_detector(u, v)[1] + v_px
        return float(rows.min()) - _RESAMPLING_ROWS, float(rows.max()) + _RESAMPLING_ROWS


def make_cone_geometry(
    beam: ConeBeam,
    angles_rad: npt.ArrayLike,
    n_rows: int,
    n_cols: int,
    *,
    size_px: int | None = None,
    roi: Roi | tuple[int, int, int, int] | None = None,
    binning: int = 1,
    mask: bool | float = True,
    half_acquisition: bool | None = None,
) -> ConeGeometry:
    """Return the geometry of a cone-beam reconstruction, checked, with the angles' weights.

    Parameters
    ----------
    beam : ConeBeam
        Where source, axis and detector are.
    angles_rad : array_like (angle,)
        As the scan counts them, in any order: a full circle, or at least half a turn and the fan.
    n_rows, n_cols : int
        Size of the detector.
    size_px, roi, binning
        As of ``reconstruct.geometry.make_geometry``, in voxels.
    mask : bool or float
        True zeroes what the detector does not see at every angle.
    half_acquisition : bool, optional
        Merge opposite views or not, wherever the axis is; None where it is off the middle.

    Raises
    ------
    UserError
        Slices or angles that make no sense; a source inside of the slice.
    """
    angles = beam.sense * np.atleast_1d(np.asarray(angles_rad, dtype=np.float64))
    cor = beam.cor_px(n_cols)
    if not 0 <= cor <= n_cols - 1:
        raise UserError(
            f"cone beam: the axis is seen at column {cor:g}, outside the detector, 0 to"
            f" {n_cols - 1}; check the shifts of the detector and the axis"
        )
    full = is_full_circle(angles)
    wanted = is_offset(beam, n_cols) if half_acquisition is None else half_acquisition
    merged = full and wanted
    if half_acquisition and not full:
        raise UserError(
            "half acquisition needs projections all around (360 degrees), these span"
            f" {math.degrees(float(np.ptp(angles))):.1f} degrees; turn it off or check the angles"
        )
    if not isinstance(mask, bool | np.bool_):
        radius: bool | float = mask
    else:
        size = size_px if size_px is not None else n_cols * (2 if merged else 1)
        radius = min(size / 2, field_of_view_px(beam, n_cols, merged)) if mask else False
    slices = make_geometry(
        angles,
        n_cols,
        size_px=n_cols * (2 if merged else 1) if size_px is None else size_px,
        roi=roi,
        binning=binning,
        mask=radius,
    )
    slices = replace(slices, angle_weights=angle_weights(angles, FULL_TURN_RAD))
    if slices.reach_px >= 0.9 * beam.source_voxels:
        raise UserError(
            f"cone beam: the slices reach {slices.reach_px:.0f} px from the axis, the source is"
            f" {beam.source_voxels:.0f} px from it; give a smaller size_px, or check the distances"
        )
    span = None if full else _span_rad(angles)
    return ConeGeometry(slices, beam, n_rows, span, merged, beam.drifts(len(angles)))


def is_full_circle(angles_rad: Float64Array) -> bool:
    """Whether the angles go once around with no gap of more than a few steps."""
    ordered = np.sort(np.mod(angles_rad, FULL_TURN_RAD))
    gaps = np.diff(ordered, append=ordered[0] + FULL_TURN_RAD)
    return bool(gaps.max() <= _WIDEST_GAP_STEPS * typical_gap(gaps) + 1e-9)


def is_offset(beam: ConeBeam, n_cols: int) -> bool:
    """Whether the axis is so far off the detector's middle that one side of it sees more."""
    return abs(beam.cor_px(n_cols) - (n_cols - 1) / 2) > _OFFSET_SHARE * n_cols


def field_of_view_px(beam: ConeBeam, n_cols: int, merged: bool) -> float:
    """Return the radius of what is seen at every angle, or of what opposite views see together."""
    cor = beam.cor_px(n_cols)
    sides = cor + 0.5, n_cols - 0.5 - cor
    side = max(sides) if merged else min(sides)
    return beam.source_voxels * math.sin(math.atan(side / beam.source_voxels))


def _span_rad(angles_rad: Float64Array) -> float:
    """Return what a short scan covers: its range and a step, of which each end has half."""
    span = float(np.ptp(angles_rad))
    span += span / max(len(angles_rad) - 1, 1)
    if span < HALF_TURN_RAD:
        raise UserError(
            f"cone beam: the angles span {math.degrees(span):.1f} degrees; a cone beam needs half a"
            " turn and the angle of its fan, or a full turn: check datasets.angle_range_deg"
        )
    return span
