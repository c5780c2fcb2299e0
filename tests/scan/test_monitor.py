"""The monitor of the beam is followed where the projections bear it out."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.scan.open import open_scan
from tomobatch.scan.remarks import Look, look_at

N, SHAPE = 120, (8, 64)
DARK = 100


def paths() -> np.ndarray:
    x = np.arange(SHAPE[1])
    middle = 32 + 8 * np.sin(np.linspace(0, np.pi, N, endpoint=False))
    one = np.clip(1.2 - np.abs(x - middle[:, None]) / 12, 0, None)
    return np.broadcast_to(one[:, None], (N, *SHAPE))


def write(path: Path, beam: np.ndarray, monitor: np.ndarray) -> Path:
    """Write an NXtomo scan: darks, flats before, projections, flats after."""
    rng = np.random.default_rng(1)
    level = 20_000 * rng.normal(1, 0.03, SHAPE)
    attenuation = np.concatenate([np.zeros((10, *SHAPE)), paths(), np.zeros((10, *SHAPE))])
    lit = rng.poisson(level * np.exp(-attenuation) * beam[:, None, None])
    stack = np.concatenate([np.zeros((5, *SHAPE)), lit]) + DARK
    with h5py.File(path, "w") as file:
        file["entry/instrument/detector/data"] = stack.astype(np.uint16)
        file["entry/instrument/detector/image_key"] = [2] * 5 + [1] * 10 + [0] * N + [1] * 10
        angles = np.concatenate([np.zeros(15), np.linspace(0, 180, N, endpoint=False), [180] * 10])
        file["entry/sample/rotation_angle"] = angles
        file["entry/control/data"] = np.concatenate([np.full(5, monitor[0]), monitor])
    return path


def elsewhere(path: Path, place: str) -> Path:
    """Put the monitor of an NXtomo scan where another beamline keeps it."""
    with h5py.File(path, "a") as file:
        readings = file["entry/control/data"][:]
        del file["entry/control"]
        if place.startswith("entry"):
            file[place] = readings
            return path
        stack = file["entry/instrument/detector/data"][:]
        with h5py.File(path.with_suffix(".h5"), "w") as other:
            other["exchange/data"] = stack[15:-10]
            other["exchange/data_white"] = np.concatenate([stack[5:15], stack[-10:]])
            other["exchange/data_dark"] = stack[:5]
            other["exchange/theta"] = np.linspace(0, 180, N, endpoint=False)
            other[place] = readings[15:-10]
    return path.with_suffix(".h5")


def look(path: Path, **settings: bool) -> tuple[Look, np.ndarray]:
    chosen = NormaliseSettings(**settings)
    with open_scan(path) as scan:
        found = look_at(scan, scan.flats(), scan.darks(), chosen)
        counts = scan.read_projections(0, N)
    return found, normalise(counts, 0, found.references, chosen).line_integrals


# A ring that is filled up once, and a beam that flickers.
STEPS = np.where(np.arange(N + 20) < 70, 1 - 0.002 * np.arange(N + 20), 1.0)
FLICKER = 1 + 0.05 * np.sin(np.arange(N + 20))


@pytest.mark.parametrize("beam", [STEPS, FLICKER])
def test_a_monitor_that_is_borne_out_is_followed(beam: np.ndarray, tmp_path: Path) -> None:
    path = write(tmp_path / "a.nx", beam, 200 * beam)
    found, followed = look(path)
    assert [line for line in found.warnings if "every projection is scaled by it" in line]
    errors = (followed - paths()).mean(axis=(1, 2))
    assert np.abs(errors).max() < 0.004
    _, without = look(path, monitor=False)
    assert np.abs((without - paths()).mean(axis=(1, 2))).max() > 0.03


PLACES = (
    "entry/data/control",
    "entry/control",
    "entry/instrument/machine/current",
    "entry/instrument/ring/current",
    "measurement/instrument/source/current",
    "measurement/instrument/source/beam_intensity_incident",
)


@pytest.mark.parametrize("place", PLACES)
def test_a_monitor_is_found_where_beamlines_keep_it(place: str, tmp_path: Path) -> None:
    path = elsewhere(write(tmp_path / "a.nx", FLICKER, 200 * FLICKER), place)
    found, followed = look(path)
    assert [line for line in found.warnings if "every projection is scaled by it" in line]
    errors = (followed - paths()).mean(axis=(1, 2))
    # A file without readings of its flats leaves their level to those of projections beside them.
    assert np.abs(errors - errors.mean()).max() < 0.004
    assert abs(errors.mean()) < (0.004 if place.startswith("entry") else 0.02)


def test_a_monitor_of_something_else_is_not_followed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nx", np.ones(N + 20), FLICKER)
    found, line_integrals = look(path)
    assert [line for line in found.warnings if "it is not used" in line]
    assert np.abs((line_integrals - paths()).mean(axis=(1, 2))).max() < 0.004


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_monitor_that_read_nothing_is_not_followed(value: float, tmp_path: Path) -> None:
    monitor = FLICKER.copy()
    monitor[40] = value
    found, _ = look(write(tmp_path / "a.nx", np.ones(N + 20), monitor))
    assert found.references.offsets is None
