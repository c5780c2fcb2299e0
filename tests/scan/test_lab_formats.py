"""Scans of laboratory scanners: every key that counts, and the traps of each format."""

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.scan import lab_scans
from tests.scan.lab_scans import N_COLS, N_ROWS, nikon, phoenix, pictures, skyscan, zeiss

from tomobatch.errors import UserError
from tomobatch.on_chunks.corrections import Corrections
from tomobatch.phase.settings import PhaseSettings
from tomobatch.scan.inspection import inspect
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings
from tomobatch.tube.settings import TubeSettings


def header(path: Path, **values: object):
    with open_scan(path, DatasetSettings.model_validate(values)) as scan:
        return scan.header


def degrees(path: Path, **values: object) -> np.ndarray:
    return np.rad2deg(header(path, **values).angles_rad)


def refusal(path: Path, **values: object) -> str:
    with pytest.raises(UserError) as error:
        header(path, **values)
    assert "\n" not in str(error.value)
    return str(error.value)


# Nikon: pixel size is the detector's, offsets are of the axis, pictures are divided by flats.


def test_nikon_as_it_is(tmp_path):
    stack = pictures(10)
    found = header(nikon(tmp_path, stack))
    assert found.format == "Nikon scan, TIFF folder"
    beam = found.beam
    assert (beam.source_to_axis_mm, beam.source_to_detector_mm) == (100, 400)
    assert (beam.pixel_mm, beam.voxel_um) == pytest.approx((0.2, 50))
    assert beam.cor_px(N_COLS) == (N_COLS - 1) / 2
    np.testing.assert_allclose(np.rad2deg(found.angles_rad), 36 * np.arange(10))
    assert found.white_level == 60_000
    assert found.notes == ()
    with open_scan(tmp_path / "bone.xtekct") as scan:  # the file instead of its folder
        np.testing.assert_array_equal(scan.read_projections(0, 10), stack)


@pytest.mark.parametrize(
    ("keys", "shown"),
    [
        ({"ObjectOffsetX": 0.1}, {"axis_shift_px": 2.0}),
        ({"ObjectRoll": 0.5}, {"roll_deg": 0.5}),
        (
            {"ObjectTilt": 1.0},
            {"tilt_deg": 1.0, "shift_v_px": 400 * np.tan(np.deg2rad(1.0)) / 0.2},
        ),
        # Older files: in the detector's plane, at its upper and lower end.
        ({"CentreOfRotationTop": 0.5, "CentreOfRotationBottom": 0.3}, {"axis_shift_px": 2.0}),
        (
            {"CentreOfRotationTop": 0.3, "CentreOfRotationBottom": 0.5},
            {"roll_deg": np.rad2deg(np.arctan(0.2 / (N_ROWS * 0.2)))},
        ),
        ({"DetectorOffsetX": 0.4, "DetectorOffsetY": -0.6}, {"shift_u_px": -2, "shift_v_px": 3}),
        (
            {
                "DetectorPixelsX": 20,
                "RegionStartX": 8,
                "RegionPixelsX": N_COLS,
                "RegionPixelsY": N_ROWS,
                "VoxelsX": None,
            },
            {"shift_u_px": 9.5 - 12.5},
        ),
        ({"DetectorPixelSizeY": 0.25}, {"row_pitch_mm": 0.25}),
    ],
)
def test_nikon_s_misalignments(keys, shown, tmp_path):
    beam = header(nikon(tmp_path, **keys)).beam
    for name, value in shown.items():
        assert getattr(beam, name) == pytest.approx(value), name


def test_nikon_turns_as_its_pictures_seen_from_behind(tmp_path):
    found = header(nikon(tmp_path))
    assert (found.rotation, found.rotation_source) == ("counter-clockwise", "file")
    assert (found.beam.sense, found.is_mirrored) == (1, True)
    assert header(tmp_path, rotation="clockwise").beam.sense == -1


