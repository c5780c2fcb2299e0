"""Stated angles held against projections whose true angles are known."""

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from tomobatch.errors import UserError
from tomobatch.phantom.write import write_phantom
from tomobatch.scan.angle_check import AngleVerdict, check_angles, effective_angles
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

Stated = np.ndarray | None
Make = Callable[[int, bool, float, Stated], Path]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make a scan with true angles, and other angles in the file if some are given."""
    folder = tmp_path_factory.mktemp("angles")

    def write(n_angles: int, inclusive: bool, range_deg: float, stated_deg: Stated) -> Path:
        path = folder / f"{n_angles}-{inclusive}-{range_deg}.h5"
        if not path.exists():
            step = range_deg / (n_angles - 1 if inclusive else n_angles)
            write_phantom(
                path, size=96, n_rows=24, n_angles=n_angles, angle_range_deg=step * n_angles, seed=2
            )
        if stated_deg is None:
            stated_deg = np.linspace(0, range_deg, n_angles, endpoint=inclusive)
        with h5py.File(path, "r+") as file:
            file["exchange/theta"][:] = stated_deg
        return path

    return write


ORDINARY = [
    (100, False, 180.0),
    (101, True, 180.0),
    (150, False, 180.0),
    (151, True, 180.0),
    (200, False, 360.0),
    (201, True, 360.0),
    (150, False, 270.0),
    (131, True, 194.0),
]


@pytest.mark.parametrize(("n_angles", "inclusive", "range_deg"), ORDINARY)
def test_right_angles_are_left_alone(
    make: Make, n_angles: int, inclusive: bool, range_deg: float
) -> None:
    with open_scan(make(n_angles, inclusive, range_deg, None)) as scan:
        check = check_angles(scan)
        effective = effective_angles(scan, check)
        assert check.verdict is AngleVerdict.FITS
        assert check.measured is not None
        assert check.measured.lag == pytest.approx(check.stated_half_turn, abs=0.4)
        np.testing.assert_array_equal(effective.angles_rad, scan.header.angles_rad)
    assert "(from the file): half a turn is" in effective.reason


@pytest.mark.parametrize(("n_angles", "inclusive", "range_deg"), ORDINARY[:4])
def test_a_wrong_end_is_found_and_mended(
    make: Make, n_angles: int, inclusive: bool, range_deg: float
) -> None:
    lie = np.linspace(0, range_deg, n_angles, endpoint=not inclusive)
    with open_scan(make(n_angles, inclusive, range_deg, lie)) as scan:
        check = check_angles(scan)
        effective = effective_angles(scan, check)
    assert check.verdict is (AngleVerdict.INCLUSIVE if inclusive else AngleVerdict.EXCLUSIVE)
    expected = np.linspace(0, range_deg, n_angles, endpoint=inclusive)
    np.testing.assert_allclose(np.rad2deg(effective.angles_rad), expected, atol=1e-9)
    assert effective.reason.endswith("datasets.angle_range_deg overrides")


def test_the_sense_of_rotation_and_the_first_angle_are_kept(make: Make) -> None:
    lie = 30 - np.linspace(0, 180, 101, endpoint=False)
    with open_scan(make(101, True, 180.0, lie)) as scan:
        effective = effective_angles(scan)
    np.testing.assert_allclose(np.rad2deg(effective.angles_rad), np.linspace(30, -150, 101))


@pytest.mark.parametrize(
    ("true_range_deg", "stated_range_deg"), [(180.0, 360.0), (360.0, 180.0), (270.0, 180.0)]
)
def test_a_wrong_range_is_told_but_not_guessed_at(
    make: Make, true_range_deg: float, stated_range_deg: float
) -> None:
    n_angles = 150
    lie = np.linspace(0, stated_range_deg, n_angles, endpoint=False)
    with open_scan(make(n_angles, False, true_range_deg, lie)) as scan:
        check = check_angles(scan)
        np.testing.assert_array_equal(
            effective_angles(scan, check).angles_rad, scan.header.angles_rad
        )
    assert check.verdict is AngleVerdict.MISFIT


@pytest.mark.parametrize(
    ("stated_deg", "reason"),
    [
        (np.linspace(0, 180, 100) ** 1.2, "they are not evenly spaced, and are not checked"),
        (np.zeros(100), "they are not evenly spaced, and are not checked"),
        (np.linspace(0, 120, 100), "they span less than half a turn"),
        (np.arange(100) * 4.0, "too little to check them by"),
    ],
)
def test_what_cannot_be_checked_is_left_alone(
    make: Make, stated_deg: np.ndarray, reason: str
) -> None:
    with open_scan(make(100, False, 180.0, stated_deg)) as scan:
        check = check_angles(scan)
    assert (check.verdict, check.reason) == (AngleVerdict.UNCLEAR, reason)


def test_noise_alone_changes_no_angles(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "noise.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = rng.poisson(1000, (120, 8, 64)).astype(np.uint16)
        file["exchange/data_white"] = rng.poisson(1000, (10, 8, 64)).astype(np.uint16)
        file["exchange/theta"] = np.linspace(0, 180, 120, endpoint=False)
    with open_scan(path) as scan:
        check = check_angles(scan)
    assert check.verdict is AngleVerdict.UNCLEAR


def test_angles_of_the_config_are_not_doubted(make: Make) -> None:
    path = make(101, True, 180.0, None)
    with open_scan(path, DatasetSettings(angle_range_deg=(0, 178))) as scan:
        effective = effective_angles(scan)
    assert effective.reason == "angles 0..178 degrees (from the config)"


def test_the_tooth_covers_180_degrees_with_both_ends(real_scan: Path) -> None:
    with open_scan(real_scan) as scan:
        check = check_angles(scan)
        effective = effective_angles(scan, check)
    assert check.verdict is AngleVerdict.INCLUSIVE
    assert check.measured is not None
    assert check.measured.lag == pytest.approx(180, abs=0.25)
    np.testing.assert_allclose(np.rad2deg(effective.angles_rad), np.linspace(0, 180, 181))
    assert effective.reason.startswith("angles 0..180 degrees instead of 0..179 degrees")


def rewrite(source: Path, path: Path, **changes: np.ndarray) -> Path:
    """Copy a scan with other datasets in ``exchange``."""
    shutil.copy(source, path)
    with h5py.File(path, "r+") as file:
        for name, values in changes.items():
            del file[f"exchange/{name}"]
            file[f"exchange/{name}"] = values
    return path


@pytest.mark.parametrize("first", [200, 350])
@pytest.mark.parametrize("sense", [1, -1])
def test_angles_modulo_a_turn_are_checked_and_go_on(
    make: Make, first: float, sense: int, tmp_path: Path
) -> None:
    true = first + sense * np.linspace(0, 180, 100, endpoint=False)
    source = make(100, False, 180.0, None)
    with open_scan(rewrite(source, tmp_path / "a.h5", theta=np.mod(true, 360))) as scan:
        check = check_angles(scan)
        effective = effective_angles(scan, check)
    assert check.verdict is AngleVerdict.FITS
    assert effective.warning is None
    found = np.rad2deg(effective.angles_rad)
    np.testing.assert_allclose(found - found[0], true - true[0], atol=1e-9)


@pytest.mark.parametrize("missing", [[], [40], [30, 57, 58]])
def test_missing_projections_do_not_keep_a_wrong_end(
    make: Make, missing: list[int], tmp_path: Path
) -> None:
    """The angles of those that are left are mended as if none were missing."""
    lie = np.linspace(0, 180, 101, endpoint=False)
    path = rewrite(make(101, True, 180.0, None), tmp_path / "a.h5", theta=lie)
    with open_scan(path, DatasetSettings(exclude=missing)) as scan:
        check = check_angles(scan)
        effective = effective_angles(scan, check)
    assert check.verdict is AngleVerdict.INCLUSIVE
    kept = np.delete(np.linspace(0, 180, 101), missing)
    found = np.rad2deg(effective.angles_rad)
    np.testing.assert_allclose(np.diff(found), np.diff(kept), atol=0.04)
    assert effective.warning is not None
    assert effective.warning.endswith("datasets.angle_range_deg overrides")


@pytest.mark.parametrize("end_deg", [200, 270, 360, -360])
def test_a_range_of_the_config_is_held_against_the_projections(make: Make, end_deg: int) -> None:
    path = make(150, False, 180.0, None)
    with open_scan(path, DatasetSettings(angle_range_deg=(0, end_deg))) as scan:
        effective = effective_angles(scan)
        np.testing.assert_array_equal(effective.angles_rad, scan.header.angles_rad)
    assert effective.warning is not None
    assert effective.warning.startswith("the angle range does not fit: ")
    assert effective.warning.endswith("datasets.angle_range_deg is used all the same")


@pytest.mark.parametrize("jitter_px", [1, 3])
@pytest.mark.parametrize("seed", range(3))
def test_jitter_does_not_override_right_angles(
    make: Make, jitter_px: int, seed: int, tmp_path: Path
) -> None:
    source = make(150, False, 180.0, None)
    rng = np.random.default_rng(seed)
    with h5py.File(source) as file:
        counts = file["exchange/data"][:]
    for picture in counts:
        shift = rng.normal(0, jitter_px, 2).round().astype(int)
        picture[:] = np.roll(picture, shift, axis=(0, 1))
    with open_scan(rewrite(source, tmp_path / "a.h5", data=counts)) as scan:
        effective = effective_angles(scan)
        np.testing.assert_array_equal(effective.angles_rad, scan.header.angles_rad)


@pytest.mark.parametrize("photons", [30, 100, 300])
def test_few_photons_do_not_override_right_angles(make: Make, photons: int, tmp_path: Path) -> None:
    source = make(150, False, 180.0, None)
    rng = np.random.default_rng(photons)
    changes = {}
    with h5py.File(source) as file:
        dark = float(np.median(file["exchange/data_dark"][:]))
        level = float(np.median(file["exchange/data_white"][:])) - dark
        for name in ("data", "data_white", "data_dark"):
            signal = np.clip(file[f"exchange/{name}"][:] - dark, 0, None) * photons / level
            changes[name] = (rng.poisson(signal) + 10).astype(np.uint16)
    with open_scan(rewrite(source, tmp_path / "a.h5", **changes)) as scan:
        effective = effective_angles(scan)
        np.testing.assert_array_equal(effective.angles_rad, scan.header.angles_rad)


def test_dead_columns_do_not_look_like_a_wrong_range(make: Make, tmp_path: Path) -> None:
    source = make(100, False, 180.0, None)
    with h5py.File(source) as file:
        changes = {name: file[f"exchange/{name}"][:] for name in ("data", "data_white")}
        dark = int(np.median(file["exchange/data_dark"][:]))
    for frames in changes.values():
        frames[:, :, [20, 21, 70]] = dark
        frames[:, 3:8, 40:44] = 0
    with open_scan(rewrite(source, tmp_path / "a.h5", **changes)) as scan:
        assert check_angles(scan).verdict is AngleVerdict.FITS


@pytest.mark.parametrize("cor_px", [20.0, 76.0, 12.0])
def test_an_axis_far_off_the_centre_is_no_wrong_range(cor_px: float, tmp_path: Path) -> None:
    path = tmp_path / "off.h5"
    write_phantom(
        path, size=96, n_rows=24, n_angles=200, angle_range_deg=360, cor_px=cor_px, seed=3
    )
    with open_scan(path) as scan:
        assert check_angles(scan).verdict in (AngleVerdict.FITS, AngleVerdict.UNCLEAR)


def test_sinograms_instead_of_projections_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["exchange/data"] = np.ones((6, 30, 40), np.uint16)
        file["exchange/data_white"] = np.ones((3, 30, 40), np.uint16)
        file["exchange/theta"] = np.linspace(0, 180, 30)
    with pytest.raises(UserError, match=r"it looks stored as sinograms \(y, angle, x\)"):
        open_scan(path)
