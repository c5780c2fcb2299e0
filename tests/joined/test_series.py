"""A time series has every voxel of its volumes, and readers of OME-Zarr take it for one."""

import json

import numpy as np
import pytest
import zarr
from ome_zarr_models.v05 import Image
from tests.cli.calling import tomobatch
from tests.joined.volumes import VOXEL_UM, specimen, write_volume

from tomobatch.errors import UserError
from tomobatch.joined.series import join_series
from tomobatch.provenance.record import read_record
from tomobatch.stores.grey_codes import GreyCodes

MOMENTS = [specimen(20, 24, seed) for seed in range(3)]
CODES = GreyCodes("uint8", -1.0, 5.0)


@pytest.fixture
def volumes(tmp_path):
    return [write_volume(tmp_path / f"t{t}", values) for t, values in enumerate(MOMENTS)]


def test_every_moment_is_its_volume_at_every_level(volumes, tmp_path):
    output = tmp_path / "series.ome.zarr"
    join_series(volumes, output, interval_s=90.0)
    image = Image.from_zarr(zarr.open_group(output, mode="r"))
    multiscale = image.ome_attributes.multiscales[0]
    assert [axis.name for axis in multiscale.axes] == ["t", "z", "y", "x"]
    for level in ("0", "1"):
        joined = zarr.open_array(output / level, mode="r")
        assert joined.metadata.dimension_names == ("t", "z", "y", "x")
        for t, volume in enumerate(volumes):
            alone = zarr.open_array(volume / level, mode="r")[:]
            np.testing.assert_array_equal(joined[t], alone)
    np.testing.assert_array_equal(zarr.open_array(output / "0", mode="r")[:], np.stack(MOMENTS))
    group = json.loads((output / "zarr.json").read_text())["attributes"]["ome"]
    assert group["multiscales"][0]["axes"][0] == {"name": "t", "type": "time", "unit": "second"}
    scale, _ = group["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    assert scale["scale"] == [90.0, VOXEL_UM, VOXEL_UM, VOXEL_UM]
    window = group["omero"]["channels"][0]["window"]
    assert window["start"] == pytest.approx(min(float(one.min()) for one in MOMENTS), abs=1e-6)
    assert window["end"] == pytest.approx(max(float(one.max()) for one in MOMENTS), rel=1e-6)
    for t in range(3):
        record = json.loads((output / f"provenance/{t}/zarr.json").read_text())
        assert record["attributes"]["tomobatch"]["scan"]["name"] == f"t{t}"


def test_files_are_linked_and_the_volumes_stay(volumes, tmp_path):
    join_series(volumes, tmp_path / "series.ome.zarr")
    shard = tmp_path / "series.ome.zarr/0/c/1/2/0/0"
    assert shard.samefile(volumes[1] / "0/c/2/0/0")
    shard.unlink()
    np.testing.assert_array_equal(zarr.open_array(volumes[1] / "0", mode="r")[:], MOMENTS[1])


def test_whole_numbers_keep_what_they_mean(tmp_path):
    volumes = [
        write_volume(tmp_path / f"t{t}", values, codes=CODES) for t, values in enumerate(MOMENTS)
    ]
    join_series(volumes, tmp_path / "series.ome.zarr")
    joined = zarr.open_array(tmp_path / "series.ome.zarr/0", mode="r")
    greys = joined[:] * joined.attrs["scale_factor"] + joined.attrs["add_offset"]
    assert np.abs(greys - np.stack(MOMENTS)).max() <= 0.5001 * CODES.scale


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"values": MOMENTS[0][:16]}, "in shape: "),
        ({"values": MOMENTS[0], "chunk": 4}, "in chunk_grid: "),
        ({"values": MOMENTS[0], "codes": CODES}, "in data_type: "),
    ],
)
def test_what_differs_is_refused_and_named(volumes, tmp_path, other, told):
    odd = write_volume(tmp_path / "odd", other.pop("values"), **other)
    with pytest.raises(UserError, match=told):
        join_series([*volumes, odd], tmp_path / "series.ome.zarr")
    assert not (tmp_path / "series.ome.zarr").exists()


def test_other_whole_numbers_are_refused(tmp_path):
    volumes = [
        write_volume(tmp_path / str(high), MOMENTS[0], codes=GreyCodes("uint8", -1.0, high))
        for high in (5.0, 6.0)
    ]
    with pytest.raises(UserError, match="in attributes"):
        join_series(volumes, tmp_path / "series.ome.zarr")


def test_the_command_joins_results_and_refuses_what_is_unfinished(volumes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = tomobatch("series", "t0", "t1/volume.ome.zarr", "-o", "s.ome.zarr", "--interval", "60")
    assert (said.code, said.out) == (0, "s.ome.zarr: 2 moments\n")
    again = tomobatch("series", "t0", "t1", "-o", "s.ome.zarr")
    assert "s.ome.zarr is there already" in again.err
    assert "it is joined already" in tomobatch("series", "t0", "s.ome.zarr", "-o", "x").err
    (volumes[2] / "provenance/zarr.json").unlink()
    assert "not finished" in tomobatch("series", "t0", "t2", "-o", "x.ome.zarr").err
    assert "two volumes or more" in tomobatch("series", "t0", "-o", "x.ome.zarr").err
    assert "its axes are tzyx" in tomobatch("view", "s.ome.zarr").err
    assert [one["scan"]["name"] for one in read_record("s.ome.zarr")["parts"]] == ["t0", "t1"]
