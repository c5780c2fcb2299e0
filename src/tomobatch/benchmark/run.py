"""Measure a device part by part within a time, and keep what came of it: as JSON and as a page."""

import json
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

import tomobatch
from tomobatch.benchmark.figures import FAILURES, PARTS, Figure
from tomobatch.benchmark.fitting import Costs, fit
from tomobatch.cores import n_usable_cores
from tomobatch.errors import UserError
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.methods import METHODS
from tomobatch.reconstruct.model import find_gpu

MOST_S = 420.0
"""When no further figure is begun: with the last one it ends below eight minutes."""

LEAST_PX = 32


@dataclass
class Benchmark:
    """What was measured of a device.

    Attributes
    ----------
    device, machine, measured
        Its description; what it stands in, and when.
    gpu
        The one whose model the figures are held against; empty for a CPU.
    checks
        What ``doctor`` found, as plain JSON values.
    parts
        Figures by part.
    costs
        The device's row of the cost table: nanoseconds by method, lanes and term.
    fits
        Least and greatest ratio of fitted and measured times, by method.
    left_out
        What there was no time for.
    """

    device: str
    machine: str
    measured: str
    gpu: str
    size_px: int
    checks: dict[str, Any]
    parts: dict[str, list[Figure]] = field(default_factory=dict)
    costs: dict[str, dict[str, Costs]] = field(default_factory=dict)
    fits: dict[str, tuple[float, float]] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def cost_row(self) -> dict[str, Any]:
        """What ``costs.json`` takes of it."""
        words = f"{self.measured}, tomobatch doctor --benchmark, {self.device}, {self.machine}"
        return {"measured": words, "nanoseconds": self.costs}

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "cost_row": self.cost_row}


def measure(
    device: Device,
    checks: dict[str, Any],
    size_px: int = 2048,
    *,
    most_s: float = MOST_S,
    say: Callable[[str], None] = lambda line: None,
) -> Benchmark:
    """Measure a device.

    Parameters
    ----------
    device
        Where.
    checks
        What ``doctor`` found of it.
    size_px
        The largest slice.
    most_s
        When no further figure is begun; what is left out is named.
    say
        Takes a line as soon as there is one.
    """
    found = Benchmark(
        device=device.description,
        machine=f"{platform.machine()}, {n_usable_cores()} CPUs, tomobatch {tomobatch.__version__}",
        measured=datetime.now(UTC).date().isoformat(),
        gpu=find_gpu(device.cl_device.name).name if device.kind == "gpu" else "",
        size_px=size_px,
        checks=checks,
    )
    start = time.perf_counter()

    def is_over() -> bool:
        return time.perf_counter() - start > most_s

    _fit_costs(device, found, is_over, say)
    for name, part in PARTS.items():
        figures = found.parts[name] = []
        rest = part(device, size_px)
        while not is_over():
            try:
                figure = next(rest, None)
            except FAILURES as error:
                figure = Figure(name, None, "", problem=str(error).splitlines()[0])
            if figure is None:
                break
            figures.append(figure)
            say(f"{name}: {spell(figure)}")
        else:
            found.left_out.append(f"{name}: what is not listed, for want of time")
    found.took_s = time.perf_counter() - start
    return found


def _fit_costs(
    device: Device, found: Benchmark, is_over: Callable[[], bool], say: Callable[[str], None]
) -> None:
    """Fit the rows of full blocks, by which chunks are planned."""
    for name, method in METHODS.items():
        if is_over():
            found.left_out.append(f"cost table: {name}")
            continue
        lanes = method.lanes[0]
        costs, found.fits[name] = fit(device, name, lanes, found.size_px)
        found.costs[name] = {str(lanes): costs}
        low, high = found.fits[name]
        say(f"cost table, {name}: {costs} ns, expected over measured {low:.2f} to {high:.2f}")


def spell(figure: Figure) -> str:
    """Return a figure as a line."""
    if figure.value is None:
        return f"{figure.what}: {figure.problem}"
    model = "" if figure.model is None else f" (model {figure.model:.3g})"
    return f"{figure.what}: {figure.value:.3g} {figure.unit}{model}"


def check_target(path: Path) -> None:
    """Refuse a file that could not be written at the end.

    Raises
    ------
    UserError
        Another ending than .json; no such folder.
    """
    if path.suffix != ".json":
        raise UserError(f"--benchmark {path}: give a file that ends in .json; the page lies beside")
    if not path.parent.is_dir():
        raise UserError(f"--benchmark {path}: there is no folder {path.parent}: make it first")


def page_of(path: Path) -> Path:
    """Return the page that lies beside a JSON file."""
    return path.with_suffix(".html")


def write(found: Benchmark, path: Path) -> Path:
    """Write the JSON file, and beside it the page, whose path is returned."""
    environment = Environment(
        loader=PackageLoader("tomobatch.benchmark", "."),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
    )
    page = page_of(path)
    page.write_text(
        environment.get_template("page.html").render(found=found, widths=_widths(found)),
        encoding="utf-8",
    )
    path.write_text(json.dumps(found.to_dict(), indent=1) + "\n", encoding="utf-8")
    return page


def _widths(found: Benchmark) -> dict[tuple[str, str], float]:
    """Return the value that fills a bar, by part and unit."""
    widths: dict[tuple[str, str], float] = {}
    for name, figures in found.parts.items():
        for figure in figures:
            at = name, figure.unit
            widths[at] = max(widths.get(at, 1e-9), figure.value or 0.0)
    return widths
