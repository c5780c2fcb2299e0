"""``tomobatch diff`` and the refusals of ``rerun``; that a volume is made again: tests/workflow."""

import json

import numpy as np
import pytest
from tests.cli.calling import tomobatch
from tests.scan import stacks
from tests.view.conftest import write_volume

from tomobatch.provenance.record import as_group, make_record
from tomobatch.scan.identity import identify
from tomobatch.scan.open import open_scan


def write_results(folder, scan, values, cor_px=3.0):
    with open_scan(scan) as opened:
        identity = identify(opened)
    settings = {"path": str(scan), "datasets": {}, "volume": {"levels": 2}}
    record = make_record("a", str(scan), identity, settings, {"cor_px": cor_px}, [], [])
    volume = write_volume(folder, values)
    (volume / "provenance").mkdir()
    (volume / "provenance" / "zarr.json").write_bytes(as_group(record))
    return folder


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scan = stacks.write_data_exchange(tmp_path / "a.h5")
    values = np.random.default_rng(0).normal(size=(8, 16, 16)).astype(np.float32)
    write_results(tmp_path / "one", scan, values)
    write_results(tmp_path / "same", scan, values)
    write_results(tmp_path / "other", scan, values + np.float32(0.5), cor_px=4.0)
    write_results(tmp_path / "small", scan, values[:4])
    return tmp_path


def test_equal_volumes_are_said_to_be(results):
    said = tomobatch("diff", "one", "same/volume.ome.zarr")
    assert said.code == 0, said.err
    assert said.out.splitlines() == [
        "nothing differs in how they were made",
        "all 2048 voxels are equal, bit by bit",
    ]


def test_what_differs_is_said_and_is_the_exit_code(results):
    said = tomobatch("diff", "one", "other")
    assert said.code == 1
    assert "found.cor_px: 3.0 | 4.0" in said.out
    assert "2048 of 2048 voxels differ: rms 0.5" in said.out
    values = json.loads(tomobatch("diff", "one", "other", "--json").out)
    assert values["differences"] == [{"key": "found.cor_px", "a": 3.0, "b": 4.0}]
    assert values["pixels"]["n_different"] == 2048
    said = tomobatch("diff", "one", "small")
    assert said.code == 1
    assert "voxels cannot be compared: 8 x 16 x 16 | 4 x 16 x 16 (z, y, x)" in said.out


def test_configurations_are_compared_with_their_defaults(results):
    (results / "a.yaml").write_text("scans: {a: a.h5}\n")
    (results / "b.yaml").write_text("scans: {a: a.h5}\nstripes: {snr: 3.0}\n")
    (results / "c.yaml").write_text("scans: {a: {path: a.h5, stripes: {snr: 2.0}}}\n")
    assert tomobatch("diff", "a.yaml", "b.yaml").code == 0
    said = tomobatch("diff", "a.yaml", "c.yaml")
    assert (said.code, said.out.splitlines()[0]) == (1, "scans.a.stripes.snr: 3.0 | 2.0")
    assert "one is a configuration and the other a volume" in tomobatch("diff", "a.yaml", "one").err
    assert "d.yaml: no such file" in tomobatch("diff", "a.yaml", "d.yaml").err


def test_another_scan_is_not_made_again(results):
    moved = stacks.write_data_exchange(
        results / "a.h5", data=stacks.PROJECTIONS[::-1], theta=stacks.THETA_DEG + 1
    )
    said = tomobatch("rerun", "one")
    assert said.code == 1
    assert (
        f"{moved} is not the scan that the volume is of: its header and the pixels of three"
        " projections differ; give the right one by --scan"
    ) in said.err
    assert not (results / "reruns").exists()
    (results / "there").mkdir()
    (results / "there" / "config.yaml").touch()
    said = tomobatch("rerun", "one", "--output", "there")
    assert "there is there already; give another folder by --output" in said.err
