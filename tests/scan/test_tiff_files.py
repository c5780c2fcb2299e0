"""TIFF files as programs write them: pages, codecs, damage."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.scan import stacks
from tests.scan.tiff_as_it_lies import N, check, write, write_scan

from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings


@pytest.mark.parametrize("bigtiff", [True, False])
@pytest.mark.parametrize("thumbnail", [True, False])
def test_pages_written_one_by_one(bigtiff: bool, thumbnail: bool, tmp_path: Path) -> None:
    folder = tmp_path
    write(folder / "flats", [f"f{i}" for i in range(stacks.N_FLATS)], stacks.FLATS_BEFORE)
    write(folder / "darks", [f"d{i}" for i in range(stacks.N_DARKS)], stacks.DARKS)
    with tifffile.TiffWriter(folder / "scan.tif", bigtiff=bigtiff) as file:
        for picture in stacks.PROJECTIONS:
            file.write(picture)
        if thumbnail:
            file.write(stacks.PROJECTIONS[0, :2, :2])
    notes = check(folder / "scan.tif")
    expected = "1 pages of scan.tif are of another size and are left out"
    assert notes == ((expected,) if thumbnail else ())


def test_pages_that_were_appended(tmp_path: Path) -> None:
    write(tmp_path / "flats", [f"f{i}" for i in range(stacks.N_FLATS)], stacks.FLATS_BEFORE)
    write(tmp_path / "darks", [f"d{i}" for i in range(stacks.N_DARKS)], stacks.DARKS)
    for first in range(0, N, 4):
        part = stacks.PROJECTIONS[first : first + 4]
        tifffile.imwrite(tmp_path / "scan.tif", part, append=True, photometric="minisblack")
    assert check(tmp_path / "scan.tif") == ()


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "lzw"},
        {"compression": "lzw", "predictor": True, "byteorder": ">", "tile": (16, 16)},
        {"compression": "zstd"},
        {"compression": "packbits"},
        {"compression": "lzma"},
        {"compression": "jpeg2000"},
    ],
)
def test_codecs(options: dict[str, object], tmp_path: Path) -> None:
    assert check(write_scan(tmp_path / "a", **options)) == ()


@pytest.mark.parametrize("damage", ["size", "type", "cut", "empty", "text"])
def test_a_picture_that_is_not_like_the_others(damage: str, tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a")
    path = folder / "p_0005.tif"
    if damage == "size":
        tifffile.imwrite(path, stacks.PROJECTIONS[5, :, 2:])
    elif damage == "type":
        tifffile.imwrite(path, stacks.PROJECTIONS[5].astype(np.float32))
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    else:
        path.write_bytes(b"" if damage == "empty" else b"no picture")
    kept = [i for i in range(N) if i != 5]
    notes = check(folder, kept=kept)
    assert notes[0].startswith("p_0005.tif: ")
    assert notes[1] == "1 of 12 projections cannot be read and are left out: 5 (the first is 0)"
    with open_scan(folder, DatasetSettings(angle_range_deg=(0, 110))) as scan:
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), 10.0 * np.array(kept))


def test_a_damaged_flat_is_left_out(tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a")
    (folder / "flats" / "f1.tif").write_bytes(b"")
    with open_scan(folder) as scan:
        assert scan.header.n_flats == 2
        assert scan.header.notes == (
            "1 pictures of folder flats cannot be read and are left out: 1 (the first is 0)",
        )


def test_a_truncated_file_of_pages(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", ["f0", "f1", "f2"], stacks.FLATS_BEFORE)
    for name in ("f0", "f1", "f2"):
        (folder / f"{name}.tif").rename(folder / f"flat_{name}.tif")
    tifffile.imwrite(folder / "scan.tif", stacks.PROJECTIONS, photometric="minisblack")
    with tifffile.TiffFile(folder / "scan.tif") as file:
        first_byte = file.series[0].dataoffset
    whole = (folder / "scan.tif").read_bytes()
    (folder / "scan.tif").write_bytes(whole[: first_byte + 9 * 5 * 7 * 2 + 11])
    with open_scan(folder / "scan.tif") as scan:
        assert scan.header.n_projections == 9
        found = scan.read_projections(0, scan.header.n_projections)
        np.testing.assert_array_equal(found, stacks.PROJECTIONS[: len(found)])
        assert "cannot be read and are left out" in scan.header.notes[0]
