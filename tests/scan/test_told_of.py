"""What scanners' files hold and this program does not take: it is told of, never passed over.

The files are written here, by keys that are public: of the real ones that could be found, none came
in a package of a registry, nor with a licence that would let this repository hold it.
"""

import h5py
import numpy as np
import pytest
from tests.scan.lab_scans import N_COLS, nikon, phoenix, pictures
from tests.scan.stacks import write_nxtomo

from tomobatch.errors import UserError
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings


def header(path, **datasets):
    settings = DatasetSettings.model_validate({"white_level": 60_000} | datasets)
    with open_scan(path, settings) as scan:
        return scan.header


def notes(path):
    return "\n".join(header(path).notes)


def test_phoenix_as_it_is(tmp_path):
    found = header(phoenix(tmp_path))
    assert found.format.startswith("phoenix scan")
    assert found.beam.voxel_um == pytest.approx(2.07531, rel=1e-5)
    assert (found.beam.source_to_detector_mm, found.beam.pixel_mm) == (399.999, 0.05)
    assert np.rad2deg(found.angles_rad) == pytest.approx(36.0 * np.arange(10))
    assert "bone.pca" not in "\n".join(found.notes)


def test_phoenix_s_last_picture_of_a_circle_is_one_too_many(tmp_path):
    found = header(phoenix(tmp_path, pictures(11), CT={"NrImgCmplScan": 11}))
    assert found.n_projections == 10
    assert np.rad2deg(found.angles_rad[-1]) == pytest.approx(324)


def test_phoenix_s_binning_is_told_by_the_voxel(tmp_path):
    beam = header(phoenix(tmp_path, Geometry={"VoxelSizeX": 0.00415062})).beam
    assert (beam.pixel_mm, beam.row_pitch_mm) == (0.1, 0.1)
    with pytest.raises(UserError, match="a voxel of 3 um is stated"):
        header(phoenix(tmp_path / "odd", Geometry={"VoxelSizeX": 0.003}))


@pytest.mark.parametrize(
    ("section", "fields", "said"),
    [
        ("Geometry", {"DetectorRot": 0.3}, "DetectorRot 0.3"),
        ("Geometry", {"Tilt": -0.1}, "Tilt -0.1"),
        ("Geometry", {"cx": N_COLS}, "cx 10, beside the pictures' middle"),
        ("Image", {"MirrorX": 1}, "MirrorX 1"),
        ("Image", {"FreeRay": 3401}, "a free ray of 3401"),
        ("VSensor", {"NumTiles": 3}, "VSensor.NumTiles 3"),
        ("Multiscan", {"Active": 1}, "Multiscan.Active 1"),
    ],
)
def test_what_phoenix_does_not_explain_is_told_of(section, fields, said, tmp_path):
    assert said in notes(phoenix(tmp_path, **{section: fields}))


def test_nikon_s_polynomial_is_told_of_as_ours(tmp_path):
    told = notes(nikon(tmp_path, CoefX0=0, CoefX1=0.75, CoefX2=0.25, CoefX4=0, Scale=1.2))
    assert "CoefX1 0.75, CoefX2 0.25" in told
    assert "tube.coefficients: [0.9, 0.3] does" in told
    assert "constant" not in told
    assert "but for the constant" in notes(nikon(tmp_path / "b", CoefX0=0.1, CoefX1=1))
    assert "tube.scatter" in notes(nikon(tmp_path / "c", Scattering=5.5))


@pytest.mark.parametrize("keys", [{}, {"CoefX0": 0, "CoefX1": 1, "CoefX2": 0, "Scattering": 0}])
def test_nikon_without_correction_says_nothing(keys, tmp_path):
    told = notes(nikon(tmp_path, **keys))
    assert "polynomial" not in told
    assert "Scattering" not in told


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("x_flipped", True, "x_flipped"),
        ("y_flipped", 1, "y_flipped"),
        ("transformations/rx", 180.0, "transformations/rx, half a turn about (0, 0, 1)"),
        ("x_flipped", False, ""),
        ("transformations/rx", 0.0, ""),
        ("transformations/tx", 180.0, ""),
    ],
)
def test_flips_of_an_nxtomo_detector_are_told_of(place, value, said, tmp_path):
    path = tmp_path / "a.nx"
    write_nxtomo(path)
    with h5py.File(path, "a") as file:
        entry = next(iter(file.values()))
        entry["instrument/detector"][place] = value
        kind = "rotation" if place.endswith("rx") else "translation"
        attributes = entry["instrument/detector"][place].attrs
        attributes.update({"transformation_type": kind, "vector": (0, 0, 1), "units": "degree"})
    with open_scan(path) as scan:
        told = "\n".join(scan.header.notes)
    assert ("pictures are flipped" in told) == bool(said)
    assert said in told
