"""Copies of the volume: in its own type, with the spacing and what whole numbers mean."""

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from tomobatch.stores import export
from tomobatch.stores.export import export_hdf5, export_tiff
from tomobatch.stores.grey_codes import GreyCodes

VOXEL_UM = (5.0, 2.5, 2.5)
CODES = GreyCodes("uint16", -2.0, 8.0)


def volume_of(dtype):
    values = np.arange(60).reshape(3, 4, 5).astype(dtype)
    attributes = {} if dtype == "float32" else CODES.attributes()
    return zarr.create_array({}, data=values, chunks=(2, 4, 5), attributes=attributes)


@pytest.mark.parametrize("dtype", ["float32", "uint16", "uint8"])
def test_a_stack_says_to_imagej_how_far_its_slices_are_apart(tmp_path, dtype):
    volume = volume_of(dtype)
    export_tiff(volume, tmp_path / "a.tif", VOXEL_UM)
    with tifffile.TiffFile(tmp_path / "a.tif") as stack:
        assert not stack.is_bigtiff
        told = stack.imagej_metadata
        assert (told["slices"], told["spacing"], told["unit"]) == (3, 5.0, "um")
        found = stack.pages[2].tags["XResolution"].value
        assert found[0] / found[1] == pytest.approx(1 / 2.5)
        if dtype != "float32":
            assert (told["cf"], told["c0"]) == (0, -2.0)
            assert told["c1"] == pytest.approx(volume.attrs["scale_factor"], rel=1e-12)
            assert told["vunit"] == "1/cm"
        np.testing.assert_array_equal(stack.asarray(), volume[:])
        assert stack.series[0].dtype == dtype


def test_without_a_pixel_size_a_stack_says_none(tmp_path):
    export_tiff(volume_of("float32"), tmp_path / "a.tif", None)
    with tifffile.TiffFile(tmp_path / "a.tif") as stack:
        assert "spacing" not in stack.imagej_metadata
        assert stack.pages[0].tags["ResolutionUnit"].value.name == "NONE"


def test_a_stack_too_large_for_a_classic_tiff_is_a_large_one(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_LARGEST_CLASSIC_BYTES", 100)
    volume = volume_of("uint16")
    export_tiff(volume, tmp_path / "a.tif", VOXEL_UM)
    with tifffile.TiffFile(tmp_path / "a.tif") as stack:
        assert stack.is_bigtiff
        assert len(stack.pages) == 3
        found = stack.pages[2].tags["XResolution"].value
        assert found[0] / found[1] == pytest.approx(4000)
        assert stack.pages[2].tags["ResolutionUnit"].value.name == "CENTIMETER"
        np.testing.assert_array_equal(stack.asarray(), volume[:])


@pytest.mark.parametrize("dtype", ["float32", "uint16"])
def test_hdf5_has_the_same(tmp_path, dtype):
    volume = volume_of(dtype)
    export_hdf5(volume, tmp_path / "a.h5", VOXEL_UM)
    with h5py.File(tmp_path / "a.h5") as file:
        dataset = file["volume"]
        assert dataset.dtype == dtype
        np.testing.assert_array_equal(dataset[()], volume[:])
        assert dataset.attrs["pixel_size_um"] == 2.5
        np.testing.assert_array_equal(dataset.attrs["voxel_um"], VOXEL_UM)
        assert ("scale_factor" in dataset.attrs) == (dtype != "float32")
        if dtype != "float32":
            greys = dataset[()] * dataset.attrs["scale_factor"] + dataset.attrs["add_offset"]
            np.testing.assert_allclose(greys, CODES.decode(volume[:]), rtol=1e-6)
