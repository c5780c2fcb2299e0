"""What two records, or two volumes, differ in, is all said and nothing else."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
import zarr
from tests.scan import stacks

from tomobatch.errors import UserError
from tomobatch.provenance.differences import Difference, compare_pixels, compare_records
from tomobatch.provenance.record import as_group, make_record, read_record, versions
from tomobatch.scan.identity import Identity, identify
from tomobatch.scan.open import open_scan
from tomobatch.stores.grey_codes import GreyCodes

IDENTITY = Identity("HDF5", 12, "a" * 64, "b" * 64)


def record_of(**changes):
    made = make_record(
        "bone",
        "bone.h5",
        IDENTITY,
        {"path": "bone.h5", "stripes": {"snr": 3.0}, "volume": {"levels": 3}},
        {"cor_px": 33.5, "grey_window_per_px": [0.0, 1.0]},
        ["one", "one", "two"],
        [{"rule": "calibrate"}, {"timeline": {"devices": ["a device"], "method": "direct"}}],
    )
    return {**made, **changes}


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = record_of()
    node = tmp_path / "volume.ome.zarr" / "provenance" / "zarr.json"
    node.parent.mkdir(parents=True)
    node.write_bytes(as_group(record))
    assert read_record(str(tmp_path)) == record
    assert read_record(f"{tmp_path}/volume.ome.zarr/") == record
    assert zarr.open_group(node.parent, mode="r").attrs["tomobatch"]["found"]["cor_px"] == 33.5
    assert record["warnings"] == ["one", "two"]
    assert (record["devices"], record["methods"]) == (["a device"], ["direct"])
    assert record["scan"]["path"].startswith("/")
    assert {"tomobatch", "python", "numpy", "pyopencl", "zarr"} <= versions().keys()
    node.write_text("{}")
    with pytest.raises(UserError, match="damaged"):
        read_record(str(tmp_path))
    with pytest.raises(UserError, match="does not say how it was made"):
        read_record(str(tmp_path / "nothing"))


def test_where_and_when_do_not_matter_and_all_else_does():
    a = record_of()
    elsewhere = json.loads(json.dumps(a))
    elsewhere["made"] = "2001-01-01"
    elsewhere["scan"]["path"] = elsewhere["settings"]["path"] = "/other/bone.h5"
    assert compare_records(a, elsewhere) == []
    b = json.loads(json.dumps(elsewhere))
    b["versions"]["numpy"] = "0.1"
    b["settings"]["stripes"]["snr"] = 2.0
    b["settings"]["stripes"]["more"] = None
    b["found"]["cor_px"] = 34.0
    b["warnings"] = ["one"]
    b["scan"]["sample_sha256"] = "c"
    assert [one.key for one in compare_records(a, b)] == [
        "versions.numpy",
        "scan.sample_sha256",
        "settings.stripes.snr",
        "found.cor_px",
        "warnings",
    ]
    assert str(Difference("found.cor_px", 33.5, None)) == "found.cor_px: 33.5 | null"


def test_voxels_are_compared_as_greys():
    values = np.random.default_rng(1).normal(size=(5, 6, 7)).astype(np.float32)
    other = values.copy()
    other[3, 2, 1] += 0.5
    other[0, 0, 0] -= 0.25
    a, b = (zarr.array(each, chunks=(2, 6, 7)) for each in (values, other))
    assert compare_pixels(a, a).words == "all 210 voxels are equal, bit by bit"
    found = compare_pixels(a, b)
    assert (found.n_different, found.n_voxels, found.where) == (2, 210, (3, 2, 1))
    assert found.largest == pytest.approx(0.5, rel=1e-6)
    assert found.rms == pytest.approx(np.sqrt((0.25 + 0.0625) / 210), rel=1e-6)
    assert found.scale == pytest.approx(values.std(), rel=1e-5)
    assert "2 of 210 voxels differ" in found.words
    codes = GreyCodes("uint16", -6.0, 6.0)
    numbers = zarr.create_array({}, data=codes.encode(values), attributes=codes.attributes())
    assert compare_pixels(a, numbers).largest <= 0.51 * codes.scale


def test_a_scan_is_known_again_and_another_is_not(tmp_path):
    def identity(path):
        with open_scan(path) as scan:
            return identify(scan)

    path = stacks.write_data_exchange(tmp_path / "a.h5")
    first = identity(path)
    assert first.size_bytes == path.stat().st_size
    again = identity(stacks.write_data_exchange(tmp_path / "b.h5"))
    assert replace(again, size_bytes=None) == replace(first, size_bytes=None)
    with h5py.File(path, "r+") as file:
        file["exchange/data"][-1, 0, 0] += 1
    changed = identity(path)
    assert changed.sample_sha256 != first.sample_sha256
    assert changed.header_sha256 == first.header_sha256
    with h5py.File(path, "r+") as file:
        file["exchange/theta"][1] += 0.1
    assert identity(path).header_sha256 != first.header_sha256
