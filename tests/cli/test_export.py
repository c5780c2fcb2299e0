"""``tomobatch export``: copies of a finished volume, beside it and refused where one is."""

import h5py
import numpy as np
import pytest
import tifffile
from tests.cli.calling import tomobatch
from tests.copies.originals import RECORD
from tests.view.conftest import write_volume

from tomobatch.provenance.record import as_group

VALUES = np.random.default_rng(0).normal(size=(8, 16, 16)).astype(np.float32)


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    volume = write_volume(tmp_path / "results" / "tooth", VALUES)
    (volume / "provenance").mkdir()
    (volume / "provenance" / "zarr.json").write_bytes(as_group(RECORD))
    return tmp_path / "results" / "tooth"


@pytest.mark.parametrize(
    ("kind", "name"), [("tiff", "volume.tif"), ("hdf5", "volume.h5"), ("nrrd", "volume.nrrd")]
)
def test_a_copy_lies_beside_the_volume(results, kind, name):
    said = tomobatch("export", "results/tooth", "--to", kind)
    assert said.code == 0, said.err
    assert said.out.splitlines() == [f"results/tooth/{name}"]
    again = tomobatch("export", "results/tooth/volume.ome.zarr/", "--to", kind)
    assert again.code == 1
    assert f"results/tooth/{name} is there already" in again.err


def test_a_file_a_slice_of_a_coarser_level(results):
    said = tomobatch("export", "results/tooth", "--to", "slices", "--level", "1")
    assert said.out.splitlines() == ["results/tooth/volume-level1-slices: 4 files"]
    first = tifffile.imread(results / "volume-level1-slices" / "slice_0000.tif")
    np.testing.assert_allclose(first[0, 0], VALUES[:2, :2, :2].mean(), rtol=1e-5)


def test_the_place_of_a_coarser_level_is_its_own(results):
    tomobatch("export", "results/tooth", "--to", "hdf5", "--level", "1", "-o", "a.h5")
    with h5py.File("a.h5") as file:
        np.testing.assert_allclose(file["entry/data/z"][:2], [1.0, 5.0])


def test_what_cannot_be_copied_is_said(results):
    said = tomobatch("export", "results/tooth", "--level", "2")
    assert said.code == 1
    assert "level 2 asked for, it has 0 to 1" in said.err
    (results / "volume.ome.zarr/provenance/zarr.json").unlink()
    said = tomobatch("export", "results/tooth")
    assert said.code == 1
    assert "not finished" in said.err
    assert not (results / "volume.tif").exists()
