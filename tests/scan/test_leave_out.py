"""Projections that are left out, and those that were never written."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.scan import stacks

from tomobatch.errors import UserError
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

N = stacks.N_PROJECTIONS


@pytest.mark.parametrize(
    ("exclude", "left_out"),
    [
        ([3], [3]),
        ([3, "5-7"], [3, 5, 6, 7]),
        ("0, 10-11", [0, 10, 11]),
        ("2..4", [2, 3, 4]),
        (["11"], [11]),
    ],
)
@pytest.mark.parametrize("write", [stacks.write_data_exchange, stacks.write_nxtomo])
def test_projections_are_left_out_with_their_angles(
    write, exclude: str | list[int | str], left_out: list[int], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.h5")
    kept = np.delete(np.arange(N), left_out)
    with open_scan(path, DatasetSettings(exclude=exclude)) as scan:
        assert scan.header.n_projections == len(kept)
        np.testing.assert_array_equal(scan.read_projections(0, len(kept)), stacks.PROJECTIONS[kept])
        np.testing.assert_array_equal(
            scan.read_projections(2, 5, slice(1, 3)), stacks.PROJECTIONS[kept[2:5], 1:3]
        )
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), stacks.THETA_DEG[kept])
        # Flats keep their time among the projections that are left.
        assert [one.position for one in scan.flat_series()] == [0, len(kept)]
        assert scan.header.notes == (f"{len(left_out)} projections are left out by the config",)


@pytest.mark.parametrize(
    ("include", "kept"),
    [
        ("every 5", [0, 5, 10]),
        ("4-9", range(4, 10)),
        ("4-9 every 2", [4, 6, 8]),
        ([0, "4..9 every 4", "11"], [0, 4, 8, 11]),
        ("every 1", range(N)),
    ],
)
@pytest.mark.parametrize("write", [stacks.write_data_exchange, stacks.write_nxtomo])
def test_projections_are_taken_with_their_angles(write, include, kept, tmp_path: Path) -> None:
    kept = np.array(kept)
    with open_scan(write(tmp_path / "a.h5"), DatasetSettings(include=include)) as scan:
        found = scan.read_projections(0, scan.header.n_projections)
        np.testing.assert_array_equal(found, stacks.PROJECTIONS[kept])
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), stacks.THETA_DEG[kept])
        assert [one.position for one in scan.flat_series()] == [0, len(kept)]
        left_out = f"{N - len(kept)} projections are left out by the config"
        assert scan.header.notes == ((left_out,) if len(kept) < N else ())


def test_what_is_excluded_is_not_taken(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    with open_scan(path, DatasetSettings(include="every 2", exclude="0-3")) as scan:
        found = scan.read_projections(0, scan.header.n_projections)
    np.testing.assert_array_equal(found, stacks.PROJECTIONS[[4, 6, 8, 10]])


@pytest.mark.parametrize("include", ["every", "every 0", "every x", "0-12", "2 4", "", "x every 2"])
def test_what_cannot_be_taken_is_named(include: str, tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    with pytest.raises(UserError, match=r"^datasets\.include: "):
        open_scan(path, DatasetSettings(include=include))


def test_a_range_of_the_config_counts_all_projections(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    datasets = DatasetSettings(exclude=[0, 5], angle_range_deg=(0, 110))
    with open_scan(path, datasets) as scan:
        expected = np.delete(np.arange(0, 120, 10), [0, 5])
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), expected)


@pytest.mark.parametrize("exclude", ["x", [12], ["7-3"], [-1], "1;2"])
def test_what_cannot_be_left_out_is_named(exclude: str | list[int | str], tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    with pytest.raises(UserError, match=r"^datasets\.exclude: "):
        open_scan(path, DatasetSettings(exclude=exclude))


@pytest.mark.parametrize("n_blank", [1, 2, 5, 11])
@pytest.mark.parametrize("fill", [0, 65535])
def test_a_tail_that_was_never_written_is_left_out(n_blank: int, fill: int, tmp_path: Path) -> None:
    data = stacks.PROJECTIONS.copy()
    data[N - n_blank :] = fill
    with open_scan(stacks.write_data_exchange(tmp_path / "a.h5", data=data)) as scan:
        assert scan.header.n_projections == N - n_blank
        np.testing.assert_allclose(
            np.rad2deg(scan.header.angles_rad), stacks.THETA_DEG[: N - n_blank]
        )
        assert scan.header.notes == (
            f"the last {n_blank} of 12 projections are blank, as after an aborted scan, and are"
            " left out",
        )


def test_a_tail_of_nan_is_left_out(tmp_path: Path) -> None:
    data = stacks.PROJECTIONS.astype(np.float32)
    data[9:] = np.nan
    with open_scan(stacks.write_data_exchange(tmp_path / "a.h5", data=data)) as scan:
        assert scan.header.n_projections == 9


def test_a_dead_row_is_no_blank_picture(tmp_path: Path) -> None:
    data = stacks.PROJECTIONS.copy()
    data[:, 2] = 0
    with open_scan(stacks.write_data_exchange(tmp_path / "a.h5", data=data)) as scan:
        assert scan.header.n_projections == N


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_projections_whose_angles_were_never_written(fill: float, tmp_path: Path) -> None:
    theta = stacks.THETA_DEG + 15
    theta[8:] = fill
    with open_scan(stacks.write_data_exchange(tmp_path / "a.h5", theta=theta)) as scan:
        assert scan.header.n_projections == 8
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), theta[:8])
        assert scan.header.notes[0].startswith("the last 4 of 12 projections have no angle")


def test_more_angles_than_projections_as_after_an_abort(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5", data=stacks.PROJECTIONS[:7])
    with open_scan(path) as scan:
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), stacks.THETA_DEG[:7])
        assert "/exchange/theta has 12 angles for 7 projections" in scan.header.notes[0]


def test_nothing_left(tmp_path: Path) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    with pytest.raises(UserError, match="no projection is left of 12"):
        open_scan(path, DatasetSettings(exclude="0-11"))


def test_exclude_of_a_chunked_file_reads_runs(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    stacks.write_data_exchange(path)
    with h5py.File(path, "r+") as file:
        data = file["exchange/data"][:]
        del file["exchange/data"]
        file.create_dataset("exchange/data", data=data, chunks=(4, 5, 7), compression="gzip")
    with open_scan(path, DatasetSettings(exclude=[1, 2, 8])) as scan:
        np.testing.assert_array_equal(
            scan.read_projections(0, 9), np.delete(stacks.PROJECTIONS, [1, 2, 8], axis=0)
        )
