"""Iterations on a cone beam from few angles: errors beside FDK, and what an iteration takes.

    python benchmarks/cone_iterative.py [SIZE [ANGLES]]

Data are exact line integrals of ellipsoids (those of cone.py without their shell, which at this
size is as thin as a voxel), as they are and with the noise of so many photons that the darkest ray
has one percent. Errors are those of whole slices seen under 0, 5 and 10 degrees of one scan, and
time is the processor's, of the whole call. Results stand in results/cone-iterative.md.
"""

import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.reconstruct.cone.cone_scans import ellipsoids_without_shell, ideal, rmse, scan

import tomobatch
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.cone import fdk
from tomobatch.reconstruct.settings import DEFAULT_ITERATIONS

DEGREES = (0, 5, 10)
DARKEST = 0.05
_ITERATIONS = DEFAULT_ITERATIONS.items()
RESULTS = Path(__file__).parent / "results" / "cone-iterative.md"


def noisy(sinograms):
    """Return line integrals with the noise of counts, and the error of the darkest ray."""
    random = np.random.default_rng(0)
    scale = -np.log(DARKEST) / sinograms.max()
    counts = 1e4 / DARKEST
    seen = np.maximum(random.poisson(counts * np.exp(-scale * sinograms)), 0.5)
    return (np.log(counts / seen) / scale).astype(np.float32)


def main(size: int = 80, n_angles: int = 60) -> None:
    """Run every method on both scans, and write the table."""
    beam, n_rows, n_cols = ideal(size)
    solids = ellipsoids_without_shell(size, beam.source_voxels)
    angles = np.arange(n_angles) * 2 * np.pi / n_angles
    exact = scan(solids, beam, angles, n_rows, n_cols)
    scans = (exact, noisy(exact))

    def iterate(sinograms, **options):
        return tomobatch.iterate(sinograms, angles, beam=beam, size_px=size, **options).slices

    works = {
        "FDK": lambda one: fdk(one, angles, beam, size_px=size),
        "SIRT": lambda one: iterate(one, method="sirt"),
        "SIRT, not negative": lambda one: iterate(one, method="sirt", non_negative=True),
        "CGLS": lambda one: iterate(one, method="cgls"),
        "TV": lambda one: iterate(one, method="tv"),
    }
    lines = [
        "# Iterations on a cone beam from few angles",
        "",
        f"Made by `python benchmarks/cone_iterative.py {size} {n_angles}` on"
        f" {find_device().description}. {n_rows} rows of {n_cols} columns, {n_angles} angles of a"
        f" full circle, slices of {size} px, the source {beam.source_voxels:.0f} px from the axis;"
        f" iterations by default: {', '.join(f'{n} of {m}' for m, n in _ITERATIONS)}."
        " Root mean square errors of slices seen under 0 / 5 / 10 degrees; densities are 0.1 to 1.",
        "",
        "| | exact rays | 1 % noise in the darkest ray | processor seconds |",
        "|---|--:|--:|--:|",
    ]
    for name, work in works.items():
        start = time.process_time()
        volumes = [work(one) for one in scans]
        spent_s = (time.process_time() - start) / len(scans)
        errors = (
            " / ".join(f"{rmse(volume, solids, beam, size, at):.4f}" for at in DEGREES)
            for volume in volumes
        )
        lines.append(f"| {name} | {' | '.join(errors)} | {spent_s:.1f} |")
        print(lines[-1], flush=True)
    RESULTS.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
