"""Every format gives back the same scan."""

from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np
import pytest
import tifffile
from tests.scan import stacks

from tomobatch.scan.header import AngleSource
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

FORMATS: dict[str, tuple[Callable[[Path], Path], str, bool, bool]] = {
    # What writes it, its name, whether it holds flats after the scan, whether it holds angles.
    "data_exchange": (
        lambda folder: stacks.write_data_exchange(folder / "a.h5"),
        "APS Data Exchange",
        True,
        True,
    ),
    "nxtomo": (lambda folder: stacks.write_nxtomo(folder / "a.nxs"), "NXtomo", True, True),
    "nxtomo_bitshuffle": (
        lambda folder: stacks.write_nxtomo(folder / "a.nxs", **hdf5plugin.Bitshuffle(cname="zstd")),
        "NXtomo",
        True,
        True,
    ),
    "zarr_v2": (lambda folder: stacks.write_zarr(folder / "a.zarr", 2), "Zarr v2", True, True),
    "zarr_v3": (lambda folder: stacks.write_zarr(folder / "a", 3), "Zarr v3", True, True),
    "zarr_in_group": (
        lambda folder: stacks.write_zarr(folder / "a", 3) / "projections",
        "Zarr v3",
        True,
        True,
    ),
    "zarr_arrays": (stacks.write_zarr_arrays, "Zarr v3", False, False),
    "tiff_folders": (
        lambda folder: stacks.write_tiff_folders(folder / "a"),
        "TIFF folder",
        True,
        True,
    ),
    "tiff_names": (
        lambda folder: stacks.write_tiff_names(folder / "a"),
        "TIFF folder",
        False,
        False,
    ),
    "tiff_pages": (
        lambda folder: stacks.write_tiff_pages(folder / "a"),
        "multi-page TIFF",
        False,
        False,
    ),
    "tiff_pages_compressed": (
        lambda folder: stacks.write_tiff_pages(folder / "a", compression="zlib"),
        "multi-page TIFF",
        False,
        False,
    ),
    "tiff_pages_big_endian": (
        lambda folder: stacks.write_tiff_pages(folder / "a", byteorder=">"),
        "multi-page TIFF",
        False,
        False,
    ),
    "tiff_pages_imagej": (
        lambda folder: stacks.write_tiff_pages(folder / "a", imagej=True),
        "multi-page TIFF",
        False,
        False,
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_scan_comes_back_whatever_its_format(name: str, tmp_path: Path) -> None:
    write, format_name, has_after, has_angles = FORMATS[name]
    with open_scan(write(tmp_path)) as scan:
        header = scan.header
        assert header.format == format_name
        shape = (header.n_projections, header.n_rows, header.n_cols)
        assert shape == stacks.PROJECTIONS.shape
        assert header.dtype == np.uint16
        assert header.n_flats == (2 if has_after else 1) * stacks.N_FLATS
        assert header.n_darks == stacks.N_DARKS
        assert header.problems == ()
        assert header.known_axis is None

        found = scan.read_projections(0, stacks.N_PROJECTIONS)
        assert found.dtype == np.uint16
        np.testing.assert_array_equal(found, stacks.PROJECTIONS)
        for start, stop, rows in (
            (6, 10, slice(1, 3)),
            (11, 12, slice(None)),
            (0, 9, slice(0, 5, 2)),
        ):
            np.testing.assert_array_equal(
                scan.read_projections(start, stop, rows), stacks.PROJECTIONS[start:stop, rows]
            )
        assert scan.read_projections(3, 3).shape == (0, *stacks.SHAPE)

        series = scan.flat_series()
        assert [one.position for one in series] == ([0, stacks.N_PROJECTIONS] if has_after else [0])
        np.testing.assert_array_equal(series[0][0], stacks.FLATS_BEFORE)
        if has_after:
            np.testing.assert_array_equal(series[1][0], stacks.FLATS_AFTER)
        np.testing.assert_array_equal(scan.darks(), stacks.DARKS)

        if has_angles:
            assert header.angle_source is AngleSource.FILE
            np.testing.assert_allclose(header.angles_rad, np.deg2rad(stacks.THETA_DEG), rtol=1e-12)
        else:
            assert header.angle_source is AngleSource.ASSUMED
            expected = np.linspace(0, np.pi, stacks.N_PROJECTIONS)
            np.testing.assert_allclose(header.angles_rad, expected)


@pytest.mark.parametrize(
    ("name", "pixel_size_um", "energy_kev"),
    [
        ("data_exchange", 2.5, 27.4),
        ("nxtomo", 6.5, 19.0),
        ("zarr_v3", 2.5, 27.4),
        ("tiff_folders", None, None),
    ],
)
def test_pixel_size_and_energy(
    name: str, pixel_size_um: float | None, energy_kev: float | None, tmp_path: Path
) -> None:
    with open_scan(FORMATS[name][0](tmp_path)) as scan:
        assert scan.header.pixel_size_um == pytest.approx(pixel_size_um)
        assert scan.header.energy_kev == pytest.approx(energy_kev)


def test_the_config_wins_over_the_file(tmp_path: Path) -> None:
    datasets = DatasetSettings(angle_range_deg=(10, 340), pixel_size_um=0.7, energy_kev=12.0)
    with open_scan(stacks.write_data_exchange(tmp_path / "a.h5"), datasets) as scan:
        header = scan.header
    assert header.angle_source is AngleSource.CONFIG
    np.testing.assert_allclose(np.rad2deg(header.angles_rad), np.linspace(10, 340, 12))
    assert (header.pixel_size_um, header.energy_kev) == (0.7, 12.0)


def test_given_paths_make_any_hdf5_file_readable(tmp_path: Path) -> None:
    path = tmp_path / "own.hdf5"
    with h5py.File(path, "w") as file:
        file["run/pictures"] = stacks.PROJECTIONS
        file["run/open_beam"] = stacks.FLATS_BEFORE[0]
        file["run/degrees"] = stacks.THETA_DEG
    datasets = DatasetSettings(
        projections="run/pictures", flats="run/open_beam", angles="run/degrees"
    )
    with open_scan(path, datasets) as scan:
        assert scan.header.format == "HDF5"
        assert scan.header.angle_source is AngleSource.FILE
        # A single flat may come as one picture.
        np.testing.assert_array_equal(scan.flat_series()[0][0], stacks.FLATS_BEFORE[:1])
        assert scan.darks() is None


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("Start", [0]), ("End", [stacks.N_PROJECTIONS]), ("Both", [0, stacks.N_PROJECTIONS])],
)
def test_data_exchange_tells_when_flats_were_taken(
    mode: str, expected: list[int], tmp_path: Path
) -> None:
    path = stacks.write_data_exchange(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        del file["process/acquisition/flat_fields/flat_field_mode"]
        file["process/acquisition/flat_fields/flat_field_mode"] = mode
    with open_scan(path) as scan:
        assert [one.position for one in scan.flat_series()] == expected


def test_one_of_several_nxtomo_entries_is_chosen(tmp_path: Path) -> None:
    path = stacks.write_nxtomo(tmp_path / "a.nxs", ("entry0000", "entry0001"))
    name = "/entry0001/instrument/detector/data"
    with open_scan(path, DatasetSettings(projections=name)) as scan:
        assert scan.header.n_projections == stacks.N_PROJECTIONS


def test_pictures_for_alignment_are_left_out(tmp_path: Path) -> None:
    path = stacks.write_nxtomo(tmp_path / "a.nxs")
    with h5py.File(path, "r+") as file:
        control = file["entry/instrument/detector/image_key"][:]
        control[np.flatnonzero(control == 0)[-2:]] = -1
        file["entry/instrument/detector/image_key_control"] = control
    with open_scan(path) as scan:
        assert scan.header.n_projections == stacks.N_PROJECTIONS - 2
        expected = stacks.PROJECTIONS[:-2]
        np.testing.assert_array_equal(scan.read_projections(0, len(expected)), expected)


@pytest.mark.parametrize(
    ("values", "unit", "degrees"),
    [
        ([0, 90, 180], "", [0, 90, 180]),
        ([0, 90, 180], "deg", [0, 90, 180]),
        ([0, 0.5, 1], "degrees", [0, 0.5, 1]),
        ([0, np.pi / 2, np.pi], "", [0, 90, 180]),
        ([0, np.pi, 2 * np.pi], "", [0, 180, 360]),
        ([0, 5, 10], "rad", np.rad2deg([0, 5, 10])),
    ],
)
def test_degrees_and_radians_are_told_apart(
    values: list[float], unit: str, degrees: list[float], tmp_path: Path
) -> None:
    path = stacks.write_data_exchange(
        tmp_path / "a.h5", data=stacks.PROJECTIONS[:3], theta=np.array(values, float)
    )
    with h5py.File(path, "r+") as file:
        file["exchange/theta"].attrs["units"] = unit
    with open_scan(path) as scan:
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), degrees, atol=1e-12)


def test_the_tooth(real_scan: Path) -> None:
    with open_scan(real_scan) as scan:
        header = scan.header
        assert (header.n_projections, header.n_rows, header.n_cols) == (181, 2, 640)
        assert header.dtype == np.float32
        assert (header.n_flats, header.n_darks) == (10, 10)
        ((flats, position, _),) = scan.flat_series()
        assert position == 0
        assert flats.mean() == pytest.approx(27942, abs=1)


@pytest.mark.parametrize(
    ("name", "is_flat"),
    [("i0001", False), ("flatiron_1", False), ("i0_1", True), ("tomo-Flat_1", True), ("ff1", True)],
)
def test_names_that_mean_flats_and_names_that_do_not(
    name: str, is_flat: bool, tmp_path: Path
) -> None:
    for path, picture in (("a_0", 0), ("flat_0", 1), ("flat_1", 1), (name, 2)):
        tifffile.imwrite(tmp_path / f"{path}.tif", stacks.PROJECTIONS[picture])
    with open_scan(tmp_path) as scan:
        assert (scan.header.n_projections, scan.header.n_flats) == ((1, 3) if is_flat else (2, 2))
