"""HDF5: the voxels with their axes as NeXus has them, and how they were made."""

import json

import h5py
import numpy as np
import pytest
from tests.copies.originals import CODES, ORIGIN_UM, RECORD, VOXEL_UM, original_of

from tomobatch.copies.nexus import write_nexus


@pytest.fixture(params=["float32", "uint16"])
def copy(request, tmp_path):
    original = original_of(request.param)
    write_nexus(original, tmp_path / "a.h5", RECORD)
    with h5py.File(tmp_path / "a.h5") as file:
        yield original, file


def default_data(file):
    """Go where a NeXus reader goes: by the attributes ``default`` to the signal."""
    entry = file[file.attrs["default"]]
    assert entry.attrs["NX_class"] == "NXentry"
    data = entry[entry.attrs["default"]]
    assert data.attrs["NX_class"] == "NXdata"
    return data


def test_a_reader_of_nexus_finds_voxels_and_axes(copy):
    original, file = copy
    data = default_data(file)
    signal = data[data.attrs["signal"]]
    np.testing.assert_array_equal(signal[()], original.array[:])
    assert signal.dtype == original.array.dtype
    assert signal.attrs["units"] == "1/cm"
    assert list(data.attrs["axes"]) == ["z", "y", "x"]
    for number, axis in enumerate("zyx"):
        assert data.attrs[f"{axis}_indices"] == number
        expected = ORIGIN_UM[number] + VOXEL_UM[number] * np.arange(signal.shape[number])
        np.testing.assert_allclose(data[axis][()], expected)
        assert data[axis].attrs["units"] == "um"


def test_a_program_that_knows_no_nexus_finds_the_same_voxels(copy):
    original, file = copy
    assert file["volume"] == default_data(file)["data"]
    np.testing.assert_array_equal(file["volume"].attrs["voxel_um"], VOXEL_UM)
    assert ("scale_factor" in file["volume"].attrs) == (original.array.dtype != "float32")
    if original.codes is not None:
        codes = file["volume"]
        greys = codes[()] * codes.attrs["scale_factor"] + codes.attrs["add_offset"]
        np.testing.assert_allclose(greys, CODES.decode(original.array[:]), rtol=1e-6)


def test_it_says_how_it_was_made(copy):
    process = copy[1]["entry/reconstruction"]
    assert process.attrs["NX_class"] == "NXprocess"
    assert process["version"].asstr()[()] == "1.2.3"
    assert process["settings/datasets/cone/roll_deg"][()] == 0.5
    assert process["settings/normalise/zinger_threshold"].asstr()[()] == "null"
    assert process["found/cor_px"][()] == 24.5
    assert list(process["warnings"].asstr()) == RECORD["warnings"]
    assert json.loads(process["record/data"].asstr()[()]) == RECORD


def test_without_a_pixel_size_lengths_are_in_pixels(tmp_path):
    write_nexus(original_of("float32", None), tmp_path / "a.h5", {**RECORD, "warnings": []})
    with h5py.File(tmp_path / "a.h5") as file:
        data = default_data(file)
        assert data["z"].attrs["units"] == "px"
        np.testing.assert_array_equal(np.diff(data["z"]), 1)
        assert data["data"].attrs["units"] == "1/px"
        assert len(file["entry/reconstruction/warnings"]) == 0
