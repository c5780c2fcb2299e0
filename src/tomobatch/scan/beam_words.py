"""What the cone beam of a scan is, and what it needs and does not have, in words."""

from collections.abc import Iterator

import numpy as np

from tomobatch.beam import ConeBeam
from tomobatch.scan.header import ScanHeader

_STEEPEST_DEG = 5.0


def describe_beam(header: ScanHeader) -> str:
    """Say in one line what the cone beam of a scan is."""
    beam = header.beam
    if beam is None:
        return "parallel"
    off_px = beam.cor_px(header.n_cols) - (header.n_cols - 1) / 2
    return (
        f"cone, {beam.source_to_axis_mm:g} mm from source to axis and"
        f" {beam.source_to_detector_mm:g} mm to the detector: {beam.magnification:.4g} times"
        f" magnified, a voxel of {beam.voxel_um:.5g} um, rays up to"
        f" {beam.half_cone_deg(header.n_rows):.1f} degrees steep,"
        f" fan of {2 * np.rad2deg(beam.half_fan_rad(header.n_cols)):.1f} degrees,"
        f" axis {off_px:+.2f} px off the middle"
    )


def describe_whole_slices(header: ScanHeader, beam: ConeBeam) -> str:
    """Say which slices of a cone beam the detector sees whole."""
    first, stop = beam.whole_slices(header.n_rows, header.n_cols)
    return (
        f"slices {first} to {stop - 1} of 0 to {header.n_rows - 1}; in those beyond, the detector's"
        " last row stands for what it does not see"
    )


def cone_remarks(header: ScanHeader, beam: ConeBeam) -> Iterator[str]:
    """Remark on what a cone beam needs and does not have."""
    steepest_deg = beam.half_cone_deg(header.n_rows)
    if steepest_deg > _STEEPEST_DEG:
        yield (
            f"rays are up to {steepest_deg:.1f} degrees steep: grey values of the outermost slices"
            " come out too low, which no FDK avoids"
        )
    fan_deg = 2 * np.rad2deg(beam.half_fan_rad(header.n_cols))
    span_deg = np.rad2deg(np.ptp(header.angles_rad)) * (1 + 1 / max(header.n_projections - 1, 1))
    if span_deg < 180 + fan_deg - 1:
        yield (
            f"the angles span {span_deg:.4g} degrees: a cone beam needs half a turn and its fan,"
            f" {180 + fan_deg:.4g} degrees, or the sides of the slices are wrong"
        )
