"""Normalisation against numpy and numba: speed, equality, start-up, and what it finds.

Prints a page of Markdown: ``python benchmarks/normalise.py > benchmarks/results/normalise.md``.
All take turns in one process. Wall times are medians over the rounds; "CPU" is the least time on
all cores together, which a busy machine changes less.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numba
import numpy as np

from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.references import References, average_references
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.opencl.devices import find_device

SHAPE = (1500, 64, 1024)
ROUNDS = 7
_START = """
import time
start = time.perf_counter()
import numpy as np
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.normalise.references import average_references
from tomobatch.normalise.normalise import normalise
references = average_references([ReferenceSeries(np.full((3, 40, 40), 9, np.uint16), 0.0)], None)
normalise(np.full((2, 40, 40), 5, np.uint16), 0, references)
print(time.perf_counter() - start)
"""


def make_scan() -> tuple[np.ndarray, References]:
    """Return uint16 projections and references of a beam that drifts; 40 of the frames differ."""
    rng = np.random.default_rng(0)
    n, n_y, n_x = SHAPE
    beam = 20_000 * rng.normal(1, 0.05, (n_y, n_x))
    transmission = np.exp(-2 * np.sin(np.pi * np.arange(n_x) / n_x))
    frames = 100 + rng.poisson(beam * transmission, (40, n_y, n_x))
    flats = 100 + rng.poisson(beam, (10, n_y, n_x))
    series = [ReferenceSeries(flats, 0.0), ReferenceSeries((0.95 * flats).astype(int), float(n))]
    references = average_references(series, np.full((5, n_y, n_x), 100))
    projections = np.resize(frames.astype(np.uint16), SHAPE)
    return projections, references


def naive(raw: np.ndarray, references: References) -> np.ndarray:
    """One line of numpy, as in most scripts: the mean of the flats, no zingers, no bad pixels."""
    flat = references.flats.mean(axis=0)
    return -np.log(np.clip((raw - references.dark) / (flat - references.dark), 1e-4, 10))


def in_place(raw: np.ndarray, references: References) -> np.ndarray:
    """Do the same frame by frame without temporary arrays."""
    gain = 1 / (references.flats.mean(axis=0) - references.dark)
    result = np.empty(raw.shape, np.float32)
    for frame, line_integrals in zip(raw, result, strict=True):
        np.subtract(frame, references.dark, out=line_integrals)
        line_integrals *= gain
        np.clip(line_integrals, 1e-4, 10, out=line_integrals)
        np.negative(np.log(line_integrals, out=line_integrals), out=line_integrals)
    return result


@numba.njit(parallel=True)
def _numba_loop(raw, dark, gain, result):
    for frame in numba.prange(raw.shape[0]):
        for y in range(raw.shape[1]):
            for x in range(raw.shape[2]):
                share = (np.float32(raw[frame, y, x]) - dark[y, x]) * gain[y, x]
                result[frame, y, x] = -np.log(min(max(share, np.float32(1e-4)), np.float32(10)))


def in_numba(raw: np.ndarray, references: References) -> np.ndarray:
    """Do the same in one parallel loop of numba."""
    gain = 1 / (references.flats.mean(axis=0) - references.dark)
    result = np.empty(raw.shape, np.float32)
    _numba_loop(raw, references.dark, gain, result)
    return result


def ours(settings: NormaliseSettings) -> Callable[[np.ndarray, References], np.ndarray]:
    """Return the product's step, from counts to line integrals with all it does."""
    return lambda raw, references: normalise(raw, 0, references, settings).line_integrals


def seconds(work: Callable[..., object], *arguments: object) -> tuple[float, float]:
    """Return the wall and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work(*arguments)
    return time.perf_counter() - wall, time.process_time() - cpu


def start_up() -> tuple[float, float]:
    """Return the seconds a new process takes for a first small chunk, compiling and not."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "POCL_CACHE_DIR": folder}
        cold, warm = (
            float(subprocess.check_output([sys.executable, "-c", _START], env=environment))
            for _ in range(2)
        )
    return cold, warm


def machine() -> str:
    """Describe the machine, and how busy it is."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {cpu}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, numba {numba.__version__}, load {os.getloadavg()[0]:.1f}; "
        f"{find_device('cpu').description}."
    )


def main() -> None:
    """Print the page."""
    projections, references = make_scan()
    plain = NormaliseSettings(flats="mean", zinger_threshold=None)
    runs = {
        "copy of the counts to float32": lambda raw, references: raw.astype(np.float32),
        "numpy, one line": naive,
        "numpy, in place": in_place,
        "numba, one loop": in_numba,
        "ours, the same work": ours(plain),
        "ours, with flats interpolated and zingers": ours(NormaliseSettings()),
    }
    expected = naive(projections[:40].astype(np.float64), references)
    for name, run in list(runs.items())[1:5]:
        off = np.abs(run(projections[:40], references) - expected).max()
        assert off < 3e-6, f"{name} is off by {off}"
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            times[name].append(seconds(run, projections, references))
    cold, warm = start_up()
    print(
        f"# Normalisation\n\n{machine()}\n\nA chunk of 1500 x 64 x 1024 uint16 (98 Mpx) to float32 "
        "line integrals, ms; each call allocates its result (393 MB), whose first touch is part of "
        "the time. All but the first and the last give the same values to 3e-6.\n\n"
        "| what | wall | CPU | CPU, share of numpy in place |\n|---|---|---|---|"
    )
    reference = min(cpu for _, cpu in times["numpy, in place"])
    for name, rounds in times.items():
        wall = statistics.median(wall for wall, _ in rounds)
        cpu = min(cpu for _, cpu in rounds)
        print(f"| {name} | {1e3 * wall:.0f} | {1e3 * cpu:.0f} | {cpu / reference:.2f} |")
    print(
        f"\nA new process gets its first small chunk done in {cold:.1f} s when the kernel has to "
        f"be compiled, in {warm:.1f} s when PoCL has it in its cache."
    )


if __name__ == "__main__":
    main()
