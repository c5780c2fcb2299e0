"""Angles, axes and objects as they come."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from tests.odd_scans.row import Row, Written
from tests.odd_scans.scene import Floats, evenly, take
from tests.odd_scans.writers import N_ANGLES, scene, taken, write_dx

_HALF_TURN = evenly(N_ANGLES)


def of(folder: Path, angles_deg: Floats | None = None, **changes: Any) -> Written:
    return write_dx(folder / "scan.h5", take(scene(angles_deg, **changes)))


def stated(folder: Path, states: Floats, unit: str | None, **changes: Any) -> Written:
    """Write a scan whose file states other values for its angles."""
    written = of(folder, **changes)
    with h5py.File(written.path, "a") as file:
        del file["exchange/theta"]
        file["exchange/theta"] = states
        if unit is not None:
            file["exchange/theta"].attrs["units"] = unit
    return written


def faintest(folder: Path, absorption: float) -> Written:
    return write_dx(folder / "scan.h5", taken(absorption=absorption))


_DOUBT = ("cor", "calibrate.cor_px")
_OF_ALL = np.concatenate([np.zeros(20), _HALF_TURN])
_FULL = evenly(180, 360.0)

ROWS = (
    Row("radians, decreasing, without a unit", lambda folder: stated(
        folder, -np.deg2rad(_HALF_TURN), None, angles_deg=-_HALF_TURN)),
    Row("radians labelled degrees", lambda folder: stated(
        folder, np.deg2rad(_HALF_TURN), "degrees"),
        words=("radians are taken",)),
    Row("degrees labelled radians", lambda folder: stated(folder, _HALF_TURN, "rad"),
        words=("degrees are taken",)),
    Row("an angle more than projections", lambda folder: stated(
        folder, evenly(N_ANGLES + 1, 180 * (1 + 1 / N_ANGLES)), "deg"), words=("101 angles",)),
    Row("an angle for each flat and dark too", lambda folder: stated(folder, _OF_ALL, "deg"),
        words=("120 angles", "20 to 119")),
    Row("full turn with both ends", lambda folder: of(folder, evenly(181, 360.0, closed=True))),
    Row("golden angles", lambda folder: of(
        folder, np.mod(np.arange(N_ANGLES) * 111.24611797, 180))),
    Row("three turns", lambda folder: of(folder, evenly(300, 1080.0))),
    Row("one row of many turns", lambda folder: of(folder, evenly(1500, 1800.0), n_rows=1)),
    Row("angles through 360", lambda folder: of(folder, np.mod(_HALF_TURN + 200, 360))),
    Row("angles through 360, decreasing", lambda folder: of(folder, np.mod(20 - _HALF_TURN, 360))),
    Row("one row", lambda folder: of(folder, n_rows=1)),
    Row("odd numbers of everything", lambda folder: of(
        folder, evenly(97), n_rows=5, n_cols=83, cor_px=42.6)),
    Row("axis at a quarter of the width", lambda folder: of(folder, cor_px=20.5, size=0.5)),
    Row("axis outside the detector", lambda folder: of(folder, cor_px=-4.0), "warned", _DOUBT),
    Row("half acquisition, left", lambda folder: of(folder, _FULL, cor_px=11.0, size=1.5),
        words=("half acquisition",)),
    Row("half acquisition, right", lambda folder: of(folder, _FULL, cor_px=61.0, size=1.5),
        words=("half acquisition",)),
    Row("object wider than the detector", lambda folder: of(folder, size=1.7), "warned",
        ("field of view", "at the edges of the detector")),
    Row("hardly any object", lambda folder: faintest(folder, 0.01), "warned", _DOUBT),
    Row("nothing in the beam", lambda folder: faintest(folder, 1e-9), "warned",
        (*_DOUBT, "nothing in the beam", "whether datasets.projections names")),
)  # fmt: skip
