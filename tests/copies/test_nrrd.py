"""NRRD, read by pynrrd."""

import nrrd
import numpy as np
import pytest
from tests.copies.originals import CODES, ORIGIN_UM, VOXEL_UM, original_of

from tomobatch.copies.nrrd import write_nrrd


@pytest.mark.parametrize("dtype", ["float32", "uint16", "uint8"])
def test_a_reader_finds_voxels_spacing_and_what_they_mean(tmp_path, dtype):
    original = original_of(dtype)
    write_nrrd(original, tmp_path / "a.nrrd")
    values, header = nrrd.read(str(tmp_path / "a.nrrd"))
    assert values.dtype == dtype
    np.testing.assert_array_equal(values.transpose(2, 1, 0), original.array[:])
    expected = np.diag(VOXEL_UM[::-1]) / 1e3
    np.testing.assert_allclose(header["space directions"], expected)
    np.testing.assert_allclose(header["space origin"], np.array(ORIGIN_UM[::-1]) / 1e3)
    assert list(header["space units"]) == ["mm"] * 3
    assert header["grey_unit"] == "1/cm"
    if dtype != "float32":
        scale, offset = float(header["scale_factor"]), float(header["add_offset"])
        assert scale == pytest.approx(original.array.attrs["scale_factor"], rel=1e-12)
        assert offset == CODES.low


def test_without_a_pixel_size_it_says_none(tmp_path):
    write_nrrd(original_of("float32", None), tmp_path / "a.nrrd")
    _, header = nrrd.read(str(tmp_path / "a.nrrd"))
    assert "space directions" not in header
    assert header["grey_unit"] == "1/px"
