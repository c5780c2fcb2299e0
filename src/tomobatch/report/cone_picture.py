"""What a report shows of a cone beam: its geometry as a picture, and its own figures."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tomobatch.beam import ConeBeam
from tomobatch.report.pictures import ACCENT, FAINT, INK, WARN, as_svg
from tomobatch.scan.header import ScanHeader

FALL_A_DEGREE = 0.001
"""Of the body's density, by which grey values fall for every degree that rays are steep: 0.0048 at
5 and 0.0102 at 10 degrees (benchmarks/results/cone.md); any FDK's."""
_STEEP_DEG = 5.0


def cone_facts(header: ScanHeader, beam: ConeBeam, *, by_fdk: bool = True) -> dict[str, str]:
    """Return the figures of a cone beam, in words; FDK's own where slices are made by it."""
    steepest = beam.half_cone_deg(header.n_rows)
    first, stop = beam.whole_slices(header.n_rows, header.n_cols)
    turned = f"roll {beam.roll_deg:+.3f}°, tilt {beam.tilt_deg:+.3f}°, slant {beam.slant_deg:+.3f}°"
    facts = {
        "Source to axis, to detector": f"{beam.source_to_axis_mm:g} mm,"
        f" {beam.source_to_detector_mm:g} mm",
        "Magnification": f"{beam.magnification:.4g}: a pixel of {1e3 * beam.pixel_mm:g} µm is a"
        f" voxel of {beam.voxel_um:.5g} µm",
        "Steepest ray": f"{steepest:.1f}°",
        "Fan": f"{2 * np.rad2deg(beam.half_fan_rad(header.n_cols)):.1f}°",
        "Source's normal on the detector": f"{beam.shift_u_px:+.2f} columns and"
        f" {beam.shift_v_px:+.2f} rows from its middle",
        "Axis from that normal": f"{beam.axis_shift_px:+.2f} columns",
        "Detector": turned,
        "Seen whole": f"slices {first} to {stop - 1} of 0 to {header.n_rows - 1}",
    }
    if by_fdk:
        facts["FDK's fall"] = (
            f"up to {100 * FALL_A_DEGREE * steepest:.1f} % of the body's density, in the outermost"
            " slices"
        )
    if beam.drift_px:
        moved = np.ptp(np.asarray(beam.drift_px), axis=0)
        facts["Moves between projections"] = f"{moved[0]:.2f} columns, {moved[1]:.2f} rows"
    return facts


def cone_picture(header: ScanHeader, beam: ConeBeam, *, by_fdk: bool = True) -> str:
    """Draw the cone from the side, and how steep the rays through every slice are."""
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    side, steep = figure.subplots(1, 2, width_ratios=(3, 2))
    _draw_side(side, header, beam)
    _draw_steepness(steep, header, beam)
    if by_fdk:
        _draw_fall(steep)
    for axes in (side, steep):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.xaxis.label.set_fontsize(9)
        axes.yaxis.label.set_fontsize(9)
    return as_svg(figure)


def _draw_side(axes: Axes, header: ScanHeader, beam: ConeBeam) -> None:
    """Draw source, slices and detector as seen along the columns; rows count downwards."""
    near, far = beam.source_to_axis_mm, beam.source_to_detector_mm
    _, plane = beam.principal_px(header.n_rows, header.n_cols)
    top, bottom = ((row - plane) * beam.row_pitch_mm for row in (-0.5, header.n_rows - 0.5))
    radius = near * np.sin(beam.half_fan_rad(header.n_cols))
    first, stop = beam.whole_slices(header.n_rows, header.n_cols)
    height = beam.row_pitch_mm / beam.magnification
    axes.fill([0, far, far], [0, top, bottom], color=FAINT, alpha=0.25)
    for low, high, colour in (
        (top / beam.magnification, bottom / beam.magnification, WARN),
        ((first - 0.5 - plane) * height, (stop - 0.5 - plane) * height, ACCENT),
    ):
        corners = [near - radius, near + radius, near + radius, near - radius]
        axes.fill(corners, [low, low, high, high], color=colour)
    axes.plot([0, far], [0, 0], color=INK, linewidth=0.8, linestyle=":")
    axes.plot([near, near], [1.15 * top / beam.magnification, 1.15 * bottom / beam.magnification],
              color=INK, linewidth=1, linestyle="-.")  # fmt: skip
    tilt = np.sin(np.deg2rad(beam.tilt_deg))
    axes.plot([far + top * tilt, far + bottom * tilt], [top, bottom], color=INK, linewidth=2.5)
    axes.plot([0], [0], marker="o", color=INK, markersize=5)
    for place, text in ((0, "source"), (near, "axis"), (far, "detector")):
        axes.annotate(text, (place, bottom), (0, -2), textcoords="offset points", fontsize=8,
                      ha="center", va="top")  # fmt: skip
    axes.set_ylim(bottom * 1.15 if bottom > 0 else 1, top * 1.05 if top < 0 else -1)
    axes.set_xlim(-0.05 * far, 1.08 * far)
    axes.set(xlabel="along the beam (mm)", ylabel="height (mm)")


def _draw_steepness(axes: Axes, header: ScanHeader, beam: ConeBeam) -> None:
    """Draw the angle of the rays to each slice on the axis."""
    _, plane = beam.principal_px(header.n_rows, header.n_cols)
    slices = np.arange(header.n_rows)
    height = (slices - plane) * beam.row_pitch_mm / beam.source_to_detector_mm
    degrees = np.abs(np.rad2deg(np.arctan(height)))
    first, stop = beam.whole_slices(header.n_rows, header.n_cols)
    axes.plot(slices, degrees, color=FAINT, linewidth=1.4, label="seen in part")
    whole = slice(first, stop)
    axes.plot(slices[whole], degrees[whole], color=ACCENT, linewidth=1.8, label="seen whole")
    if degrees.max() > _STEEP_DEG:
        axes.axhline(_STEEP_DEG, color=WARN, linestyle="--", linewidth=1)
    axes.set_ylim(0, 1.1 * max(float(degrees.max()), 0.1))
    axes.set(xlabel="slice", ylabel="steepness of its rays (degrees)")
    axes.legend(frameon=False, fontsize=8)


def _draw_fall(axes: Axes) -> None:
    """Write beside the steepness of rays what it costs: the same scale in other words."""
    lost = axes.twinx()
    lost.set_ylim(0, 100 * FALL_A_DEGREE * axes.get_ylim()[1])
    lost.spines["top"].set_visible(False)
    lost.set_ylabel("grey values too low by (%)", fontsize=9)
    lost.tick_params(labelsize=8)