def test_nikon_s_voxel_of_a_coarser_volume_is_no_contradiction(tmp_path):
    assert header(nikon(tmp_path, VoxelSizeX=0.1, VoxelsX=N_COLS // 2)).beam.voxel_um == 50


def test_nikon_s_contradictory_voxel_stops(tmp_path):
    told = refusal(nikon(tmp_path, VoxelSizeX=0.06))
    assert "a voxel of 60 um is stated" in told
    assert "makes 50 um" in told


def test_nikon_s_pictures_in_a_folder_that_it_names(tmp_path):
    nikon(tmp_path, InputFolderName="raw\\pictures")
    assert header(tmp_path).n_projections == 10


# SkyScan: "pixel size" is a voxel, the camera's is stated before its binning.


def test_skyscan_as_it_is(tmp_path):
    found = header(skyscan(tmp_path))
    assert found.format == "SkyScan scan, TIFF folder"
    beam = found.beam
    assert beam.pixel_mm == pytest.approx(0.0222)
    assert beam.voxel_um == pytest.approx(8.559493, rel=1e-5)
    assert beam.shift_v_px == 2 - (N_ROWS - 1) / 2
    assert (found.rotation, beam.sense) == ("counter-clockwise", -1)
    np.testing.assert_allclose(np.rad2deg(found.angles_rad), 36 * np.arange(10))
    assert found.white_level == 65_535
    assert header(tmp_path / "bone12.log").n_projections == 10


@pytest.mark.parametrize(
    ("system", "keys", "shown"),
    [
        ({}, {"Image Rotation": "-0.2"}, {"roll_deg": -0.2}),
        ({}, {"Rotation Direction": "CW"}, {"sense": 1}),
        ({"CameraXYRatio": None, "Camera X/Y Ratio": 0.5}, {}, {"row_pitch_mm": 0.0444}),
        # 1275: the pixel is stated with its binning.
        ({"Camera Pixel Size (um)": 22.2}, {}, {"pixel_mm": 0.0222}),
    ],
)
def test_skyscan_s_keys(system, keys, shown, tmp_path):
    beam = header(skyscan(tmp_path, system=system, **keys)).beam
    for name, value in shown.items():
        assert getattr(beam, name) == pytest.approx(value), name


def test_skyscan_s_older_logs_tell_the_voxel_instead_of_the_distance(tmp_path):
    older = {"Camera to Source (mm)": None, "Image Pixel Size (um)": None, "Camera binning": None}
    beam = header(skyscan(tmp_path, **older, **{"Pixel Size (um)": 3.7})).beam
    assert beam.magnification == pytest.approx(2)


def test_skyscan_s_row_of_the_source_is_said_to_be_unsure(tmp_path):
    (note,) = header(skyscan(tmp_path, **{"Optical Axis (line)": 5})).notes
    assert "does not say from which end it counts" in note
    assert header(tmp_path, cone={"shift_v_px": -2.5}).beam.shift_v_px == -2.5


def test_skyscan_s_contradictory_voxel_stops(tmp_path):
    told = refusal(skyscan(tmp_path, **{"Image Pixel Size (um)": 3.5}))
    assert "a voxel of 3.5 um is stated" in told
    assert "makes 8.559" in told


def test_skyscan_s_random_movement_moves_the_detector(tmp_path):
    skyscan(tmp_path, **{"Random Movement": "ON (10)"})
    lines = "".join(f"{i},{3 * i},{-6 * i}\n" for i in range(10))
    (tmp_path / "bone12_TS.csv").write_text(f"Shifts\nof a scan\nn,x,y\n{lines}")
    assert header(tmp_path).beam.drift_px[4] == (-4, 8)  # in binned pixels
    assert header(tmp_path, exclude="0-3").beam.drift_px[0] == (-4, 8)
    (tmp_path / "bone12_TS.csv").write_text("Shifts\n0,1,1\n")
    assert "fewer than the pictures: they are not used" in " ".join(header(tmp_path).notes)


def test_skyscan_s_slices_are_no_projections(tmp_path):
    skyscan(tmp_path)
    (tmp_path / "bone12.log").rename(tmp_path / "bone12__rec.log")
    assert "slices that are reconstructed already" in refusal(tmp_path)


def test_of_two_parts_one_is_chosen_by_its_log(tmp_path):
    skyscan(tmp_path)
    text = (tmp_path / "bone12.log").read_text().replace("bone12", "bone~01")
    (tmp_path / "bone~01.log").write_text(text + "Number of connected scans=2\n")
    lab_scans.write_pictures(tmp_path, [f"bone~01{i:04d}" for i in range(10)], pictures(10))
    assert "holds the files of 2 scans (bone12.log, bone~01.log)" in refusal(tmp_path)
    found = header(tmp_path / "bone~01.log")
    assert found.n_projections == 10
    assert "of 2 of an oversize scan" in " ".join(found.notes)


# Zeiss: "pixel size" is a voxel; optics magnify behind the scintillator; signs of lengths vary.


def test_zeiss_as_it_is(tmp_path):
    stack = pictures(10)
    path = zeiss(tmp_path / "a.txrm", stack)
    beam = header(path).beam
    assert (beam.source_to_axis_mm, beam.source_to_detector_mm) == (100, 400)
    assert (beam.pixel_mm, beam.voxel_um) == pytest.approx((0.1, 25))
    assert beam.sense == 1
    with open_scan(path) as scan:
        np.testing.assert_array_equal(scan.read_projections(0, 10), stack)
        assert scan.header.n_flats == 1


def test_zeiss_without_the_camera_s_pixel(tmp_path):
    path = zeiss(tmp_path / "a.xrm", **{"ImageInfo/CamPixelSize": None})
    assert header(path).beam.pixel_mm == pytest.approx(0.1)


def test_zeiss_with_binning(tmp_path):
    path = zeiss(tmp_path / "a.txrm", **{"ImageInfo/CamPixelSize": struct.pack("<f", 200.0)})
    assert header(path).beam.pixel_mm == pytest.approx(0.1)
    assert "the camera's pixels are taken as binned by 2" in header(path).notes


def test_zeiss_s_contradictory_voxel_stops(tmp_path):
    told = refusal(zeiss(tmp_path / "a.txrm", **{"ImageInfo/PixelSize": struct.pack("<f", 21.0)}))
    assert "a voxel of 21 um is stated" in told
    assert "makes 25 um" in told


def test_zeiss_with_a_condenser_is_parallel(tmp_path):
    path = zeiss(tmp_path / "a.txrm", ConfigZonePlates=b"1234")
    assert header(path).beam is None


def test_zeiss_s_volume_is_no_scan(tmp_path):
    path = zeiss(tmp_path / "a.txm", **{"ImageInfo/AcquisitionMode": struct.pack("<i", 1)})
    assert "holds a volume, not projections" in refusal(path)


def test_zeiss_s_shifts_and_centre(tmp_path):
    shifts = np.arange(10, dtype="<f4")
    path = zeiss(
        tmp_path / "a.txrm",
        **{
            "Alignment/X-Shifts": shifts.tobytes(),
            "Alignment/Y-Shifts": (2 * shifts).tobytes(),
            "AutoRecon/CenterShift": struct.pack("<f", 1.5),
            "ImageData1/Image4": None,
        },
    )
    beam = header(path).beam
    assert beam.axis_shift_px == 1.5
    # To be moved to the right by 4 px, a picture shows the principal point 4 px too far left.
    assert beam.drift_px[3] == (-4, 8)


def test_zeiss_with_several_flats(tmp_path):
    flats = {
        f"MultiReferenceData/Image{k}": np.full((N_ROWS, N_COLS), 5e4 + k, "<f4").tobytes()
        for k in (1, 2, 3)
    }
    kinds = {"MultiReferenceData/DataType": struct.pack("<i", 10), "ReferenceData/Image": None}
    with open_scan(zeiss(tmp_path / "a.txrm", **flats, **kinds)) as scan:
        frames = scan.flat_series()[0].frames
        np.testing.assert_array_equal(frames[:, 0, 0], [50_001, 50_002, 50_003])


def test_cones_are_recognised_in_words(tmp_path):
    for path in (
        nikon(tmp_path / "nikon"),
        skyscan(tmp_path / "skyscan"),
        zeiss(tmp_path / "a.txrm"),
    ):
        found = inspect(path)
        assert found.problems == (), path
        assert found.facts["beam"].startswith("cone, "), path
        assert "times magnified" in found.facts["beam"]


# The voltage of the tube, which straightening asks for.


@pytest.mark.parametrize(("write", "kv"), [(nikon, 120), (skyscan, 70), (phoenix, 60)])
def test_the_voltage_of_the_tube_is_read_and_used(write, kv, tmp_path):
    write(tmp_path)
    found = header(tmp_path, white_level=60_000)
    assert found.tube_kv == kv
    asked = TubeSettings(hardening="material", filters_mm={"Al": 1})
    made = Corrections.of_scan(asked, PhaseSettings(), found)
    assert made.tube.kv == kv
    given = asked.model_copy(update={"kv": 90.0})
    assert Corrections.of_scan(given, PhaseSettings(), found).tube.kv == 90
    left = Corrections.of_scan(TubeSettings(), PhaseSettings(), found)
    said = {"Beam of the tube": f"{kv} kV; neither hardening nor scattered light is corrected"}
    assert left.words == said
    unknown = replace(found, tube_kv=None)
    with pytest.raises(UserError, match=r"the tube's voltage, which the file does not tell; give"):
        Corrections.of_scan(asked, PhaseSettings(), unknown)
    assert Corrections.of_scan(TubeSettings(), PhaseSettings(), unknown).words == {}


def test_zeiss_tells_the_voltage_of_every_picture(tmp_path):
    path = zeiss(tmp_path / "bone.txrm")
    assert header(path).tube_kv == 80
    assert inspect(path).facts["tube"].startswith("80 kV")
    none = zeiss(tmp_path / "none.txrm", **{"ImageInfo/XrayVoltage": None})
    assert header(none).tube_kv is None
    assert "tube" not in inspect(none).facts
