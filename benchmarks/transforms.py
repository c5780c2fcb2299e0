"""Compare FFT libraries on the shapes of gridding: ``python benchmarks/transforms.py``.

CPU milliseconds a slice over the number of threads, medians of rounds in which all take turns:
16 slices of 1024 px from 1500 angles, rows padded to 2048, a grid of 1280 x 1280 (8 complex lanes).
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.fft

from tomobatch.cores import n_usable_cores

THREADS, SLICES, ROUNDS = n_usable_cores(), 16, 7
ROWS, GRID = (SLICES, 64, 2048), (128, 1280, SLICES // 2)
# What is measured is this part of a block of slices.
SHARE = {"rows, real to complex": 64 / 1500, "grid, along rows, in place": 128 / 1280}

Transforms = dict[str, Callable[[], object]]


def by_scipy(rows: np.ndarray, grid: np.ndarray) -> Transforms:
    """scipy.fft: pocketfft."""
    return {
        "rows, real to complex": lambda: scipy.fft.rfft(rows, workers=THREADS),
        "grid, along rows, in place": lambda: scipy.fft.ifft(
            grid, axis=1, norm="forward", overwrite_x=True, workers=THREADS
        ),
    }


def by_ducc0(rows: np.ndarray, grid: np.ndarray) -> Transforms:
    """ducc0: the successor of pocketfft."""
    import ducc0

    spectra = np.empty((*rows.shape[:2], rows.shape[2] // 2 + 1), np.complex64)
    return {
        "rows, real to complex": lambda: ducc0.fft.r2c(
            rows, axes=(2,), nthreads=THREADS, out=spectra
        ),
        "grid, along rows, in place": lambda: ducc0.fft.c2c(
            grid, axes=(1,), forward=False, nthreads=THREADS, out=grid
        ),
    }


def by_mkl(rows: np.ndarray, grid: np.ndarray) -> Transforms:
    """mkl_fft: Intel's library."""
    import mkl_fft

    spectra = np.empty((*rows.shape[:2], rows.shape[2] // 2 + 1), np.complex64)
    return {
        "rows, real to complex": lambda: mkl_fft.rfft(rows, out=spectra),
        "grid, along rows, in place": lambda: mkl_fft.ifft(grid, axis=1, norm="forward", out=grid),
    }


def by_fftw(rows: np.ndarray, grid: np.ndarray) -> Transforms:
    """pyfftw: plans by FFTW_MEASURE, arrays aligned."""
    import pyfftw

    def plan(before: np.ndarray, after: np.ndarray, axis: int, direction: str) -> pyfftw.FFTW:
        return pyfftw.FFTW(before, after, axes=(axis,), direction=direction, threads=THREADS)

    real = pyfftw.empty_aligned(rows.shape, np.float32)
    spectra = pyfftw.empty_aligned((*rows.shape[:2], rows.shape[2] // 2 + 1), np.complex64)
    plane = pyfftw.empty_aligned(grid.shape, np.complex64)
    plans = (plan(real, spectra, 2, "FFTW_FORWARD"), plan(plane, plane, 1, "FFTW_BACKWARD"))
    real[...], plane[...] = rows, grid
    return dict(zip(SHARE, (plans[0].execute, plans[1].execute), strict=True))


def main() -> None:
    """Print a table."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=ROWS).astype(np.float32)
    libraries = (by_scipy, by_ducc0, by_mkl, by_fftw)
    ready = {make.__doc__: make(rows, np.zeros(GRID, np.complex64)) for make in libraries}
    times: dict[tuple[str, str], list[float]] = {}
    for _ in range(ROUNDS + 1):
        for library, transforms in ready.items():
            for name, work in transforms.items():
                start = time.process_time()
                work()
                times.setdefault((library, name), []).append(time.process_time() - start)
    lines = ["# FFT libraries", "", __doc__.split("\n\n", 1)[1], f"| | {' | '.join(SHARE)} |"]
    lines.append("|---|" + "---:|" * len(SHARE))
    for library in ready:
        # The first round plans.
        ms = [
            1e3 * np.median(times[library, name][1:]) / THREADS / SLICES / share
            for name, share in SHARE.items()
        ]
        lines.append(f"| {library} | " + " | ".join(f"{value:.2f}" for value in ms) + " |")
    page = "\n".join(lines) + "\n"
    (Path(__file__).parent / "results" / "transforms.md").write_text(page)
    print(page)


if __name__ == "__main__":
    main()
