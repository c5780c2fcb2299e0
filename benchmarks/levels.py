"""How right line integrals are where the beam changes, counts are few, or the camera saturates.

Prints a page of Markdown: ``python benchmarks/levels.py > benchmarks/results/levels.md``.
"""

import logging
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.normalise.levels import CASES, outcome

logging.disable()
print("# Beams that change, few counts and saturation\n")
print(f"{datetime.now(UTC):%Y-%m-%d}. Exact line integrals, 60 projections of 12 x 96 px, 20,000")
print("photons unless said. Error: the largest of a projection's mean line integral. Scale: of the")
print("line integrals through the object. Tests hold every row to 5 % or a warning, and the flats")
print("of two levels to 0.005.\n")
print("| scan | error | scale | said |")
print("|---|--:|--:|---|")
with tempfile.TemporaryDirectory() as folder:
    for case in CASES:
        found = outcome(case, Path(folder) / "scan.h5")
        said = "<br>".join(found.warnings)
        print(f"| {case.name} | {found.error:.4f} | {found.scale:.4f} | {said} |")
