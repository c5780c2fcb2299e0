"""What ``inspect`` says of scans with one thing wrong each."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.scan import stacks

from tomobatch.errors import UserError
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.phantom.write import write_phantom
from tomobatch.scan.inspection import inspect, render
from tomobatch.scan.open import open_scan
from tomobatch.scan.remarks import look_at
from tomobatch.scan.settings import DatasetSettings

N_ANGLES = 130


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scan with nothing odd about it."""
    path = tmp_path_factory.mktemp("sound") / "sound.h5"
    write_phantom(path, size=64, n_rows=16, n_angles=N_ANGLES, seed=1)
    return path


def change(path: Path, name: str, values: np.ndarray) -> None:
    with h5py.File(path, "r+") as file:
        del file[f"exchange/{name}"]
        file[f"exchange/{name}"] = values


def read(path: Path, name: str) -> np.ndarray:
    with h5py.File(path) as file:
        return file[f"exchange/{name}"][:]


def test_a_sound_scan(sound: Path) -> None:
    inspection = inspect(sound)
    assert inspection.problems == ()
    assert inspection.oddities == ()
    assert inspection.facts["projections"] == "130 of 16 rows x 64 columns, uint16, 0 MB"
    assert inspection.facts["angles"].startswith("0..178.6 degrees (from the file): half a turn is")
    assert inspection.facts["truth"].startswith("centre of rotation ")
    text = render(inspection)
    assert text.endswith("Nothing odd was found.")
    assert json.loads(json.dumps(inspection.to_dict()))["facts"] == inspection.facts


def drop_angles(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["exchange/theta"]


def drop_darks(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        del file["exchange/data_dark"]


def double_range(path: Path) -> None:
    change(path, "theta", np.linspace(0, 360, N_ANGLES, endpoint=False))


def shorten_range(path: Path) -> None:
    change(path, "theta", np.linspace(0, 120, N_ANGLES))


def move_end(path: Path) -> None:
    change(path, "theta", np.linspace(0, 180, N_ANGLES))


def saturate(path: Path) -> None:
    counts = read(path, "data")
    counts[:, :, :3] = 2**16 - 1
    change(path, "data", counts)


def dim_flats(path: Path) -> None:
    change(path, "data_white", (read(path, "data_white") * 0.7).astype(np.uint16))


def brighten_flats(path: Path) -> None:
    change(path, "data_white", (read(path, "data_white") * 1.6).astype(np.uint16))


def lose_beam(path: Path) -> None:
    flats = read(path, "data_white").astype(float)
    flats[len(flats) // 2 :] *= 0.8
    change(path, "data_white", flats.astype(np.uint16))


def exchange_references(path: Path) -> None:
    flats, darks = read(path, "data_white"), read(path, "data_dark")
    change(path, "data_white", darks)
    change(path, "data_dark", flats)


def skip_angles(path: Path) -> None:
    change(path, "data", read(path, "data")[::5])
    change(path, "theta", read(path, "theta")[::5])


def spoil_frames(path: Path) -> None:
    counts = read(path, "data").astype(np.float32)
    counts[[3, 7, 8, 20, 30, 31], 2, 5] = np.nan
    counts[9, 1, 1] = np.inf
    change(path, "data", counts)


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (drop_angles, "no angles: 0..180 degrees is assumed; give datasets.angle_range_deg"),
        (
            drop_darks,
            "comes out too low; take ten with the beam off, and name them by datasets.darks",
        ),
        (double_range, "the angle range does not fit: "),
        (shorten_range, "the angles leave 60 degrees of the half turn unseen: expect streaks"),
        (shorten_range, "give datasets.angle_range_deg if the angles are wrong, or try"),
        (move_end, "the angle range 0..180 without its end fits instead: "),
        (saturate, "of the projections are saturated at 65535: shorten the exposure"),
        (dim_flats, "times as bright as the flats: the beam or the exposure was not the same"),
        (brighten_flats, "or the flats were taken with more beam"),
        (lose_beam, "between the series of flats: normalise.flats: interpolate follows"),
        (skip_angles, "26 projections are few for 64 columns (101 resolve them fully)"),
        (skip_angles, "expect streaks; take more, or try reconstruct.method: tv"),
        (spoil_frames, "7 projections hold NaN or infinity: 3, 7, 8, 9, 20, ... (the first is 0)"),
    ],
)
def test_what_is_odd_is_told(
    spoil: Callable[[Path], None], expected: str, sound: Path, tmp_path: Path
) -> None:
    path = tmp_path / "odd.h5"
    shutil.copy(sound, path)
    spoil(path)
    inspection = inspect(path)
    assert inspection.problems == ()
    assert [oddity for oddity in inspection.oddities if expected in oddity], inspection.oddities
    assert f"Odd:\n  - {inspection.oddities[0]}" in render(inspection)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"data_white": None}, "no flats found"),
        ({"theta": np.arange(4.0)}, "/exchange/theta has 4 angles, but /exchange/data has 12"),
    ],
)
def test_what_keeps_a_scan_from_being_reconstructed_is_told(
    changes: dict[str, np.ndarray | None], expected: str, tmp_path: Path
) -> None:
    inspection = inspect(stacks.write_data_exchange(tmp_path / "a.h5", **changes))
    assert len(inspection.problems) == 1
    assert expected in inspection.problems[0]
    assert f"Cannot be reconstructed:\n  - {inspection.problems[0]}" in render(inspection)


def test_references_that_were_exchanged(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "exchanged.h5"
    shutil.copy(sound, path)
    exchange_references(path)
    (problem,) = inspect(path).problems
    assert problem == (
        f"{path}: the flats are nowhere brighter than the darks: check that they are not exchanged"
    )


def test_paths_of_the_config_are_used(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "moved.h5"
    shutil.copy(sound, path)
    with h5py.File(path, "r+") as file:
        file.move("exchange/data_white", "elsewhere")
    assert "no flats" in inspect(path).problems[0]
    assert inspect(path, DatasetSettings(flats="elsewhere")).problems == ()


def test_a_scan_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        inspect(tmp_path / "none.h5")


def test_the_tooth(real_scan: Path) -> None:
    inspection = inspect(real_scan)
    assert inspection.problems == ()
    told = "\n".join(inspection.oddities)
    assert "181 projections are few for 640 columns" in told
    assert "the angle range 0..180 with both ends fits instead" in told
    assert len(inspection.oddities) == 2


@pytest.mark.parametrize("given", ["transmission", "line_integrals"])
def test_a_scan_divided_by_its_flats_already(given: str, sound: Path, tmp_path: Path) -> None:
    with open_scan(sound) as scan:
        counts = scan.read_projections(0, N_ANGLES).astype(float)
        flats = np.median(scan.flat_series()[0].frames, axis=0)
        dark = np.median(scan.darks(), axis=0)
    lit = np.clip((counts - dark) / np.maximum(flats - dark, 1), 1e-3, 2)
    path = tmp_path / "ready.h5"
    shutil.copy(sound, path)
    change(path, "data", lit if given == "transmission" else -np.log(lit))
    with h5py.File(path, "r+") as file:
        del file["exchange/data_white"], file["exchange/data_dark"]
    assert "normalise.input: transmission" in inspect(path).problems[0]
    settings = NormaliseSettings(input=given)
    with open_scan(path) as scan:
        look = look_at(scan, scan.flats(), scan.darks(), settings)
    assert look.warnings == ()
    assert "half a turn is" in look.angles.reason
