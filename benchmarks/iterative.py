"""Iterations from few angles: errors beside filtered back-projection and ASTRA, and speed.

    python benchmarks/iterative.py [--write]

Needs astra-toolbox (requirements/bench.txt). Data are the exact line integrals of the Shepp-Logan
phantom, means over the detector's columns. ASTRA runs on its CPU projector ``linear``, which is
Joseph's as well. Times are of the loop alone, in one run and by turns, medians of the turns; ASTRA
computes one slice at a time on one core, tomobatch a block of 16 on all of them.
``--write`` puts the tables into benchmarks/results/iterative.md and docs/how-to/few-angles.md.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import astra
import numpy as np
from tests.reconstruct import shepp_logan

import tomobatch
from tomobatch.cores import n_usable_cores
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import METHODS
from tomobatch.reconstruct.settings import ReconstructSettings

ROOT = Path(__file__).parents[1]
N_PX = 256
HALF_TURN = np.arange(60) * np.pi / 60
WEDGE = np.arange(90) * np.pi / 180
DATA = {
    "60 angles": (HALF_TURN, 0.0),
    "60 angles, 1 % noise": (HALF_TURN, 0.01),
    "a wedge of 90° missing": (WEDGE, 0.0),
    "the same, 1 % noise": (WEDGE, 0.01),
}
METHODS_SHOWN = {
    "SIRT": {"method": "sirt"},
    "SIRT, not negative": {"method": "sirt", "non_negative": True},
    "CGLS, to the noise": {"method": "cgls", "residual": "noise", "iterations": 40},
    "TV": {"method": "tv"},
    "TV, not negative": {"method": "tv", "non_negative": True},
}
LANES, TURNS, ITERATIONS = 16, 5, 4


class Astra:
    """One slice of ASTRA's SIRT or CGLS, about the middle of the detector."""

    def __init__(self, name: str, sinogram: np.ndarray, angles: np.ndarray, **options) -> None:
        n_px = sinogram.shape[1]
        volume = astra.create_vol_geom(n_px, n_px)
        # Its y grows upwards, ours with the row.
        beam = astra.create_proj_geom("parallel", 1.0, n_px, -np.asarray(angles))
        config = astra.astra_dict(name)
        config["ProjectorId"] = astra.create_projector("linear", beam, volume)
        config["ProjectionDataId"] = astra.data2d.create("-sino", beam, sinogram)
        self.image = astra.data2d.create("-vol", volume, 0.0)
        config["ReconstructionDataId"] = self.image
        config["option"] = options
        self.algorithm = astra.algorithm.create(config)

    def run(self, n_iterations: int) -> np.ndarray:
        """Return the slice after so many iterations more."""
        astra.algorithm.run(self.algorithm, n_iterations)
        return astra.data2d.get(self.image)


def sinogram_of(angles: np.ndarray, noise: float) -> np.ndarray:
    """Return exact line integrals with noise of a share of the highest, float32 (angle, x)."""
    exact = shepp_logan.sinogram(N_PX, angles)
    noisy = exact + np.random.default_rng(0).normal(0, noise * exact.max(), exact.shape)
    return noisy.astype(np.float32)


def errors() -> dict[str, list[float]]:
    """Return root mean square errors inside the circle, by method, for all data."""
    truth, inside = shepp_logan.picture(N_PX), shepp_logan.disk(N_PX, 0.98)

    def rmse(image: np.ndarray) -> float:
        return float(np.sqrt(np.mean((image - truth)[inside] ** 2)))

    found: dict[str, list[float]] = {}
    for angles, noise in DATA.values():
        sinogram = sinogram_of(angles, noise)
        found.setdefault("FBP", []).append(rmse(tomobatch.fbp(sinogram, angles)[0]))
        for name, options in METHODS_SHOWN.items():
            made = tomobatch.iterate(sinogram, angles, **options)
            found.setdefault(name, []).append(rmse(made.slices[0]))
        for name, options in (
            ("SIRT on the whole square", {}),
            ("SIRT on the whole square, not negative", {"non_negative": True}),
        ):
            made = tomobatch.iterate(sinogram, angles, mask=False, **options)
            found.setdefault(name, []).append(rmse(made.slices[0]))
        found.setdefault("ASTRA SIRT", []).append(rmse(Astra("SIRT", sinogram, angles).run(100)))
        bounded = Astra("SIRT", sinogram, angles, MinConstraint=0.0).run(100)
        found.setdefault("ASTRA SIRT, not negative", []).append(rmse(bounded))
    return found


