"""A user's mistakes with scans: one clear line each."""

import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
from tests.scan import stacks

from tomobatch.errors import UserError
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings


def message(path: Path, datasets: DatasetSettings | None = None) -> str:
    """Open a scan that cannot be opened, and return what the user is told."""
    with pytest.raises(UserError) as error:
        open_scan(path, datasets)
    told = str(error.value)
    assert "\n" not in told
    return told


def test_a_missing_file_names_what_is_spelt_alike(tmp_path: Path) -> None:
    stacks.write_data_exchange(tmp_path / "tooth_1.h5")
    told = message(tmp_path / "tooth_l.h5")
    assert told == f"{tmp_path}/tooth_l.h5: no such file; did you mean tooth_1.h5?"
    assert message(tmp_path / "zzz") == f"{tmp_path}/zzz: no such file"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    told = message(tmp_path / "scans" / "a.h5")
    assert told == f"{tmp_path}/scans/a.h5: no such file; there is no scans in {tmp_path}"


@pytest.mark.parametrize(
    ("content", "expected"), [(b"angle,counts\n", "not an HDF5 file"), (b"", "an empty file")]
)
def test_a_file_of_no_known_format(content: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(content)
    assert message(tmp_path / "a.h5") == f"{tmp_path}/a.h5: {expected}"


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_truncated_file(share: float, tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert message(path).startswith(f"{path}: the file is truncated; copy it again")


def test_an_hdf5_file_that_is_no_scan_lists_what_may_be_one(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["run/pictures"] = stacks.PROJECTIONS
        file["run/positions"] = stacks.THETA_DEG
    assert message(path) == (
        f"{path}: neither Data Exchange nor NXtomo nor raw data of the ESRF; say where the"
        " projections are with datasets.projections (it has /run/pictures (12, 5, 7))"
    )


@pytest.mark.parametrize("key", ["projections", "flats", "darks", "angles"])
def test_a_wrong_dataset_path_lists_what_is_there(key: str, tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    told = message(path, DatasetSettings(**{key: "/exchange/nothing"}))
    assert told.startswith(f"{path}: no dataset /exchange/nothing (datasets.{key}); it has ")
    assert "/exchange/data (12, 5, 7), /exchange/data_dark (4, 5, 7)" in told


@pytest.mark.parametrize("count", [11, 0])
def test_an_angle_count_that_differs_from_the_projections(count: int, tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", theta=np.arange(count, dtype=float))
    assert message(path) == (
        f"{path}: /exchange/theta has {count} angles, but /exchange/data has 12 projections;"
        " give datasets.angle_range_deg, or the right path as datasets.angles"
    )
    with open_scan(path, DatasetSettings(angle_range_deg=(0, 180))) as scan:
        assert scan.header.problems == ()


def test_angles_that_are_no_numbers(tmp_path: Path) -> None:
    theta = stacks.THETA_DEG.copy()
    theta[3] = np.nan
    path = stacks.write_data_exchange(tmp_path / "a.h5", theta=theta)
    assert message(path) == (
        f"{path}: /exchange/theta holds NaN or infinity (projections 3); give"
        " datasets.angle_range_deg instead, or leave these out with datasets.exclude"
    )
    with open_scan(path, DatasetSettings(exclude=[3])) as scan:
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), np.delete(theta, 3))


def test_flats_of_another_size(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data_white=stacks.FLATS_BEFORE[:, :3])
    assert message(path) == (
        f"{path}: /exchange/data_white has 3 x 7 pixels, but the projections have 5 x 7;"
        " check the paths under datasets"
    )


@pytest.mark.parametrize("shape", [(4,), (2, 3, 4, 5)])
def test_projections_of_another_dimension(shape: tuple[int, ...], tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data=np.zeros(shape, np.uint16))
    expected = f"/exchange/data has shape {shape}, but pictures come as (n, y, x)"
    assert message(path) == f"{path}: {expected}"


def test_projections_that_are_no_numbers(tmp_path: Path) -> None:
    words = np.full((2, 3, 4), b"word")
    path = stacks.write_data_exchange(tmp_path / "a.h5", data=words)
    assert message(path) == f"{path}: /exchange/data holds |S4, not numbers"


def test_no_projections(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data=stacks.PROJECTIONS[:0])
    assert message(path) == f"{path}: /exchange/data holds no projections"


def test_several_nxtomo_entries(tmp_path: Path) -> None:
    path = stacks.write_nxtomo(tmp_path / "a.nxs", ("one", "two"))
    assert message(path) == (
        f"{path}: holds 2 scans; choose one with datasets.projections:"
        " /one/instrument/detector/data, /two/instrument/detector/data"
    )


def test_an_image_key_that_cannot_be_right(tmp_path: Path) -> None:
    path = stacks.write_nxtomo(tmp_path / "a.nxs")
    with h5py.File(path, "r+") as file:
        file["entry/instrument/detector/image_key"][:] = 7
    expected = "holds 7, but only 0 (projection), 1 (flat), 2 (dark) and 3 (invalid) mean anything"
    assert expected in message(path)


def test_damaged_pictures(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "exchange/data", data=stacks.PROJECTIONS, chunks=(1, 5, 7), compression="gzip"
        )
        file["exchange/data_white"] = stacks.FLATS_BEFORE
        place = data.id.get_chunk_info(4)
    content = bytearray(path.read_bytes())
    content[place.byte_offset : place.byte_offset + place.size] = bytes(place.size)
    path.write_bytes(content)
    with open_scan(path) as scan:
        np.testing.assert_array_equal(scan.read_projections(0, 4), stacks.PROJECTIONS[:4])
        with pytest.raises(UserError) as error:
            scan.read_projections(2, 6)
    assert str(error.value).startswith(
        f"{path}: pictures 2 to 5 of /exchange/data cannot be read: the file is damaged"
    )


def test_damaged_zarr_chunk(tmp_path: Path) -> None:
    path = stacks.write_zarr(tmp_path / "a.zarr", 3)
    (path / "projections" / "c" / "1" / "0" / "0").write_bytes(b"not compressed")
    with open_scan(path) as scan, pytest.raises(UserError) as error:
        scan.read_projections(0, 4)
    assert str(error.value).startswith(f"{path}: pictures 0 to 3 of array projections cannot be")


def test_a_range_beyond_the_scan(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    expected = re.escape(f"{path}: projections [10, 13) asked for, but it has 12")
    with open_scan(path) as scan, pytest.raises(UserError, match=expected):
        scan.read_projections(10, 13)


def test_zarr_without_projections(tmp_path: Path) -> None:
    path = stacks.write_zarr(tmp_path / "a.zarr", 3)
    assert message(path, DatasetSettings(projections="nothing")) == (
        f"{path}: no array nothing (datasets.projections)"
    )
    (path / "projections").rename(path / "something")
    assert message(path).startswith(f"{path}: no Zarr array of projections; looked for projections")


def remove_all(folder: Path) -> None:
    for item in (folder / "proj").iterdir():
        item.unlink()


def add_rival(folder: Path) -> None:
    (folder / "second").mkdir()
    tifffile.imwrite(folder / "second" / "a.tif", stacks.PROJECTIONS[0])


def cut_short(folder: Path) -> None:
    for path in (folder / "proj").iterdir():
        path.write_bytes(path.read_bytes()[:6])


def write_words(folder: Path) -> None:
    (folder / "angles.txt").write_text("zero\none\n")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (remove_all, "{folder}: no pictures of projections in this folder"),
        (
            add_rival,
            "{folder}: the projections may be in proj or second; say which with"
            " datasets.projections",
        ),
        (cut_short, "{folder}/proj/proj_0.tif: cannot be read as TIFF: "),
        (write_words, "{folder}/angles.txt: not a list of angles, one a line: "),
    ],
)
def test_tiffs_that_make_no_scan(
    spoil: Callable[[Path], None], expected: str, tmp_path: Path
) -> None:
    folder = stacks.write_tiff_folders(tmp_path / "a")
    spoil(folder)
    assert message(folder).startswith(expected.format(folder=folder))


def test_tiffs_of_several_sizes(tmp_path: Path) -> None:
    folder = stacks.write_tiff_folders(tmp_path / "a")
    for index in (2, 3, 5, 7, 11):
        tifffile.imwrite(folder / "proj" / f"proj_{index}.tif", stacks.PROJECTIONS[0, :2])
    told = message(folder)
    assert told.startswith(f"{folder}/proj/proj_2.tif: (2, 7) uint16, but most are (5, 7) uint16")
    assert told.endswith("5 of 12 pictures are not alike")


@pytest.mark.parametrize("key", ["projections", "flats", "darks", "angles"])
def test_a_wrong_path_beside_tiffs(key: str, tmp_path: Path) -> None:
    folder = stacks.write_tiff_folders(tmp_path / "a")
    told = message(folder, DatasetSettings(**{key: "nothing"}))
    assert told.startswith(f"{folder}/nothing: no such file")
    assert told.endswith(f"(datasets.{key})")
