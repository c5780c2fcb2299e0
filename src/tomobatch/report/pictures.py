"""The curves of a report, as SVG inside the page."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tomobatch.calibrate.calibration import Calibration
from tomobatch.records.summary import StepTime
from tomobatch.report.content import Image
from tomobatch.report.convergence import ScanConvergence

INK, ACCENT, WARN, FAINT = "#1c2733", "#0f6e84", "#c2410c", "#94a3b8"


def cor_curve(calibration: Calibration) -> str:
    """Draw the centre of rotation of every row, the fitted line and the rejected rows."""
    with _figure(6.4, 3.2) as (figure, axes):
        for is_used, marker, colour, label in (
            (True, ".", ACCENT, "rows used"),
            (False, "x", WARN, "rows rejected"),
        ):
            points = [
                (row.row, row.cors_px[calibration.method])
                for row in calibration.rows
                if row.is_used == is_used and calibration.method in row.cors_px
            ]
            if points:
                rows, cors_px = zip(*points, strict=True)
                axes.scatter(rows, cors_px, s=18, marker=marker, color=colour, label=label)
        ends = np.array([0, calibration.n_rows - 1])
        line = calibration.cor_px(ends)
        axes.plot(ends, line, color=INK, linewidth=1.2, label="line used")
        margin = max(1.5, 1.5 * float(np.ptp(line)))
        axes.set_ylim(line.min() - margin, line.max() + margin)
        axes.set(xlabel="detector row", ylabel="centre of rotation (px)")
        axes.legend(frameon=False, fontsize=8)
    return as_svg(figure)


def grey_histogram(
    edges: npt.NDArray[np.float64], counts: Sequence[int], window: tuple[float, float], unit: str
) -> str:
    """Draw the histogram of grey values with the grey window."""
    with _figure(6.4, 3.2) as (figure, axes):
        axes.stairs(counts, edges, fill=True, color=FAINT)
        axes.set_yscale("log")
        low, high = window
        for value in window:
            axes.axvline(value, color=WARN, linewidth=1.2)
        margin = 0.4 * (high - low)
        axes.set_xlim(low - margin, high + margin)
        axes.set(xlabel=f"attenuation ({unit})", ylabel="voxels looked at")
    return as_svg(figure)


def step_bars(times: Sequence[StepTime]) -> str:
    """Draw when each step ran and how long."""
    with _figure(11, 0.6 + 0.36 * len(times)) as (figure, axes):
        start = min(time.first_started for time in times)
        for place, time in enumerate(times):
            begin_s = (time.first_started - start).total_seconds()
            axes.barh(place, time.elapsed_s, left=begin_s, height=0.6, color=ACCENT)
            label = f" {time.elapsed_s:.1f} s, {time.n_jobs} job{'s' * (time.n_jobs != 1)}"
            axes.text(begin_s + time.elapsed_s, place, label, va="center", fontsize=8)
        axes.set_yticks(range(len(times)), [time.step.replace("_", " ") for time in times])
        axes.invert_yaxis()
        axes.margins(x=0.16)
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds since the first job started")
    return as_svg(figure)


def device_timeline(timeline: dict[str, Any]) -> str:
    """Draw when the blocks of one reconstruct job were read, computed and written."""
    stages = ("read", "prepare", "compute", "write")
    with _figure(11, 2.2) as (figure, axes):
        for span in timeline["spans"]:
            place = stages.index(span["stage"])
            width_s = span["stop_s"] - span["start_s"]
            colour = ACCENT if span["stage"] == "compute" else FAINT
            axes.barh(place, width_s, left=span["start_s"], height=0.6, color=colour, ec="white")
        axes.set_yticks(range(len(stages)), stages)
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds since the job began to read")
    return as_svg(figure)


def convergence_curve(found: ScanConvergence) -> str:
    """Draw what is left of the projections after every iteration, beside what their noise is."""
    with _figure(6.4, 3.2) as (figure, axes):
        steps = np.arange(found.residuals.shape[1])
        least, middle, greatest = found.residuals
        axes.fill_between(steps, least, greatest, color=FAINT, alpha=0.5, label="all slices")
        axes.plot(steps, middle, color=ACCENT, linewidth=1.4, label="median slice")
        if found.noise > 0:
            axes.axhline(found.noise, color=WARN, linestyle="--", linewidth=1, label="noise alone")
        if least.min() > 0:
            axes.set_yscale("log")
        axes.set(xlabel="iterations", ylabel="residual, of the projections")
        axes.legend(frameon=False, fontsize=8)
    return as_svg(figure)


def drift_map(change: Image) -> bytes:
    """Draw how the flats changed over the detector, in percent."""
    with _figure(6.4, 2.6) as (figure, axes):
        largest = max(0.1, float(np.abs(change).max()) * 100)
        shown = axes.imshow(change * 100, cmap="RdBu_r", vmin=-largest, vmax=largest, aspect="auto")
        axes.set(xticks=[], yticks=[], xlabel="detector, in blocks")
        figure.colorbar(shown, label="change of the flats (%)")
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    return file.getvalue()


@contextmanager
def _figure(width_in: float, height_in: float) -> Iterator[tuple[Figure, Axes]]:
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)
    yield figure, axes


def as_svg(figure: Figure) -> str:
    """Return a figure as an element for a page."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]