def own_s(name: str, n_px: int, n_angles: int) -> Callable[[], float]:
    """Return what times an iteration and slice of a method, in full blocks."""
    geometry = make_geometry(np.arange(n_angles) * np.pi / n_angles, n_px)
    device = find_device("cpu")
    rows = np.random.default_rng(0).random((LANES, n_angles, n_px), np.float32)
    cors, out = np.full(LANES, (n_px - 1) / 2), np.empty((LANES, n_px, n_px), np.float32)
    few, many = (
        METHODS[name].make(device, geometry, LANES, ReconstructSettings(method=name, iterations=n))
        for n in (1, 1 + ITERATIONS)
    )

    def timed() -> float:
        spent = []
        for engine in (few, many):
            start = time.perf_counter()
            engine(rows, cors, out)
            spent.append(time.perf_counter() - start)
        return (spent[1] - spent[0]) / (ITERATIONS * LANES)

    return timed


def astra_s(name: str, n_px: int, n_angles: int) -> Callable[[], float]:
    """Return what times an iteration and slice of ASTRA."""
    sinogram = np.random.default_rng(0).random((n_angles, n_px), np.float32)
    its = Astra(name, sinogram, np.arange(n_angles) * np.pi / n_angles)
    its.run(1)

    def timed() -> float:
        start = time.perf_counter()
        astra.algorithm.run(its.algorithm, 1)
        return time.perf_counter() - start

    return timed


def speeds() -> list[str]:
    """Return the lines of the table of times, and of the ratios of each turn."""
    lines = [
        "| | tomobatch SIRT | CGLS | TV | ASTRA SIRT | ASTRA CGLS | SIRT, ASTRA over tomobatch |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for n_px, n_angles in ((256, 60), (512, 90)):
        timers = [own_s(name, n_px, n_angles) for name in ("sirt", "cgls", "tv")]
        timers += [astra_s(name, n_px, n_angles) for name in ("SIRT", "CGLS")]
        for timer in timers:
            timer()
        times = 1e3 * np.array([[timer() for timer in timers] for _ in range(TURNS)])
        ratios = times[:, 3] / times[:, 0]
        cells = " | ".join(f"{value:.2f}" for value in np.median(times, axis=0))
        middle, least, most = np.median(ratios), ratios.min(), ratios.max()
        lines.append(
            f"| {n_px} px, {n_angles} angles | {cells} | {middle:.0f} ({least:.0f} to {most:.0f}) |"
        )
    return lines


def error_table(found: dict[str, list[float]], relative_to: str | None = None) -> list[str]:
    """Return the lines of a table of errors, or of shares of one method's."""
    base = np.array(found[relative_to]) if relative_to else np.ones(len(DATA))
    lines = ["| | " + " | ".join(DATA) + " |", "|---|" + "--:|" * len(DATA)]
    for name, values in found.items():
        form = "{:.2f}" if relative_to else "{:.4f}"
        cells = " | ".join(form.format(value) for value in np.array(values) / base)
        lines.append(f"| {name} | {cells} |")
    return lines


def main() -> None:
    """Print the tables, or write them where they are shown."""
    found = errors()
    shown = {name: values for name, values in found.items() if name in {"FBP", *METHODS_SHOWN}}
    shares = error_table(shown, "FBP")
    text = "\n".join(
        [
            "# Iterations from few angles",
            "",
            f"Made by `python benchmarks/iterative.py --write`, {datetime.now(UTC).date()},"
            f" {find_device('cpu').description}, {n_usable_cores()} CPUs; astra-toolbox"
            f" {astra.__version__}.",
            "",
            f"## Root mean square errors, {N_PX} px, default iterations",
            "",
            *error_table(found),
            "",
            "ASTRA knows no mask: its SIRT and ours on the whole square are the same to 1 % after"
            " as many iterations.",
            "",
            "## Milliseconds an iteration and slice",
            "",
            *speeds(),
            "",
        ]
    )
    print(text)
    if "--write" in sys.argv:
        (ROOT / "benchmarks/results/iterative.md").write_text(text, encoding="utf-8")
        page = ROOT / "docs/how-to/few-angles.md"
        before, mark, rest = page.read_text(encoding="utf-8").partition("<!-- errors -->\n")
        after = rest.partition("<!-- end -->")[2]
        table = "\n".join(shares)
        page.write_text(f"{before}{mark}{table}\n<!-- end -->{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
