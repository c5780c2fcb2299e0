"""How well the centre of rotation and the tilt are found, on random scans with a known axis.

    python benchmarks/calibration.py [n_scans [first_seed]]

Fifteen kinds of scans, from plain ones to thirty photons a pixel, thirty angles, objects beyond the
detector, axes at its edge and samples that move; every one drawn from its number. Beside ours stand
algotom (Vo's method, and the overlap of a full turn) and nabu (sliding and growing window), at
their defaults on the middle row.

Every scan adds a line to benchmarks/results/calibration.csv, and is not made again when the file
has it. The summary is benchmarks/results/calibration.md. Figures count on seeds that nobody has
looked at: those below 9000 have served to develop the methods.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import csv
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.calibrate.random_scans import RandomScan, Recipe, draw, measure

from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.evidence import Evidence, EvidenceSettings, gather_evidence
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.errors import UserError
from tomobatch.on_chunks.rows import choose_stripes, process_rows
from tomobatch.stripes.rows import rows_to_look_at
from tomobatch.stripes.settings import StripeSettings
from tomobatch.turn import covers_full_turn

RESULTS = Path(__file__).parent / "results"
TABLE, SUMMARY = RESULTS / "calibration.csv", RESULTS / "calibration.md"
RECIPE = ("seed", "kind", "n_x", "n_rows", "n_angles", "photons", "cor_px", "tilt_deg")
FOUND = ("cor_error_px", "cor_sigma_px", "tilt_error_deg", "tilt_sigma_deg", "method")
NAMES = (
    *RECIPE,
    *FOUND,
    "cor_warned",
    "movement_told",
    "tilt_warned",
    "cpu_s",
    "algotom_px",
    "nabu_px",
)
CLOSE_PX, CLOSE_DEG, ROWS_FOR_TILT = 0.25, 0.02, 64
Value = str | float | int | None


def main(n_scans: int, first_seed: int) -> None:
    """Make the scans that the table lacks, and write the summary."""
    RESULTS.mkdir(exist_ok=True)
    done = read_table()
    with TABLE.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, NAMES)
        if not done:
            writer.writeheader()
        for seed in sorted(
            set(range(first_seed, first_seed + n_scans)) - {int(row["seed"]) for row in done}
        ):
            row = try_scan(measure(draw(seed)))
            writer.writerow(row)
            file.flush()
            print(*(row[name] for name in NAMES), flush=True)
    write_summary(read_table())


def read_table() -> list[dict[str, str]]:
    """Return the scans that were made."""
    if not TABLE.exists():
        return []
    with TABLE.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def try_scan(scan: RandomScan) -> dict[str, Value]:
    """Return one line of the table."""
    recipe = scan.recipe
    sinograms = as_the_workflow_does(scan)
    start = time.process_time()
    evidence = gather_evidence(sinograms, scan.angles_rad, 0, EvidenceSettings(recipe.n_rows))
    row = by_us(recipe, evidence)
    row["cpu_s"] = time.process_time() - start
    row |= by_peers(recipe, scan.sinograms[recipe.n_rows // 2], scan.angles_rad)
    return {k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()}


def as_the_workflow_does(scan: RandomScan) -> NDArray[np.float32]:
    """Return the sinograms without their stripes, by the method that the workflow would choose."""
    rows, n_rows = rows_to_look_at(scan.recipe.n_rows), scan.recipe.n_rows
    settings, sinograms = StripeSettings(), scan.sinograms.copy()
    choice = choose_stripes(sinograms[rows], rows, scan.angles_rad, n_rows, settings)
    process_rows(sinograms, scan.angles_rad, settings, choice)
    return sinograms


def by_us(recipe: Recipe, evidence: Evidence) -> dict[str, Value]:
    """Return the recipe, what is found, and what is warned of."""
    row: dict[str, Value] = dict.fromkeys(NAMES)
    row |= {name: getattr(recipe, name) for name in RECIPE}
    try:
        found = calibrate([evidence], CalibrateSettings())
    except UserError:
        return row | {"method": "refused", "cor_warned": 1, "movement_told": 0, "tilt_warned": 1}
    of_cor = [text for text in found.warnings if text.startswith("cor")]
    return row | {
        "cor_error_px": found.line.mid_px - recipe.cor_px,
        "cor_sigma_px": found.line.mid_sigma_px,
        "tilt_error_deg": found.tilt_deg - recipe.tilt_deg,
        "tilt_sigma_deg": found.tilt_sigma_deg,
        "method": found.method,
        "cor_warned": len(of_cor),
        "movement_told": sum("the sample moves" in text for text in of_cor),
        "tilt_warned": sum("tilt" in text[:8] for text in found.warnings),
    }


def by_peers(
    recipe: Recipe, middle: NDArray[np.float32], angles_rad: NDArray[np.float64]
) -> dict[str, Value]:
    """Return how far the peers are off in the middle row; None where one gives up."""
    slope = np.tan(np.deg2rad(recipe.tilt_deg))
    true_px = recipe.cor_px + slope * (recipe.n_rows // 2 - (recipe.n_rows - 1) / 2)
    row: dict[str, Value] = {}
    for name, peer in (("algotom_px", by_algotom), ("nabu_px", by_nabu)):
        found_px = attempted(peer, middle, angles_rad)
        row[name] = None if found_px is None else found_px - true_px
    return row


def attempted(
    peer: Callable[[NDArray[np.float32], NDArray[np.float64]], float],
    row: NDArray[np.float32],
    angles_rad: NDArray[np.float64],
) -> float | None:
    """Return what a peer finds; None where it gives up, each in its own way."""
    try:
        return peer(row, angles_rad)
    except Exception as error:
        print(f"{peer.__name__}: {error}", file=sys.stderr)
        return None


def by_algotom(row: NDArray[np.float32], angles_rad: NDArray[np.float64]) -> float:
    """Return the cor by algotom: overlap of a full turn, else Vo's method."""
    import algotom.prep.calculation as calculation

    if covers_full_turn(angles_rad):
        return float(calculation.find_center_360(row, row.shape[1] // 8, ncore=1)[0])
    return float(calculation.find_center_vo(row, ncore=1))


def by_nabu(row: NDArray[np.float32], angles_rad: NDArray[np.float64]) -> float:
    """Return the cor by nabu: the first view and that half a turn later, mirrored."""
    from nabu.estimation.cor import CenterOfRotationGrowingWindow, CenterOfRotationSlidingWindow

    opposite = int(np.argmin(np.abs(angles_rad - angles_rad[0] - np.pi)))
    first, mirrored = np.tile(row[0], (8, 1)), np.tile(row[opposite, ::-1], (8, 1))
    if covers_full_turn(angles_rad):
        shift_px = CenterOfRotationGrowingWindow().find_shift(first, mirrored, side="all")
    else:
        shift_px = CenterOfRotationSlidingWindow().find_shift(first, mirrored, side="center")
    return float((row.shape[1] - 1) / 2 + shift_px)


def write_summary(rows: list[dict[str, str]]) -> None:
    """Write the table of kinds and the figures that matter."""
    rows = sorted(rows, key=lambda row: int(row["seed"]))
    kinds = defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row)
    lines = [
        "# Centre of rotation and tilt on random scans",
        "",
        f"{len(rows)} scans (seeds {in_runs([int(row['seed']) for row in rows])}), made up to "
        f"{date.today():%d %B %Y},",
        "128 to 256 px wide, 16 to 80 rows: ellipsoids, exact line integrals,",
        "about an axis that leans by up to 0.8 degrees. Every scan: calibration.csv. Peers look at",
        "the middle row, at their defaults.",
        "",
        "| kind | scans | within 0.25 px: tomobatch, algotom, nabu | median error, px: the same |",
        "|---|---|---|---|",
    ]
    for kind, of_kind in [*sorted(kinds.items()), ("**all**", rows)]:
        errors = [numbers(of_kind, name) for name in ("cor_error_px", "algotom_px", "nabu_px")]
        close = ", ".join(str(int(np.sum(np.abs(e) <= CLOSE_PX))) for e in errors)
        medians = ", ".join(f"{np.nanmedian(np.abs(e)):.3f}" for e in errors)
        lines.append(f"| {kind} | {len(of_kind)} | {close} | {medians} |")
    SUMMARY.write_text("\n".join([*lines, "", *judged(rows)]) + "\n", encoding="utf-8")


def in_runs(seeds: list[int]) -> str:
    """Return rising numbers as runs, 9000-9059, 9070."""
    runs = np.split(np.array(seeds), np.flatnonzero(np.diff(seeds) != 1) + 1)
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def judged(rows: list[dict[str, str]]) -> list[str]:
    """Return what is asked of the calibration, and what it reaches."""
    cor, tilt = (numbers(rows, name) for name in ("cor_error_px", "tilt_error_deg"))
    cor_warned, tilt_warned = (numbers(rows, f"{name}_warned") > 0 for name in ("cor", "tilt"))
    is_close, is_straight = np.abs(cor) <= CLOSE_PX, np.abs(tilt) <= CLOSE_DEG
    is_moving = np.array([row["kind"] == "jitter" for row in rows])
    is_high = numbers(rows, "n_rows") >= ROWS_FOR_TILT
    pulls = {
        name: np.abs(numbers(rows, f"{name}_error_{unit}") / numbers(rows, f"{name}_sigma_{unit}"))
        for name, unit in (("cor", "px"), ("tilt", "deg"))
    }
    return [
        "| | |",
        "|---|---|",
        f"| cor within 0.25 px | {is_close.sum()} of {len(rows)} |",
        f"| of scans whose sample stands still | {np.sum(is_close & ~is_moving)} of "
        f"{np.sum(~is_moving)} |",
        f"| cor off and not warned of | {np.sum(~is_close & ~cor_warned)} |",
        f"| cor within 0.25 px, and warned of | {np.sum(is_close & cor_warned)} |",
        f"| of these warnings, of samples that do move by more than 0.3 px | "
        f"{np.sum(is_close & (numbers(rows, 'movement_told') > 0) & is_moving)} |",
        f"| tilt of at least 64 rows within 0.02 degrees | {np.sum(is_high & is_straight)} of "
        f"{is_high.sum()} |",
        f"| of these off and not warned of | {np.sum(is_high & ~is_straight & ~tilt_warned)} |",
        f"| of these within 0.02 degrees, and warned of | "
        f"{np.sum(is_high & is_straight & tilt_warned)} |",
        *(
            f"| {name} beyond 3 sigma | {np.sum(pull > 3)} of {np.sum(np.isfinite(pull))}; "
            f"typical error / sigma {np.nanmedian(pull) / 0.6745:.2f} |"
            for name, pull in pulls.items()
        ),
        f"| median CPU s a scan, evidence and all | {np.median(numbers(rows, 'cpu_s')):.1f} |",
        "",
        "A sample that moves by s px from projection to projection, at random, leaves the cor of",
        "n projections over half a turn uncertain by 2.3 s / sqrt(n), whatever the method: a",
        "constant is nearly a piece of the circle that a point may run on. Of the jitter drawn",
        "here that is 0.04 to 0.46 px.",
    ]


def numbers(rows: list[dict[str, str]], name: str) -> NDArray[np.float64]:
    """Return a column, with NaN where it is empty."""
    return np.array([float(row[name]) if row[name] else np.nan for row in rows])


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*given, *(200, 9000)[len(given) :])
