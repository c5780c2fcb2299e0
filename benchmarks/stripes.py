"""Stripe removal against algotom: speed, equality, memory, and what each method does to a sinogram.

Prints a page of Markdown: ``python benchmarks/stripes.py > benchmarks/results/stripes.md``.
All take turns in one process. Wall times are medians over the rounds; "CPU" is the least time on
all cores together, which a busy machine changes less.
"""

import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from algotom.prep import removal

from tomobatch.cores import n_usable_cores
from tomobatch.stripes import vo
from tomobatch.stripes.removal import remove_stripes
from tomobatch.stripes.settings import StripeSettings, Tuning

SIZES = ((1500, 1024), (900, 512))
N_ROWS = 8
ROUNDS = 4
TUNING = Tuning()
WINDOWS = {
    "paper": {"large_window_px": TUNING.large_window_px, "small_window_px": TUNING.small_window_px},
    "by width": {},
}
SNR, LARGE, SMALL = TUNING.snr, TUNING.large_window_px, TUNING.small_window_px

Method = Callable[[np.ndarray], np.ndarray]
ALGOTOM: dict[str, Method] = {
    "sorting": lambda s: removal.remove_stripe_based_sorting(s, SMALL),
    "filtering": lambda s: removal.remove_stripe_based_filtering(s, 3, SMALL),
    "large": lambda s: removal.remove_large_stripe(s, SNR, LARGE),
    "dead": lambda s: removal.remove_dead_stripe(s, SNR, LARGE),
    "all": lambda s: removal.remove_all_stripe(s, SNR, LARGE, SMALL),
}
OURS = {
    "sorting": vo.sorting,
    "filtering": vo.filtering,
    "large": vo.large,
    "dead": vo.dead,
    "all": vo.everything,
}
# Radius, x, y of discs as shares of the width, and their attenuation times the width.
SPECIMENS = {
    "wide": ((0.35, 0.0, 0.0, 2.0), (0.1, 0.1, 0.1, 1.0), (0.05, -0.15, 0.05, 3.0)),
    "small": ((0.15, 0.0, 0.0, 2.0), (0.05, 0.05, 0.05, 4.0)),
}


def line_integrals(n_angles: int, n_columns: int, discs: tuple) -> np.ndarray:
    """Return exact line integrals (angle, x) of discs."""
    x = np.arange(n_columns) - (n_columns - 1) / 2
    theta = np.linspace(0, np.pi, n_angles, endpoint=False)[:, None]
    paths = np.zeros((n_angles, n_columns))
    for radius, x_0, y_0, density in discs:
        middle = n_columns * (x_0 * np.cos(theta) + y_0 * np.sin(theta))
        inside = np.clip((radius * n_columns) ** 2 - (x - middle) ** 2, 0, None)
        paths += 2 * density / n_columns * np.sqrt(inside)
    return paths


