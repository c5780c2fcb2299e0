"""Pictures told apart, put into order and left out by their names."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.scan import stacks
from tests.scan.tiff_as_it_lies import NUMBERED, N, check, refusal, write, write_scan

from tomobatch.scan.header import AngleSource
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings


def test_hidden_files_are_no_pictures(tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a")
    for path in list(folder.rglob("*.tif")):
        (path.parent / f"._{path.name}").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X" + bytes(100))
    assert check(folder) == ("12 hidden files, named like pictures, are left out",)


@pytest.mark.parametrize(
    "checks",
    [["S_0deg", "S_180deg"], ["S_180deg"], ["S_000_deg", "S_090_deg", "S_180_deg"], ["360deg_S"]],
)
def test_pictures_taken_as_a_check_are_left_out(checks: list[str], tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a", [f"S_{i:04d}" for i in range(N)])
    write(folder, checks, stacks.PROJECTIONS[: len(checks)])
    (note,) = check(folder)
    assert note == (
        f"{', '.join(f'{name}.tif' for name in sorted(checks))}: left out, as pictures taken to"
        " check the alignment"
    )


def test_a_folder_of_check_pictures_is_left_out(tmp_path: Path) -> None:
    for name, stack in (
        ("Tomo", stacks.PROJECTIONS),
        ("Flat_Before", stacks.FLATS_BEFORE),
        ("Dark_Before", stacks.DARKS),
        ("180deg", stacks.PROJECTIONS[-1:]),
    ):
        write(tmp_path / name, [f"{name}_{i:04d}" for i in range(len(stack))], stack)
    assert check(tmp_path) == ("180deg: left out, as pictures taken to check the alignment",)


@pytest.mark.parametrize(
    ("names", "degrees"),
    [
        ([f"rock_{angle:.4g}" for angle in 0.9 * np.arange(N)], 0.9 * np.arange(N)),
        ([f"a_{angle:g}" for angle in np.arange(-10, 50, 5.25)], np.arange(-10, 50, 5.25)),
        ([f"a_{i:03d}_{12.5 * i}" for i in range(N)], 12.5 * np.arange(N)),
        ([f"tomo_{15 * i}deg" for i in range(N)], 15.0 * np.arange(N)),
        ([f"theta{15 * i:03d}_x" for i in range(N)], 15.0 * np.arange(N)),
    ],
)
def test_angles_in_names_order_the_pictures_and_are_used(
    names: list[str], degrees: np.ndarray, tmp_path: Path
) -> None:
    folder = write_scan(tmp_path / "a", names)
    notes = check(folder)
    with open_scan(folder) as scan:
        assert scan.header.angle_source is AngleSource.FILE
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), degrees)
    first, last = degrees[[0, -1]]
    assert notes == (
        f"the angles are taken from the names of the pictures: {first:g} to {last:g} degrees",
    )


def test_whole_numbers_are_angles_only_if_the_config_says_so(tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a", [f"x_{15 * i}" for i in range(N)])
    assert check(folder) == ()
    with open_scan(folder) as scan:
        assert scan.header.angle_source is AngleSource.ASSUMED
    with open_scan(folder, DatasetSettings(angles="names")) as scan:
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), 15 * np.arange(N))


@pytest.mark.parametrize(
    "names",
    [
        [f"p{i}" for i in range(1, N + 1)],
        [f"scan-{i}" for i in range(N)],
        [f"scan_2.{i}" for i in range(N)],
        [f"2026-11-25_{i:02d}h_{7 * i:05d}" for i in range(N)],
        [f"x_{1000 + i}_{i * i}" for i in range(N)],
        ["alpha", "beta", "delta", "gamma", "lambda", "mu", "nu", "pi", "rho", "tau", "xi", "zeta"],
    ],
)
def test_names_in_their_order(names: list[str], tmp_path: Path) -> None:
    check(write_scan(tmp_path / "a", names))


def test_missing_numbers_leave_the_angles_of_the_others(tmp_path: Path) -> None:
    many = np.concatenate([stacks.PROJECTIONS] * 3)
    numbers = [i for i in range(36) if i not in (7, 20)]
    folder = write(tmp_path / "a", [f"p_{i:04d}" for i in numbers], many[numbers])
    write(folder / "flats", ["f0", "f1", "f2"], stacks.FLATS_BEFORE)
    with open_scan(folder, DatasetSettings(angle_range_deg=(0, 175))) as scan:
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), 5.0 * np.array(numbers))
        assert scan.header.notes[0].startswith("2 numbers are missing in the names")
    np.savetxt(folder / "angles.txt", 5.0 * np.arange(36))
    with open_scan(folder) as scan:
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), 5.0 * np.array(numbers))


@pytest.mark.parametrize(
    ("one", "other"), [("a_{}", "b_{}"), ("s1_{}", "s2_{}"), ("x{}", "x{}_left")]
)
def test_two_series_are_refused_with_the_choice(one: str, other: str, tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a", [one.format(f"{i:04d}") for i in range(N)])
    write(folder, [other.format(f"{i:04d}") for i in range(N)])
    told = refusal(folder)
    assert "holds 2 series of pictures: " in told
    pattern = re.search(r"datasets\.projections: (\S+)$", told)
    assert pattern is not None
    assert pattern[1] in (f"{one.format('*')}.tif", f"{other.format('*')}.tif")
    assert check(folder, DatasetSettings(projections=f"{one.format('????')}.tif")) == ()


def test_a_stranger_among_the_pictures_is_left_out(tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a")
    write(folder, ["overview"], stacks.PROJECTIONS[:1, :2])
    assert check(folder) == ("overview.tif: left out, as named otherwise than the 12 others",)


def test_projections_in_a_folder_named_like_flats(tmp_path: Path) -> None:
    folder = write(tmp_path / "white_rat", NUMBERED).parent
    write(folder / "flats", [f"f{i}" for i in range(stacks.N_FLATS)], stacks.FLATS_BEFORE)
    write(folder / "darks", [f"d{i}" for i in range(stacks.N_DARKS)], stacks.DARKS)
    told = refusal(folder)
    assert "by their names all are flats or darks (darks, flats, white_rat)" in told
    assert check(folder, DatasetSettings(projections="white_rat")) == ()


@pytest.mark.parametrize("key", ["flats", "darks"])
def test_one_folder_has_one_role(key: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "a" / "tomo", NUMBERED).parent
    told = refusal(folder, DatasetSettings(projections="tomo", **{key: "tomo"}))
    assert told.startswith(f"datasets.{key}: folder tomo is taken for the projections already")


def numbered_series(folder: Path) -> Path:
    """Darks, flats, projections and flats in one series."""
    parts = [stacks.DARKS, stacks.FLATS_BEFORE, stacks.PROJECTIONS, stacks.FLATS_AFTER]
    stack = np.concatenate(parts)
    return write(folder, [f"bone{i + 1:04d}" for i in range(len(stack))], stack)


def test_ranges_of_one_numbered_series(tmp_path: Path) -> None:
    folder = numbered_series(tmp_path / "a")
    datasets = DatasetSettings(
        darks="bone{1..4}.tif",
        flats=["bone{5..7}.tif", "bone{0020..0022}.tif"],
        projections="bone{8..19}.tif",
    )
    check(folder, datasets)
    with open_scan(folder, datasets) as scan:
        assert [one.position for one in scan.flat_series()] == [0, N]
        np.testing.assert_array_equal(scan.flat_series()[1].frames, stacks.FLATS_AFTER)


def test_cuts_of_one_file_of_pages(tmp_path: Path) -> None:
    parts = [stacks.DARKS, stacks.FLATS_BEFORE, stacks.PROJECTIONS]
    tifffile.imwrite(tmp_path / "all.tif", np.concatenate(parts), photometric="minisblack")
    datasets = DatasetSettings(darks="all.tif[:4]", flats="all.tif[4:7]", projections="all.tif[7:]")
    assert check(tmp_path / "all.tif", datasets) == ()


def test_a_pattern_that_fits_nothing(tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a")
    told = refusal(folder, DatasetSettings(projections="q_*.tif"))
    assert told == f"{folder}: no picture fits q_*.tif (datasets.projections)"


def test_names_of_stanford(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", [f"scan_{i:03d}" for i in range(N)])
    write(folder, [f"io_{i}" for i in range(stacks.N_FLATS)], stacks.FLATS_BEFORE)
    write(folder, [f"di_{i}" for i in range(stacks.N_DARKS)], stacks.DARKS)
    assert check(folder) == ()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.xtekct", "[XTekCT]\nSrcToObject=120.5\nSrcToDetector=980.2\n"),
        ("s.pca", "[Geometry]\nFDD=800\nFOD=80\n"),
        ("s.log", "[System]\nScanner=Skyscan1172\nObject to Source (mm)=56.2\n"),
    ],
)
def test_the_file_of_a_laboratory_scanner_is_refused(name: str, text: str, tmp_path: Path) -> None:
    folder = write_scan(tmp_path / "a")
    (folder / name).write_text(text)
    assert "a cone beam (" in refusal(folder)
