"""How well the axis and the roll of a cone beam are found, on 100 random phantoms.

    python benchmarks/cone_calibration.py [n_scans [first_seed]]

Four kinds of scans by turns: a full circle, a short scan, a detector beside the axis (half of the
specimen seen at a time) and a full circle of few counts; every one drawn from its number: bead
packs, exact line integrals, cones of 2 to 9 degrees, the axis up to 6 px beside what the file
says, the detector rolled by up to one degree and the source's plane up to 4 rows off. Beside ours
stands what users of RTK and TIGRE do without a phantom of beads: the axis that makes the summed
projections of a full circle symmetric, or that of the sharpest slice of a scan over whole pixels.

Every scan adds a line to benchmarks/results/cone-calibration.csv, and is not made again when the
file has it. The summary is benchmarks/results/cone-calibration.md.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.fan import calibrated_beam
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.errors import UserError
from tomobatch.phantom.cone import cone_line_integrals
from tomobatch.phantom.specimen import bead_pack
from tomobatch.reconstruct.cone import fdk

RESULTS = Path(__file__).parent / "results"
TABLE, SUMMARY = RESULTS / "cone-calibration.csv", RESULTS / "cone-calibration.md"
KINDS = ("full circle", "short scan", "offset detector", "few counts")
N_COLS, N_ROWS, CLOSE_PX = 128, 48, 0.25
# A roll that moves no pixel by 0.15 px is left as it is on purpose: 0.135 degrees here.
CLOSE_DEG = 0.15
OFF_AXIS_SHARE = 0.3
NAMES = (
    "seed", "kind", "half_cone_deg", "n_angles", "axis_px", "roll_deg",
    "axis_error_px", "axis_sigma_px", "roll_error_deg", "method", "warned",
    "symmetry_error_px", "sharpest_error_px",
)  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """What one scan is made of: the beam as it was and as its file states it."""

    seed: int
    kind: str
    true: ConeBeam
    stated: ConeBeam
    angles_rad: NDArray[np.float64]
    counts: float


def draw(seed: int) -> Recipe:
    """Draw a scan from its number."""
    rng = np.random.default_rng([seed, 71])
    kind = KINDS[seed % len(KINDS)]
    widths = rng.uniform(1.2, 5.0)
    stated = ConeBeam(
        widths * N_COLS,
        2 * widths * N_COLS,
        2.0,
        2.0,
        shift_v_px=float(rng.uniform(-4, 4)),
        axis_shift_px=OFF_AXIS_SHARE * N_COLS if kind == "offset detector" else 0.0,
        sense=1 if rng.random() < 0.5 else -1,
    )
    true = replace(
        stated,
        axis_shift_px=stated.axis_shift_px + float(rng.uniform(-6, 6)),
        roll_deg=float(rng.uniform(-1, 1)),
    )
    n_circle = int(rng.integers(150, 240))
    angles = np.arange(n_circle) * 2 * np.pi / n_circle
    if kind == "short scan":
        angles = angles[angles <= np.pi + 2.2 * true.half_fan_rad(N_COLS)]
    counts = 300.0 if kind == "few counts" else 30_000.0
    return Recipe(seed, kind, true, stated, angles, counts)


def measure(recipe: Recipe) -> NDArray[np.float32]:
    """Return the noisy sinograms of a scan, (y, angle, x)."""
    rng = np.random.default_rng([recipe.seed, 72])
    width = round((1.3 if recipe.kind == "offset detector" else 0.8) * N_COLS)
    solids = bead_pack(width, round(1.2 * N_ROWS), rng).solids[:80]
    paths = np.stack(
        [
            cone_line_integrals(
                solids, recipe.true, float(a), n_rows=N_ROWS, n_cols=N_COLS, samples=1
            )
            for a in recipe.angles_rad
        ],
        axis=1,
    )
    seen = np.maximum(rng.poisson(recipe.counts * np.exp(-paths)), 0.5)
    return np.log(recipe.counts / seen).astype(np.float32)


def try_scan(recipe: Recipe) -> dict[str, object]:
    """Return one line of the table."""
    sinograms = measure(recipe)
    true_px = recipe.true.cor_px(N_COLS)
    row: dict[str, object] = dict.fromkeys(NAMES)
    row |= {
        "seed": recipe.seed,
        "kind": recipe.kind,
        "half_cone_deg": recipe.true.half_cone_deg(N_ROWS),
        "n_angles": len(recipe.angles_rad),
        "axis_px": true_px,
        "roll_deg": recipe.true.roll_deg,
    }
    row |= by_us(recipe, sinograms, true_px) | by_others(recipe, sinograms, true_px)
    return {k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}


def by_us(recipe: Recipe, sinograms: NDArray[np.float32], true_px: float) -> dict[str, object]:
    """Return what the workflow's calibration finds, and whether it warns."""
    settings = EvidenceSettings(n_rows=N_ROWS, beam=recipe.stated)
    evidence = gather_evidence(sinograms, recipe.angles_rad, 0, settings)
    stated_px = recipe.stated.cor_px(N_COLS)
    try:
        found = calibrate([evidence], CalibrateSettings(), stated_cor_px=stated_px)
    except UserError:
        return {"method": "refused", "warned": 1}
    beam = calibrated_beam(recipe.stated, found.line, N_ROWS, N_COLS)
    return {
        "axis_error_px": beam.cor_px(N_COLS) - true_px,
        "axis_sigma_px": found.line.mid_sigma_px,
        "roll_error_deg": beam.roll_deg - recipe.true.roll_deg,
        "method": found.method,
        "warned": sum(text.startswith("cor") for text in found.warnings),
    }


