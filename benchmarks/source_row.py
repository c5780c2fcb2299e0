"""How well the row of a cone's source is found, on random phantoms, and how much a wrong row shows.

    python benchmarks/source_row.py [n_scans [first_seed]]

The scans of cone_calibration.py, the source being up to 6 rows off what the file says; each as it
is, and with hardening, scatter and stripes that nobody took off. Prints a line a scan and a summary
by kind; then the error of slices by how many rows the source's row is wrong.
"""

import math
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parent))

from cone_calibration import N_COLS, N_ROWS, Recipe, draw, measure
from tests.reconstruct.cone.cone_scans import ellipsoids, ideal, scan

from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.fan_moments import even_angles, row_moments
from tomobatch.calibrate.rim import Rim
from tomobatch.calibrate.source_row import settle_source_row
from tomobatch.reconstruct.cone import fdk
from tomobatch.turn import around, covers_full_turn

FARTHEST_ROWS = 6.0


def evidence_of(sinograms: NDArray[np.float32], recipe: Recipe) -> Evidence:
    """Return what of the evidence tells the row; the rest takes ten times as long."""
    beam = recipe.stated
    order, angles = around(beam.sense * recipe.angles_rad)
    full = covers_full_turn(angles)
    even = even_angles(angles, is_full_turn=full)
    plane = beam.principal_px(N_ROWS, N_COLS)[1]
    rows = []
    for number, one in enumerate(sinograms):
        row = one if order is None else one[order]
        moments = row_moments(row, angles, even, beam, number - plane)
        rows.append(RowEvidence(number, 1.0, 0.0, rim=Rim.of(row), moments=moments))
    step = float(even[1] - even[0])
    return Evidence(
        N_COLS, N_ROWS, len(angles), full, 0.0, 0.0, 0.0, tuple(rows), fan_step_rad=step
    )


def spoilt(sinograms: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return line integrals of a beam that hardens and scatters, with stripes."""
    seen = np.exp(-(sinograms - 0.1 * sinograms**2 / sinograms.max()))
    scattered = -np.log((seen + 0.03) / 1.03)
    stripes = rng.normal(0, 0.01, (len(sinograms), 1, sinograms.shape[2]))
    return (scattered + stripes).astype(np.float32)


def try_scan(seed: int) -> dict[str, tuple[float, float, float, str]]:
    """Return error, standard deviation, error at the rim and what is taken, by kind."""
    recipe = draw(seed)
    rng = np.random.default_rng([seed, 73])
    off = float(rng.uniform(-FARTHEST_ROWS, FARTHEST_ROWS))
    true = replace(recipe.true, shift_v_px=recipe.true.shift_v_px + off)
    recipe = replace(recipe, true=true)
    sinograms = measure(recipe)
    found = {}
    for how, seen in {"as it is": sinograms, "spoilt": spoilt(sinograms, rng)}.items():
        evidence = evidence_of(seen, recipe)
        row, doubts = settle_source_row(evidence.rows, evidence, recipe.stated, is_given=False)
        plane = true.principal_px(N_ROWS, N_COLS)[1]
        error = math.nan if row.found_px is None else row.found_px - plane
        rim = abs(row.row_px - plane) * math.tan(true.half_fan_rad(N_COLS))
        taken = row.source + (", warned" if doubts else "")
        found[f"{recipe.kind}, {how}"] = error, row.sigma_px or math.nan, rim, taken
    return found


def errors_by_row(size: int = 64) -> None:
    """Print the error of the slices by how many rows the source's row is wrong."""
    beam, n_rows, n_cols = ideal(size)
    angles = np.arange(180) * 2 * np.pi / 180
    sinograms = scan(ellipsoids(size, beam.source_voxels), beam, angles, n_rows, n_cols)
    right = fdk(sinograms, angles, beam, size_px=size)
    for off in (0.5, 1, 2, 4, 8):
        wrong = fdk(sinograms, angles, replace(beam, shift_v_px=off), size_px=size)
        worst = np.sqrt(np.mean((wrong - right) ** 2, axis=(1, 2)))
        print(f"row off by {off:g}: slices change by {worst.mean():.4f}, at most {worst.max():.4f}")


def main(n_scans: int = 60, first_seed: int = 0) -> None:
    """Try the scans, and sum up by kind."""
    by_kind: dict[str, list[tuple[float, float, float, str]]] = {}
    for seed in range(first_seed, first_seed + n_scans):
        for kind, found in try_scan(seed).items():
            by_kind.setdefault(kind, []).append(found)
            error, sigma, rim, taken = found
            print(
                f"{seed} {kind}: {error:+.2f} ± {sigma:.2f}, rim {rim:.3f} px, {taken}", flush=True
            )
    for kind, found in sorted(by_kind.items()):
        error, sigma, rim = np.array([one[:3] for one in found]).T
        told = np.isfinite(error)
        loud = np.array(["warned" in one[3] for one in found])
        taken = sum(one[3].startswith("found") for one in found)
        pulls = np.abs(error[told] / sigma[told])
        print(
            f"{kind}: {len(found)} scans, told {told.sum()}, taken {taken};"
            f" median error {np.median(np.abs(error[told])) if told.any() else math.nan:.2f} rows,"
            f" beyond 2 and 3 sigma {np.sum(pulls > 2)}, {np.sum(pulls > 3)};"
            f" rim within 0.25 px {np.sum(rim <= 0.25)}, else warned {np.sum((rim > 0.25) & loud)},"
            f" neither {np.sum((rim > 0.25) & ~loud)}"
        )
    errors_by_row()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
