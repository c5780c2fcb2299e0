"""How well the centre of rotation is found, on random objects with exact line integrals.

    python benchmarks/calibration.py [n_scans]

Compared with algotom's methods of the same purpose, which take one row (Vo), two projections (phase
correlation) or a row of a full turn (overlap). Writes benchmarks/results/calibration.md.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time
from collections import defaultdict
from pathlib import Path

import algotom.prep.calculation as algotom
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.calibrate.ellipses import scan

from tomobatch.calibrate.calibration import calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.settings import CalibrateSettings

RESULT = Path(__file__).parent / "results" / "calibration.md"
N_X, N_ROWS, SLOPE = 256, 8, 0.006
HALF = np.linspace(0, np.pi, 401)  # with both ends, as algotom's Vo expects it
FULL = np.linspace(0, 2 * np.pi, 600, endpoint=False)

# Name: angles, axis (part of the width), and what `tests.calibrate.ellipses.scan` takes.
KINDS = {
    "401 angles": (HALF, None, {}),
    "91 angles": (np.linspace(0, np.pi, 91), None, {}),
    "low dose, 1000 photons": (HALF, None, {"photons": 1e3}),
    "stripes of 3%": (HALF, None, {"stripes": 0.03}),
    "beam drifts by 10%": (HALF, None, {"drift": 0.1}),
    "object cut off": (HALF, None, {"radius": 0.8}),
    "full turn": (FULL, None, {}),
    "half acquisition": (FULL, 0.15, {"radius": 0.7}),
}


def main(n_scans: int) -> None:
    """Run all kinds of scans and write the table."""
    lines = [
        "# Centre of rotation: error on random objects",
        "",
        f"{n_scans} scans a kind, {N_X} px, {N_ROWS} rows, axis up to 6% of the width off",
        f"the middle and tilted by {np.rad2deg(np.arctan(SLOPE)):.2f} degrees; noise of 20,000",
        "photons, stripes of 0.5% and a drift of 1% unless said otherwise. Exact line integrals of",
        "26 ellipses, averaged over the pixel. Error at the middle row, px: median and largest.",
        "",
        "| scan | method | median | largest |",
        "|---|---|---|---|",
    ]
    for kind in KINDS:
        errors: dict[str, list[float]] = defaultdict(list)
        for seed in range(n_scans):
            for method, error_px in try_scan(kind, seed).items():
                errors[method].append(abs(error_px))
        for method, values in errors.items():
            n_none = n_scans - len(values)
            name = method + (f" (none in {n_none})" if n_none else "")
            lines.append(f"| {kind} | {name} | {np.median(values):.3f} | {max(values):.3f} |")
            print(lines[-1], flush=True)
    lines += ["", *time_evidence()]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def try_scan(kind: str, seed: int) -> dict[str, float]:
    """Return each method's error in px for one scan."""
    angles, axis, options = KINDS[kind]
    rng = np.random.default_rng(seed)
    cor_px = (N_X - 1) / 2 + rng.uniform(-0.06, 0.06) * N_X if axis is None else axis * N_X
    sinograms = scan(angles, N_X, N_ROWS, cor_px, SLOPE, rng, **options)
    evidence = gather_evidence(sinograms, angles, 0, EvidenceSettings(N_ROWS))
    calibration = calibrate([evidence], CalibrateSettings())
    found = {"**tomobatch**": calibration.line.mid_px - cor_px}
    for method, result in calibration.methods.items():
        found[f"tomobatch, {method} alone"] = result.cor_px - cor_px
    row = N_ROWS // 2
    row_cor_px = cor_px + SLOPE * (row - (N_ROWS - 1) / 2)
    if axis is not None:
        peers = {"algotom, overlap": _overlap}
    else:
        peers = {"algotom, Vo": _vo, "algotom, phase correlation": _phase_correlation}
    if angles is FULL:
        sinograms = sinograms if axis is not None else sinograms[:, : len(FULL) // 2 + 1]
    return found | {name: peer(sinograms, row) - row_cor_px for name, peer in peers.items()}


def time_evidence() -> list[str]:
    """Return lines that tell the CPU time of a row at a common size, beside one row of Vo's."""
    angles, n_x, n_rows = np.linspace(0, np.pi, 901), 1024, 32
    rng = np.random.default_rng(0)
    one = scan(angles, n_x, 1, 520.0, 0.0, rng)
    sinograms = one + rng.normal(0, 0.01, (n_rows, *one.shape[1:])).astype(np.float32)
    start = time.process_time()
    gather_evidence(sinograms, angles, 96, EvidenceSettings(n_rows=256))
    ours = (time.process_time() - start) / n_rows
    start = time.process_time()
    _vo(sinograms, 0)
    peer = time.process_time() - start
    return [
        f"Evidence of {n_rows} rows of 256, {n_x} px and {len(angles)} angles, on one core: "
        f"{ours:.3f} CPU s a row, all methods and the histogram; algotom's Vo alone {peer:.1f}."
    ]


def _vo(sinograms: NDArray[np.float32], row: int) -> float:
    return float(algotom.find_center_vo(sinograms[row], ncore=1))


def _phase_correlation(sinograms: NDArray[np.float32], row: int) -> float:
    first, last = sinograms[:, 0], sinograms[:, -1]
    return float(algotom.find_center_based_phase_correlation(first, last))


def _overlap(sinograms: NDArray[np.float32], row: int) -> float:
    return float(algotom.find_center_360(sinograms[row], N_X // 8, ncore=1)[0])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
