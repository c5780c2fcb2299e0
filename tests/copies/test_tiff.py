"""TIFF: in the volume's own type, with the spacing and what whole numbers mean."""

import numpy as np
import pytest
import tifffile
from tests.copies.originals import original_of

from tomobatch.copies import tiff
from tomobatch.copies.tiff import write_slices, write_stack

DTYPES = ["float32", "uint16", "uint8"]


def check_codes(told, original):
    assert (told["cf"], told["c0"]) == (0, -2.0)
    assert told["c1"] == pytest.approx(original.array.attrs["scale_factor"], rel=1e-12)
    assert told["vunit"] == "1/cm"


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_stack_says_to_imagej_how_far_its_slices_are_apart(tmp_path, dtype):
    original = original_of(dtype)
    assert write_stack(original, tmp_path / "a.tif") is None
    with tifffile.TiffFile(tmp_path / "a.tif") as stack:
        assert not stack.is_bigtiff
        told = stack.imagej_metadata
        assert (told["slices"], told["spacing"], told["unit"]) == (3, 5.0, "um")
        found = stack.pages[2].tags["XResolution"].value
        assert found[0] / found[1] == pytest.approx(1 / 2.5)
        if dtype != "float32":
            check_codes(told, original)
        np.testing.assert_array_equal(stack.asarray(), original.array[:])
        assert stack.series[0].dtype == dtype


def test_without_a_pixel_size_a_stack_says_none(tmp_path):
    write_stack(original_of("float32", None), tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as stack:
        assert "spacing" not in stack.imagej_metadata
        assert stack.pages[0].tags["ResolutionUnit"].value.name == "NONE"


def test_a_stack_too_large_for_a_classic_tiff_is_a_large_one_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff, "_LARGEST_CLASSIC_BYTES", 100)
    original = original_of("uint16")
    assert "BigTIFF" in write_stack(original, tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as stack:
        assert stack.is_bigtiff
        assert len(stack.pages) == 3
        found = stack.pages[2].tags["XResolution"].value
        assert found[0] / found[1] == pytest.approx(4000)
        assert stack.pages[2].tags["ResolutionUnit"].value.name == "CENTIMETER"
        np.testing.assert_array_equal(stack.asarray(), original.array[:])


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_file_a_slice(tmp_path, dtype):
    original = original_of(dtype)
    assert write_slices(original, tmp_path / "slices") == "3 files"
    files = sorted((tmp_path / "slices").iterdir())
    assert [file.name for file in files] == [f"slice_000{number}.tif" for number in range(3)]
    assert [each.name for each in tmp_path.iterdir()] == ["slices"]
    for file, values in zip(files, original.array[:], strict=True):
        with tifffile.TiffFile(file) as page:
            assert not page.is_bigtiff
            assert page.imagej_metadata["spacing"] == 5.0
            found = page.pages[0].tags["XResolution"].value
            assert found[0] / found[1] == pytest.approx(1 / 2.5)
            if dtype != "float32":
                check_codes(page.imagej_metadata, original)
            np.testing.assert_array_equal(page.asarray(), values)


def test_slices_do_not_appear_among_other_files(tmp_path):
    (tmp_path / "slices").mkdir()
    (tmp_path / "slices" / "mine.txt").write_text("mine")
    with pytest.raises(OSError, match="not empty"):
        write_slices(original_of("uint8"), tmp_path / "slices")
    assert [each.name for each in (tmp_path / "slices").iterdir()] == ["mine.txt"]
    assert [each.name for each in tmp_path.iterdir()] == ["slices"]
