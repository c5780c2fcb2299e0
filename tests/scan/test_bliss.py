"""Raw files of the ESRF: darks, flats and projections are entries of their own."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.scan import stacks
from tests.scan.hdf5_as_it_lies import refusal

from tomobatch.scan.header import AngleSource
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

N = stacks.N_PROJECTIONS
CURRENT = np.linspace(200, 190, N)


def write_entry(
    file: h5py.File, name: str, title: str, pictures: np.ndarray | None = None, **measured: object
) -> None:
    """Write an entry as BLISS does: what was measured, and where the motors were."""
    entry = file.create_group(name)
    entry.attrs["NX_class"] = "NXentry"
    entry["title"] = title
    for motor in ("hrsrot", "sy", "sz"):
        entry[f"instrument/positioners/{motor}"] = 0.0
    if pictures is None:
        return
    raw = Path(file.filename).parent / "raw" / f"scan{name.partition('.')[0]}.h5"
    raw.parent.mkdir(exist_ok=True)
    with h5py.File(raw, "w") as camera:
        camera["entry_0000/measurement/data"] = pictures
    layout = h5py.VirtualLayout(pictures.shape, pictures.dtype)
    layout[:] = h5py.VirtualSource(f"raw/{raw.name}", "entry_0000/measurement/data", pictures.shape)
    detector = entry.create_group("instrument/pcolinux")
    detector.attrs["NX_class"] = "NXdetector"
    detector.create_virtual_dataset("data", layout)
    entry["measurement/pcolinux"] = h5py.SoftLink(f"/{name}/instrument/pcolinux/data")
    for key, values in measured.items():
        entry[f"measurement/{key}"] = values


def write_tomography(
    file: h5py.File, first: int = 1, pictures: np.ndarray = stacks.PROJECTIONS
) -> None:
    """Write one whole tomography, its projections in two runs, from an entry's number on."""
    write_entry(file, f"{first}.1", "tomo:fullturn")
    scan = file.create_group(f"{first}.1/technique/scan")
    scan["energy"], scan["sample_detector_distance"] = 19.0, 30.0
    scan["field_of_view"] = "Full"
    file[f"{first}.1/technique/optic/sample_pixel_size"] = 3.1
    half = N // 2
    angles = stacks.THETA_DEG
    runs = (
        ("dark images", stacks.DARKS, {}),
        ("reference images 1", stacks.FLATS_BEFORE, {"current": np.full(stacks.N_FLATS, 200.0)}),
        ("projections 0 - 90", pictures[:half],
         {"hrsrot": angles[:half], "current": CURRENT[:half]}),
        ("projections 90 - 180", pictures[half:],
         {"hrsrot": angles[half:], "current": CURRENT[half:]}),
        ("reference images 2", stacks.FLATS_AFTER, {"current": np.full(stacks.N_FLATS, 190.0)}),
        ("static images", pictures[:2], {"hrsrot": np.array([180.0, 0.0])}),
    )  # fmt: skip
    for number, (title, stack, measured) in enumerate(runs, first + 1):
        write_entry(file, f"{number}.1", title, stack, **measured)


def test_a_distance_in_an_unknown_unit_is_said(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        write_tomography(file)
        file["1.1/technique/scan/sample_detector_distance"].attrs["units"] = "counts"
    with open_scan(tmp_path / "raw.h5") as scan:
        assert scan.header.distance_mm is None
        (note,) = scan.header.notes
    assert "a distance of the detector of 30 counts cannot be" in note
    assert "give phase.distance_mm" in note


def test_a_tomography_comes_back_as_it_was_taken(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        write_tomography(file)
    with open_scan(tmp_path / "raw.h5") as scan:
        header = scan.header
        assert header.format == "ESRF HDF5" and header.notes == ()
        assert header.angle_source is AngleSource.FILE
        np.testing.assert_allclose(np.rad2deg(header.angles_rad), stacks.THETA_DEG)
        assert (header.pixel_size_um, header.energy_kev, header.distance_mm) == (3.1, 19.0, 30.0)
        np.testing.assert_array_equal(scan.read_projections(0, N), stacks.PROJECTIONS)
        np.testing.assert_array_equal(scan.read_projections(4, 9), stacks.PROJECTIONS[4:9])
        np.testing.assert_array_equal(scan.darks(), stacks.DARKS)
        series = scan.flat_series()
        assert [one.position for one in series] == [0, N]
        np.testing.assert_array_equal(series[1].frames, stacks.FLATS_AFTER)
        np.testing.assert_allclose(
            scan.beam_offsets(np.array([0.0, N])),
            np.log(CURRENT / np.interp(np.arange(N) + 0.5, [0, N], [200, 190])),
        )


def test_several_scans_of_one_file_are_scans_of_their_own(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        write_tomography(file)
        write_tomography(file, 11, stacks.PROJECTIONS[::-1])
    told = refusal(tmp_path / "raw.h5")
    assert "holds 2 scans" in told and "datasets.projections: /1.1, /11.1" in told
    for entry, expected in (("/1.1", stacks.PROJECTIONS), ("/11.1", stacks.PROJECTIONS[::-1])):
        with open_scan(tmp_path / "raw.h5", DatasetSettings(projections=entry)) as scan:
            np.testing.assert_array_equal(scan.read_projections(0, N), expected)
            assert scan.header.n_flats == 2 * stacks.N_FLATS


def test_a_master_that_links_to_entries_in_other_files(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "one.h5", "w") as file:
        write_tomography(file)
        names = list(file)
    with h5py.File(tmp_path / "master.h5", "w") as file:
        for name in names:
            file[name] = h5py.ExternalLink("one.h5", f"/{name}")
    with open_scan(tmp_path / "master.h5") as scan:
        np.testing.assert_array_equal(scan.read_projections(0, N), stacks.PROJECTIONS)


def test_a_scan_without_an_opening_entry(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        write_entry(file, "1.1", "flat images", stacks.FLATS_BEFORE)
        write_entry(file, "2.1", "projections", stacks.PROJECTIONS, hrsrot=stacks.THETA_DEG)
    with open_scan(tmp_path / "raw.h5") as scan:
        assert (scan.header.n_flats, scan.header.n_darks, scan.header.n_projections) == (3, 0, N)


def test_a_source_that_is_gone_is_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        write_tomography(file)
    (tmp_path / "raw/scan3.h5").unlink()
    assert "raw/scan3.h5" in refusal(tmp_path / "raw.h5")


def test_pictures_of_two_detectors_are_named(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        write_tomography(file)
        file["4.1/measurement/frelon"] = stacks.PROJECTIONS[: N // 2]
    assert "/4.1/measurement/frelon, /4.1/measurement/pcolinux" in refusal(tmp_path / "raw.h5")


def test_flats_of_another_exposure_are_scaled(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        write_tomography(file)
        for number, seconds in ((3, 0.05), (4, 0.1), (6, 0.1)):
            file[f"{number}.1/technique/scan/exposure_time"] = seconds
    with open_scan(tmp_path / "raw.h5") as scan:
        assert [one.scale for one in scan.flat_series()] == [pytest.approx(2.0), 1.0]


def test_a_file_of_other_scans_is_none_of_these(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        write_entry(file, "1.1", "ascan energy 7 8 10 1", stacks.PROJECTIONS)
    assert "neither Data Exchange nor NXtomo nor" in refusal(tmp_path / "raw.h5")