def by_others(recipe: Recipe, sinograms: NDArray[np.float32], true_px: float) -> dict[str, object]:
    """Return how far the two ways that users of RTK and TIGRE take by hand are off."""
    plane = round(recipe.stated.principal_px(N_ROWS, N_COLS)[1])
    row = sinograms[plane : plane + 1]
    mean = row[0].mean(axis=0)
    near = np.arange(-7, 8) + round(recipe.stated.cor_px(N_COLS))
    symmetric = [_asymmetry(mean, float(column)) for column in near]
    flat = replace(recipe.stated, shift_v_px=0.0)
    sharp = []
    for column in near:
        beam = flat.with_axis(float(column), N_COLS)
        part = fdk(row, recipe.angles_rad, beam, size_px=N_COLS)[0]
        sharp.append(float(np.var(part)))
    full = recipe.kind != "short scan"
    return {
        "symmetry_error_px": float(near[np.argmin(symmetric)] - true_px) if full else None,
        "sharpest_error_px": float(near[np.argmax(sharp)] - true_px),
    }


def _asymmetry(mean: NDArray[np.float32], column: float) -> float:
    """Return how much a row differs from itself mirrored about a column, where both are seen."""
    places = np.arange(len(mean), dtype=np.float64)
    mirrored = 2 * column - places
    seen = (mirrored >= 0) & (mirrored <= len(mean) - 1)
    return float(np.mean((mean[seen] - np.interp(mirrored[seen], places, mean)) ** 2))


def read_table() -> list[dict[str, str]]:
    """Return the scans that were made."""
    if not TABLE.exists():
        return []
    with TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def numbers(rows: list[dict[str, str]], name: str) -> NDArray[np.float64]:
    """Return a column, with NaN where it is empty."""
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])


def write_summary(rows: list[dict[str, str]]) -> None:
    """Write how many are close, and how many that are not were not warned of."""
    lines = [
        "# Axis and roll of a cone beam on random scans",
        "",
        f"{len(rows)} scans of {N_COLS} columns and {N_ROWS} rows, made by"
        " `benchmarks/cone_calibration.py`, which says what they are; every scan:",
        "cone-calibration.csv. Others: the column about which the mean of the source's row is most"
        " symmetric (full circles), and the",
        "one of 15 whole columns whose slice varies most, as users of RTK and TIGRE find it by"
        " hand.",
        "",
        "| kind | scans | axis within 0.25 px | else warned of | neither | warned of, though close"
        " | median error, px: ours, symmetry, sharpest | roll within 0.15 degrees |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for kind in (*KINDS, "**all**"):
        some = [row for row in rows if kind in (row["kind"], "**all**")]
        if not some:
            continue
        error, warned = np.abs(numbers(some, "axis_error_px")), numbers(some, "warned") > 0
        close = error <= CLOSE_PX
        medians = ", ".join(
            "-" if np.isnan(column).all() else f"{np.nanmedian(np.abs(column)):.3f}"
            for column in (
                numbers(some, "axis_error_px"),
                numbers(some, "symmetry_error_px"),
                numbers(some, "sharpest_error_px"),
            )
        )
        straight = np.abs(numbers(some, "roll_error_deg")) <= CLOSE_DEG
        lines.append(
            f"| {kind} | {len(some)} | {close.sum()} | {(~close & warned).sum()} |"
            f" {(~close & ~warned).sum()} | {(close & warned).sum()} | {medians} |"
            f" {straight.sum()} |"
        )
    SUMMARY.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(n_scans: int = 100, first_seed: int = 0) -> None:
    """Make the scans that the table lacks, and write the summary."""
    done = read_table()
    made = {int(row["seed"]) for row in done}
    with TABLE.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, NAMES)
        if not done:
            writer.writeheader()
        for seed in sorted(set(range(first_seed, first_seed + n_scans)) - made):
            row = try_scan(draw(seed))
            writer.writerow(row)
            file.flush()
            print(*row.values(), flush=True)
    write_summary(read_table())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
