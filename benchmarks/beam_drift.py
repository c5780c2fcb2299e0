"""How often a beam is said to drift that does not, and that does, on random scans.

    python benchmarks/beam_drift.py [n_scans [first_seed]]

Scans are those of ``calibration.py``, as counts with flats before and after; of each, the eight
projections that ``inspect`` looks at. Their beam stands still, falls by a tenth to the end without
flats after it, or dips by a tenth between the flats. The summary is
benchmarks/results/beam-drift.md.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.calibrate.random_scans import draw, exact_projections

from tomobatch.normalise.references import average_references
from tomobatch.normalise.series import ReferenceSeries
from tomobatch.scan.beam_drift import drift_remarks

SUMMARY = Path(__file__).parent / "results" / "beam-drift.md"
DARK, READ_NOISE, FULL = 100, 2.0, 30_000
N_LOOKED_AT, N_FLATS = 8, 10
BEAMS = {
    "stands still": lambda time: np.ones_like(time),
    "falls by 10 %": lambda time: 1 - 0.1 * time,
    "dips by 10 %": lambda time: 1 - 0.1 * np.sin(np.pi * time),
}


def main(n_scans: int, first_seed: int) -> None:
    """Look at the scans, and write the summary."""
    told: Counter[tuple[str, str]] = Counter()
    kinds: Counter[str] = Counter()
    for seed in range(first_seed, first_seed + n_scans):
        kind, said = look(seed)
        kinds[kind] += 1
        told.update((beam, kind) for beam in said)
    lines = [
        "# Whether a beam is said to drift",
        "",
        f"{n_scans} random scans (seeds {first_seed} to {first_seed + n_scans - 1}), flats before"
        " and after.",
        "",
        f"| kind | scans | {' | '.join(BEAMS)} |",
        f"|---|---|{'---|' * len(BEAMS)}",
    ]
    for kind in sorted(kinds):
        lines.append(f"| {kind} | {kinds[kind]} | {counted(told, [kind])} |")
    lines.append(f"| **all** | {n_scans} | {counted(told, list(kinds))} |")
    SUMMARY.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(*lines, sep="\n")


def counted(told: Counter[tuple[str, str]], kinds: list[str]) -> str:
    """Return how many scans of some kinds were said to drift, by their beam."""
    return " | ".join(str(sum(told[beam, kind] for kind in kinds)) for beam in BEAMS)


def look(seed: int) -> tuple[str, list[str]]:
    """Return the kind of a scan, and under which beams it is said to drift."""
    recipe = draw(seed)
    rng = np.random.default_rng([5, seed])
    numbers = np.linspace(0, recipe.n_angles - 1, N_LOOKED_AT).round().astype(int)
    time = numbers / recipe.n_angles
    angles = np.deg2rad(recipe.first_deg + (recipe.last_deg - recipe.first_deg) * time)
    seen = np.exp(-exact_projections(recipe, angles, recipe.jitter_px * rng.normal(size=len(time))))
    gain = 1 + 0.05 * rng.standard_normal(seen.shape[1:])
    beam = min(recipe.photons, FULL) * gain

    def read(expected: np.ndarray) -> np.ndarray:
        counts = rng.poisson(expected) + DARK + rng.normal(0, READ_NOISE, expected.shape)
        return counts.round().clip(0, 65_535).astype(np.uint16)

    flats = [
        ReferenceSeries(read(np.broadcast_to(beam, (N_FLATS, *beam.shape))), position)
        for position in (0, recipe.n_angles)
    ]
    references = average_references(flats, read(np.zeros((N_FLATS, *beam.shape))))
    said = []
    for name, share in BEAMS.items():
        counts = read(beam * share(time)[:, None, None] * seen)
        if list(drift_remarks(counts, numbers, references)):
            said.append(name)
    return recipe.kind, said


if __name__ == "__main__":
    given = [int(text) for text in sys.argv[1:]]
    main(*given, *(200, 5000)[len(given) :])
