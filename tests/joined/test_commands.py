"""What other commands make of joined volumes: copies, comparisons, and a refusal that helps."""

import json
import shutil

import h5py
import numpy as np
import pytest
import tifffile
from tests.cli.calling import tomobatch
from tests.joined.volumes import VOXEL_UM, specimen, write_volume

from tomobatch.joined.series import join_series
from tomobatch.joined.stack import join_stack
from tomobatch.provenance.record import read_record, records_of_scans

WHOLE = specimen(16, 24, seed=1)


@pytest.fixture
def joined(tmp_path, monkeypatch):
    """A stack, a series, and the volumes that they are made of."""
    monkeypatch.chdir(tmp_path)
    parts = [write_volume(tmp_path / "a", WHOLE[:8]), write_volume(tmp_path / "b", WHOLE[6:14])]
    join_stack(parts, tmp_path / "whole.ome.zarr", overlap=2)
    join_series(parts, tmp_path / "times.ome.zarr")
    return tmp_path


def change(node, cor_px):
    """Give a part another record."""
    record = json.loads((node / "zarr.json").read_text())
    record["attributes"]["tomobatch"]["found"]["cor_px"] = cor_px
    (node / "zarr.json").write_text(json.dumps(record))


def test_a_stack_is_copied_under_its_own_name(joined):
    for kind, name in (("tiff", "whole.tif"), ("nrrd", "whole.nrrd"), ("hdf5", "whole.h5")):
        said = tomobatch("export", "whole.ome.zarr", "--to", kind)
        assert (said.code, said.out) == (0, f"{name}\n"), said.err
    with tifffile.TiffFile("whole.tif") as stack:
        np.testing.assert_allclose(stack.asarray(), WHOLE[:14], rtol=1e-6)
        assert stack.imagej_metadata["spacing"] == VOXEL_UM
    with h5py.File("whole.h5") as file:
        np.testing.assert_allclose(file["volume"][()], WHOLE[:14], rtol=1e-6)
        entry = file["entry"]
        assert entry["title"].asstr()[()] == "stack"
        assert [entry[f"reconstruction_{n}/scan/name"].asstr()[()] for n in (0, 1)] == ["a", "b"]
        whole = json.loads(entry["joined/data"].asstr()[()])
        assert [one["first_slice"] for one in whole["joined"]["stack"]] == [0, 6]


def test_a_series_is_not_copied_and_it_is_said_what_can_be(joined):
    said = tomobatch("export", "times.ome.zarr")
    assert said.code == 1
    assert said.err == (
        "error: times.ome.zarr: its axes are tzyx, and a copy has z, y and x: export the volumes"
        " of a series one by one"
    )


@pytest.mark.parametrize("name", ["whole.ome.zarr", "times.ome.zarr"])
def test_joined_volumes_are_compared_part_by_part(joined, name):
    shutil.copytree(name, "same")
    same = tomobatch("diff", name, "same")
    assert same.code == 0, same.err
    assert "nothing differs in how they were made\nall " in same.out
    change(joined / "same/provenance/1", cor_px=25.0)
    shard = next(path for path in sorted((joined / "same/0/c").rglob("*")) if path.is_file())
    shard.unlink()
    other = tomobatch("diff", name, "same")
    assert other.code == 1
    first, second = other.out.splitlines()
    assert first == "parts.1.found.cor_px: 24.5 | 25.0"
    assert "voxels differ" in second
    assert ("at (t, z, y, x) = (0, " if name[0] == "t" else "at (z, y, x) = (") in second


def test_how_volumes_were_joined_is_compared_without_their_names(joined):
    parts = [joined / one / "volume.ome.zarr" for one in "ab"]
    join_stack(parts, joined / "three.ome.zarr", overlap=3)
    said = tomobatch("diff", "whole.ome.zarr", "three.ome.zarr").out.splitlines()
    assert said[0] == "joined.1.first_slice: 6 | 5"
    assert said[-1] == "voxels cannot be compared: 14 x 24 x 24 | 13 x 24 x 24 (z, y, x)"
    said = tomobatch("diff", "whole.ome.zarr", "times.ome.zarr").out.splitlines()
    assert said == [
        'joined: "stack" | "series"',
        "voxels cannot be compared: 14 x 24 x 24 | 2 x 8 x 24 x 24 (z, y, x) | (t, z, y, x)",
    ]
    assert tomobatch("diff", "a", "whole.ome.zarr").out.startswith('joined: null | "stack"\n')


@pytest.mark.parametrize(
    ("name", "how"), [("whole.ome.zarr", "stack"), ("times.ome.zarr", "series")]
)
def test_what_is_joined_is_not_made_again_but_its_parts_are_named(joined, name, how):
    said = tomobatch("rerun", name)
    assert said.code == 1
    assert said.err == (
        f"error: {name} is a {how} of a (/scans/tooth.h5), b (/scans/tooth.h5): rerun the volume"
        f" of each, then join them by `tomobatch {how}`"
    )
    assert not (joined / "reruns").exists()


def test_a_stack_of_stacks_knows_every_scan(joined):
    above = write_volume(joined / "c", WHOLE[12:])
    join_stack([joined / "whole.ome.zarr", above], joined / "all.ome.zarr", overlap=2)
    record = read_record("all.ome.zarr")
    assert [one["scan"]["name"] for one in records_of_scans(record)] == ["a", "b", "c"]
    (joined / "all.ome.zarr/provenance/0/1/zarr.json").write_text("{}")
    assert "damaged" in tomobatch("export", "all.ome.zarr").err
