"""Keys and references that lie elsewhere, end early, or are named in the configuration."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.scan import stacks
from tests.scan.hdf5_as_it_lies import ANGLES, KEY, STACK, camera_file, check, refusal, write

from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings


def diamond(folder: Path, far_key: bool) -> Path:
    """Pictures by an external link in one group, the key in another."""
    camera_file(folder / "pco.h5")
    path = folder / "scan.nxs"
    link = h5py.ExternalLink("pco.h5", "/entry/data/frames")
    with h5py.File(path, "w") as file:
        file["entry1/tomo_entry/data/data"] = link
        file["entry1/tomo_entry/data/rotation_angle"] = ANGLES
        file["entry1/tomo_entry/data/rotation_angle"].attrs["units"] = "degrees"
        if far_key:
            file["entry1/instrument/image_key/image_key"] = KEY
        else:
            file["entry1/tomo_entry/instrument/detector/image_key"] = KEY
            file["entry1/tomo_entry/instrument/detector/data"] = link
    return path


@pytest.mark.parametrize("far_key", [True, False])
@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"projections": "/entry1/tomo_entry/data/data"},
        {"projections": "entry1/tomo_entry"},
    ],
)
def test_a_key_that_lies_elsewhere_in_the_entry(
    far_key: bool, keys: dict[str, str], tmp_path: Path
) -> None:
    assert check(diamond(tmp_path, far_key), DatasetSettings(**keys)) == ()


@pytest.mark.parametrize("with_projections", [True, False])
def test_a_key_of_another_name_is_named_in_the_config(
    with_projections: bool, tmp_path: Path
) -> None:
    path = diamond(tmp_path, True)
    with h5py.File(path, "r+") as file:
        file.move("entry1/instrument/image_key/image_key", "elsewhere/frame_types")
    chosen = {"projections": "entry1/tomo_entry/data/data"} if with_projections else {}
    datasets = DatasetSettings(image_key="/elsewhere/frame_types", **chosen)
    assert check(path, datasets) == ()


def test_pictures_that_end_before_their_key(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nx", stack=STACK[:-3])
    with open_scan(path) as scan:
        assert scan.header.n_projections == stacks.N_PROJECTIONS - 3
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), stacks.THETA_DEG[:-3])
        assert scan.header.notes == (
            "/entry/instrument/detector/data has 16 pictures, but"
            " /entry/instrument/detector/image_key has 19 values, as after an aborted scan: the"
            " first 16 of both are used",
        )


def test_a_key_that_ends_before_its_pictures(tmp_path: Path) -> None:
    path = write(tmp_path / "a.nx", key=KEY[:-2])
    with open_scan(path) as scan:
        assert scan.header.n_projections == stacks.N_PROJECTIONS - 2
        assert "the first 17 of both are used" in scan.header.notes[0]


@pytest.mark.parametrize(
    ("flats", "name", "stack"),
    [
        ("flats.h5:/run/open", "run/open", stacks.FLATS_BEFORE),
        ("flats.h5", "any/where", stacks.FLATS_BEFORE),
        ("flats.h5", "exchange/data_white", stacks.FLATS_BEFORE),
        ("flats.h5:/all[4:7]", "all", STACK),
    ],
)
def test_flats_in_another_file(flats: str, name: str, stack: np.ndarray, tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data_white=None)
    with h5py.File(tmp_path / "flats.h5", "w") as file:
        file[name] = stack
    assert check(path, DatasetSettings(flats=flats)) == ()


def test_flats_of_another_nxtomo_file(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data_white=None, data_dark=None)
    write(tmp_path / "b.nx")
    assert check(path, DatasetSettings(flats="b.nx", darks="b.nx")) == ()


def test_flats_in_a_file_that_is_missing(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data_white=None)
    told = refusal(path, DatasetSettings(flats="flats.h5:/open"))
    assert told == f"{tmp_path}/flats.h5: no such file (datasets.flats)"


def test_a_stack_without_a_key_is_cut_by_the_config(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["all"] = STACK
        file["angles"] = stacks.THETA_DEG
    datasets = DatasetSettings(
        projections="all[7:]", flats="all[4:7]", darks="all[0:4]", angles="angles"
    )
    assert check(path, datasets) == ()


@pytest.mark.parametrize("key", ["flats", "darks"])
def test_one_stack_has_one_role(key: str, tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    told = refusal(path, DatasetSettings(**{key: "/exchange/data"}))
    assert told.startswith(f"datasets.{key}: /exchange/data is taken for the projections already")


def test_a_fourth_axis_of_length_one(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data=stacks.PROJECTIONS[:, None])
    assert check(path, n_flats=6) == ()
