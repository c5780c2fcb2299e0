"""The pictures of a report: images as PNG, curves as SVG, both inside the page."""

import base64
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

_INK, _ACCENT, _WARN, _FAINT = "#1c2733", "#0f6e84", "#c2410c", "#94a3b8"
_LARGEST_PX = 900


def image_png(image: Image, window: tuple[float, float]) -> bytes:
    """Return an image as an 8-bit grey PNG, shrunk by averaging to at most 900 px a side."""
    return _encoded(image, window, _LARGEST_PX, "PNG", optimize=True)


def image_jpeg(image: Image, window: tuple[float, float], largest_px: int) -> bytes:
    """Return an image as an 8-bit grey JPEG, shrunk by averaging to so many pixels a side."""
    return _encoded(image, window, largest_px, "JPEG", quality=80)


def data_uri(picture: bytes, kind: str = "png") -> str:
    """Return a PNG or JPEG as the address of an image inside the page."""
    return f"data:image/{kind};base64," + base64.b64encode(picture).decode()


def percentile_window(image: Image, low: float = 0.5, high: float = 99.5) -> tuple[float, float]:
    """Return the grey window that leaves out the few darkest and brightest pixels."""
    bottom, top = np.percentile(image, (low, high))
    return float(bottom), float(top)


def cor_curve(calibration: Calibration) -> str:
    """Draw the centre of rotation of every row, the fitted line and the rejected rows."""
    with _figure(6.4, 3.2) as (figure, axes):
        for is_used, marker, colour, label in (
            (True, ".", _ACCENT, "rows used"),
            (False, "x", _WARN, "rows rejected"),
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
        axes.plot(ends, line, color=_INK, linewidth=1.2, label="line used")
        margin = max(1.5, 1.5 * float(np.ptp(line)))
        axes.set_ylim(line.min() - margin, line.max() + margin)
        axes.set(xlabel="detector row", ylabel="centre of rotation (px)")
        axes.legend(frameon=False, fontsize=8)
    return _svg(figure)


def grey_histogram(
    edges: npt.NDArray[np.float64], counts: Sequence[int], window: tuple[float, float], unit: str
) -> str:
    """Draw the histogram of grey values with the grey window."""
    with _figure(6.4, 3.2) as (figure, axes):
        axes.stairs(counts, edges, fill=True, color=_FAINT)
        axes.set_yscale("log")
        low, high = window
        for value in window:
            axes.axvline(value, color=_WARN, linewidth=1.2)
        margin = 0.4 * (high - low)
        axes.set_xlim(low - margin, high + margin)
        axes.set(xlabel=f"attenuation ({unit})", ylabel="voxels looked at")
    return _svg(figure)


def step_bars(times: Sequence[StepTime]) -> str:
    """Draw when each step ran and how long."""
    with _figure(11, 0.6 + 0.36 * len(times)) as (figure, axes):
        start = min(time.first_started for time in times)
        for place, time in enumerate(times):
            begin_s = (time.first_started - start).total_seconds()
            axes.barh(place, time.elapsed_s, left=begin_s, height=0.6, color=_ACCENT)
            label = f" {time.elapsed_s:.1f} s, {time.n_jobs} job{'s' * (time.n_jobs != 1)}"
            axes.text(begin_s + time.elapsed_s, place, label, va="center", fontsize=8)
        axes.set_yticks(range(len(times)), [time.step.replace("_", " ") for time in times])
        axes.invert_yaxis()
        axes.margins(x=0.16)
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds since the first job started")
    return _svg(figure)


def device_timeline(timeline: dict[str, Any]) -> str:
    """Draw when the blocks of one reconstruct job were read, computed and written."""
    stages = ("read", "prepare", "compute", "write")
    with _figure(11, 2.2) as (figure, axes):
        for span in timeline["spans"]:
            place = stages.index(span["stage"])
            width_s = span["stop_s"] - span["start_s"]
            colour = _ACCENT if span["stage"] == "compute" else _FAINT
            axes.barh(place, width_s, left=span["start_s"], height=0.6, color=colour, ec="white")
        axes.set_yticks(range(len(stages)), stages)
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds since the job began to read")
    return _svg(figure)


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


def _encoded(
    image: Image,
    window: tuple[float, float],
    largest_px: int,
    form: str,
    **options: Any,  # noqa: ANN401 - what Pillow takes
) -> bytes:
    from PIL import Image as PillowImage

    factor = max(1, -(-max(image.shape) // largest_px))
    low, high = window
    shown = np.clip((_binned(image, factor) - low) / max(high - low, 1e-30), 0, 1)
    file = io.BytesIO()
    PillowImage.fromarray(np.round(shown * 255).astype(np.uint8)).save(file, form, **options)
    return file.getvalue()


def _svg(figure: Figure) -> str:
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    text = file.getvalue()
    return text[text.index("<svg") :]


def _binned(image: Image, factor: int) -> Any:  # noqa: ANN401 - numpy cannot say more
    if factor == 1:
        return image
    height, width = (size - size % factor for size in image.shape)
    blocks = image[:height, :width].reshape(height // factor, factor, width // factor, factor)
    return blocks.mean(axis=(1, 3))
