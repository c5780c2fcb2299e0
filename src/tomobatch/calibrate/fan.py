"""Rows of a cone beam as a parallel beam would have seen them, and the beam that calibration finds.

In the source's plane the ray at the fan angle g and the source's angle b is the parallel ray at the
angle b - g, ``D sin g`` from the axis, so that every method for parallel rays serves. A wrong first
guess of the axis, by d columns, turns the rebinned sinogram and moves its axis by d, to second
order. Rows above and below are taken as if they lay in that plane: two opposite rays are then not
the same, but the mean of all angles stays mirrored about the axis, so that the axis does not move.
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.line import Line
from tomobatch.compiled import compiled
from tomobatch.turn import FULL_TURN_RAD, around, covers_full_turn

Row = NDArray[np.float32]
Floats = NDArray[np.float64]

# A roll that moves no pixel by more is not corrected: interpolation would cost more than it gains.
NEGLIGIBLE_PX = 0.15


def to_parallel(
    row: Row, angles_rad: Floats, source_px: float, cor_px: float, normal_px: float
) -> tuple[Row, Floats]:
    """Return a row rebinned to parallel rays, (angle, x), and its angles.

    Parameters
    ----------
    row
        Sinogram of one row of a cone beam, shape (angle, x), float32.
    angles_rad
        Of the source in the sense of the beam's frame, rising, over one turn.
    source_px
        Distance from the source to the detector in columns.
    cor_px
        Column of the axis, as far as it is known.
    normal_px
        Column where the normal of the detector comes from the source. A detector that is not
        square to the ray through the axis stretches one side of the fan: to second order in its
        angles that is a shift.
    """
    from_axis = np.arange(row.shape[1]) - cor_px
    beside_px = cor_px - normal_px
    distance_px = math.hypot(source_px, beside_px)
    fan_rad = np.arcsin(np.clip(from_axis / distance_px, -0.99, 0.99))
    columns = normal_px + source_px * np.tan(fan_rad + math.atan2(beside_px, source_px))
    places = np.arange(len(angles_rad), dtype=np.float64)
    if covers_full_turn(angles_rad):
        before = angles_rad - FULL_TURN_RAD, places - len(places)
        after = angles_rad + FULL_TURN_RAD, places + len(places)
        known = np.concatenate([before[0], angles_rad, after[0]])
        at = np.concatenate([before[1], places, after[1]])
        angles = angles_rad
    else:
        widest = float(np.abs(fan_rad).max())
        inside = (angles_rad >= angles_rad[0] + widest) & (angles_rad <= angles_rad[-1] - widest)
        known, at, angles = angles_rad, places, angles_rad[inside]
    wanted = angles[:, None] + fan_rad[None, :]
    positions = np.interp(wanted, known, at)
    out = np.empty((len(angles), row.shape[1]), dtype=np.float32)
    _gather(row, positions, columns, out)
    return out, angles


def rows_to_parallel(
    sinograms: Row, angles_rad: Floats, cor_px: float, beam: ConeBeam
) -> tuple[Row, Floats]:
    """Return rows (y, angle, x) as parallel rays would have made them, and their angles.

    A column of the detector stays one column, and a stripe in it a stripe. Rows whose angles span
    less than their fan stay as they are. The angles are those of the scan, in any order.
    """
    order, rising = around(beam.sense * angles_rad)
    ordered = sinograms if order is None else sinograms[:, order]
    normal_px, _ = beam.principal_px(1, sinograms.shape[2])
    fan = beam.source_voxels, cor_px, normal_px
    rebinned = [to_parallel(one, rising, *fan) for one in ordered]
    angles = rebinned[0][1]
    if len(angles) < 2:
        return sinograms, angles_rad
    return np.stack([row for row, _ in rebinned]), angles


def steady(row: Row, beam: ConeBeam) -> Row:
    """Return a row (angle, x) as it would be if the focal spot had not drifted along it."""
    if not beam.drift_px:
        return row
    columns = np.arange(row.shape[1], dtype=np.float64)
    across = beam.drifts(len(row))[:, 0]
    moved = [np.interp(columns + u, columns, one) for u, one in zip(across, row, strict=True)]
    return np.stack(moved).astype(np.float32)


@compiled
def _gather(row: Row, positions: Floats, columns: Floats, out: Row) -> None:
    """Interpolate between angles (around the turn) and between columns (the outermost beyond)."""
    n_angles, n_x = row.shape
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            low = math.floor(positions[i, j])
            part = positions[i, j] - low
            u = min(max(columns[j], 0.0), n_x - 1.000001)
            left = math.floor(u)
            share = u - left
            one, two = row[low % n_angles], row[(low + 1) % n_angles]
            first = one[left] + share * (one[left + 1] - one[left])
            second = two[left] + share * (two[left + 1] - two[left])
            out[i, j] = first + part * (second - first)


def calibrated_beam(
    beam: ConeBeam, line: Line, n_rows: int, n_cols: int, source_row_px: float | None = None
) -> ConeBeam:
    """Return the beam with the axis, the roll and the row that a calibration has settled on.

    Parameters
    ----------
    beam
        As the scan states it; its roll stays where the rows do not tell.
    line
        Column of the axis by row of the detector.
    n_rows, n_cols
        Size of the detector.
    source_row_px
        The row in the source's plane; None for the one of the beam.
    """
    if source_row_px is not None:
        beam = replace(beam, shift_v_px=source_row_px - (n_rows - 1) / 2)
    _, plane = beam.principal_px(n_rows, n_cols)
    settled = beam.with_axis(float(line.at(np.array([plane]))[0]), n_cols)
    if line.slope == 0 and line.slope_sigma is None:
        return settled
    roll_rad = math.atan(line.slope * beam.pixel_mm / beam.row_pitch_mm)
    moved_px = max(n_rows, n_cols) / 2 * abs(math.sin(roll_rad))
    return replace(settled, roll_deg=0.0 if moved_px < NEGLIGIBLE_PX else math.degrees(roll_rad))