def measured(paths: np.ndarray, gain: float, strong: bool, rng: np.random.Generator) -> np.ndarray:
    """Return transmission float32 with photon noise (10^4 photons) and stripes."""
    n_columns = paths.shape[1]
    gains = rng.normal(1, gain, n_columns)
    if strong:
        gains[[n_columns * k // 16 for k in (5, 6, 8, 9)]] *= [1.1, 0.85, 0.5, 1.2]
    photons = rng.poisson(np.exp(-paths) * gains * 1e4) + rng.uniform(-0.5, 0.5, paths.shape)
    return np.clip(photons / 1e4, 1e-4, 10).astype(np.float32)


def peak_memory() -> str:
    """Return the memory the default method takes on top of a chunk that it works on in place."""
    rng = np.random.default_rng(0)
    sinograms = rng.random((32, 901, 1024), dtype=np.float32)
    settings = StripeSettings(method="all")
    remove_stripes(sinograms[:1, :64, :64].copy(), settings)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    remove_stripes(sinograms, settings, out=sinograms)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return (
        "Peak memory of `all` in place, 32 rows of 901 x 1024 (118 MB), "
        f"{n_usable_cores()} threads: {grown / 1e6:.0f} MB on top, "
        f"{grown / sinograms.nbytes:.2f} of the chunk."
    )


def timed(work: Callable[..., object], *arguments: object) -> tuple[float, float]:
    """Return the wall and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(*arguments)
    return time.perf_counter() - wall, time.process_time() - cpu


def summary(rounds: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the median of the wall times and the least of the CPU times."""
    wall, cpu = zip(*rounds, strict=True)
    return statistics.median(wall), min(cpu)


def speed(n_angles: int, n_columns: int) -> list[str]:
    """Return the rows of the table of one size."""
    paths = line_integrals(n_angles, n_columns, SPECIMENS["wide"])
    transmission = measured(paths, 0.01, True, np.random.default_rng(0))
    chunk = np.repeat(-np.log(transmission)[None], N_ROWS, axis=0)
    columns = np.ascontiguousarray(transmission.T)
    rows = []
    for name, algotoms in ALGOTOM.items():
        off = np.abs(OURS[name](columns, TUNING).T - algotoms(transmission))
        remove_stripes(chunk, StripeSettings(method=name, **WINDOWS["paper"]))
        peer, own = [], []
        for _ in range(ROUNDS):
            peer.append(timed(algotoms, transmission))
            own.append(timed(remove_stripes, chunk, name))
        peer_wall, peer_cpu = (1e3 * t for t in summary(peer))
        own_wall, own_cpu = (1e3 / N_ROWS * t for t in summary(own))
        ratio = statistics.median(a[0] / b[0] * N_ROWS for a, b in zip(peer, own, strict=True))
        rows.append(
            f"| {n_angles} x {n_columns} | {name} | {peer_wall:.0f} | {peer_cpu:.0f} "
            f"| {own_wall:.1f} | {own_cpu:.1f} | {ratio:.0f} | {peer_cpu / own_cpu:.0f} "
            f"| {np.median(off):.0e} | {np.mean(off > 2e-6):.1e} |"
        )
    return rows


def quality(specimen: str) -> list[str]:
    """Return the errors of the column means and of single readings, for each kind of stripes."""
    paths = line_integrals(720, 512, SPECIMENS[specimen])
    inside = paths.mean(axis=0) > 1e-3
    rows = []
    for label, gain, strong in (("none", 0.0, False), ("1%", 0.01, False), ("strong", 0.01, True)):
        sinogram = -np.log(measured(paths, gain, strong, np.random.default_rng(1)))
        cells = []
        for name in ("none", *ALGOTOM):
            for windows in WINDOWS.values():
                settings = StripeSettings(method=name, snr=SNR, **windows)
                error = (remove_stripes(sinogram[None], settings)[0] - paths)[:, inside]
                cells.append(f"{1e3 * error.mean(axis=0).std():.1f}")
                if name == "none":
                    break
        rows.append(f"| {specimen}, {label} | {' | '.join(cells)} |")
    return rows


def machine() -> str:
    """Describe the machine, and how busy it is."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {cpu}, {n_usable_cores()} cores, Python "
        f"{platform.python_version()}, numpy {np.__version__}, load {os.getloadavg()[0]:.1f}."
    )


def main() -> None:
    """Print the page."""
    memory = peak_memory()
    print(
        f"# Stripe removal\n\n{machine()}\n\n## Speed against algotom\n\n"
        f"ms a sinogram; ours for a chunk of {N_ROWS}, line integrals in and out, transposes and "
        "logarithms included; algotom one sinogram at a time. The last columns compare the "
        "results: median difference, and share of pixels that differ by more than 2e-6 (counted "
        "photons give equal values, and a sort may order those in any way).\n\n"
        "| angles x columns | method | algotom wall | CPU | ours wall | CPU | ratio wall | CPU "
        "| median off | share > 2e-6 |\n|---|---|---|---|---|---|---|---|---|---|"
    )
    for size in SIZES:
        print("\n".join(speed(*size)))
        sys.stdout.flush()
    print(f"\n## Memory\n\n{memory}\n\n## Quality\n")
    header = [f"{name} {width}" for name in ALGOTOM for width in ("51/21", "13/5")]
    print(
        "Standard deviation over the columns of the error of their mean, in 1e-3 of a line "
        "integral, behind the specimen; 512 columns, 720 angles, 10^4 photons. Sharp-edged discs "
        "are the hard case. Window widths (large/small) in px: Vo's, and those scaled to 512 "
        "columns.\n"
    )
    print(f"| specimen, stripes | untouched | {' | '.join(header)} |")
    print("|---" * (len(header) + 2) + "|")
    for specimen in SPECIMENS:
        print("\n".join(quality(specimen)))


if __name__ == "__main__":
    main()
