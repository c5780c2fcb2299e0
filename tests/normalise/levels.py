"""Scans whose beam, flats or counts are not what they should be, and how right they come out.

The table of ``benchmarks/levels.py``, and the tests of each of its rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from tests.odd_scans.scene import DARK, Scene, counts, evenly, take

from tomobatch.normalise.normalise import normalise
from tomobatch.scan.open import open_scan
from tomobatch.scan.remarks import look_at


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes
    ----------
    name
        What is wrong.
    levels
        Of the beam, at even times from the start to the end of the scan.
    with_flats
        At which of these times flats are taken.
    photons, absorption
        A pixel of the beam, and along a line through the object.
    full
        Where the camera's counts end.
    """

    name: str
    levels: Sequence[float] = (1.0,)
    with_flats: Sequence[int] = (0,)
    photons: float = 20_000.0
    absorption: float = 1.5
    full: float = 65535.0


@dataclass(frozen=True)
class Outcome:
    """How right a row came out.

    Attributes
    ----------
    error
        Largest error of a projection's mean line integral.
    scale
        Of the line integrals through the object, 1 if right.
    warnings
        What is said.
    """

    error: float
    scale: float
    warnings: tuple[str, ...]


CASES = (
    *(Case(f"flats of two levels in one stack, {fall:.0%}", (1, 1 - fall), (0, 1))
      for fall in (0.05, 0.1, 0.3)),
    *(Case(f"flats before alone, the beam falls {fall:.0%}", (1, 1 - fall))
      for fall in (0.02, 0.05, 0.1, 0.3)),
    Case("the beam falls by 20% and recovers, flats at both ends", (1, 0.8, 1), (0, 2)),
    *(Case(f"{photons:g} photons behind exp(-{depth:g})", photons=photons, absorption=depth)
      for photons in (100, 300, 1000) for depth in (1, 2, 4)),
    *(Case(f"the camera ends at {share:.0%} of the beam", full=DARK + share * 20_000)
      for share in (1.1, 1.0, 0.9, 0.7, 0.5)),
)  # fmt: skip


def outcome(case: Case, path: Path) -> Outcome:
    """Write the scan of a row, read and normalise it, and hold it against the exact lines."""
    scene = Scene(
        evenly(60),
        n_rows=12,
        n_cols=96,
        cor_px=49.0,
        absorption=case.absorption,
        photons=case.photons,
    )
    scan = take(scene, case.levels, faults=False)
    flats = np.split(scan.flats, len(case.levels))
    stacks = {
        "data": scan.projections,
        "data_white": np.concatenate([flats[i] for i in case.with_flats]),
        "data_dark": scan.darks,
    }
    with h5py.File(path, "w") as file:
        for name, stack in stacks.items():
            file[f"exchange/{name}"] = counts(np.minimum(stack, case.full))
        file["exchange/theta"] = scan.angles_deg
        file["exchange/theta"].attrs["units"] = "deg"
    with open_scan(path) as opened:
        look = look_at(opened, opened.flats(), opened.darks())
        raw = opened.read_projections(0, opened.header.n_projections)
    found = normalise(raw, 0, look.references).line_integrals.astype(np.float64)
    exact = scene.line_integrals()
    behind = exact > 0.5 * case.absorption
    return Outcome(
        float(np.abs((found - exact).mean(axis=(1, 2))).max()),
        float(found[behind].sum() / exact[behind].sum()),
        look.warnings,
    )
