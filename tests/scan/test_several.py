"""Scans of one file are scans of their own: in a configuration, in ``init`` and in ``inspect``."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from tests.cli.calling import tomobatch
from tests.scan import stacks
from tests.scan.test_bliss import write_tomography
from tests.scan.test_hdf5_links import master

from tomobatch.cli.shared.scans import find_scans
from tomobatch.config.schema import load_config
from tomobatch.errors import UserError
from tomobatch.scan.open import open_scan
from tomobatch.scan.several import each_scan, scans_within, with_each_scan


def raw(folder: Path) -> Path:
    with h5py.File(folder / "raw.h5", "w") as file:
        write_tomography(file)
        write_tomography(file, 11, stacks.PROJECTIONS[::-1])
    return folder / "raw.h5"


@pytest.mark.parametrize(("write", "names"), [(raw, ["1.1", "11.1"]), (master, ["1.1", "2.1"])])
def test_each_is_named_by_its_entry_and_is_read(write, names, tmp_path: Path) -> None:
    path = write(tmp_path)
    shared = {"pixel_size_um": 2.0}
    config = load_config(with_each_scan({"scans": {"bone": str(path)}, "datasets": shared}))
    assert list(config.scans) == [f"bone_{name}" for name in names]
    for one, expected in zip(
        config.scans.values(), (stacks.PROJECTIONS, stacks.PROJECTIONS[::-1]), strict=True
    ):
        assert one.datasets.pixel_size_um == 2.0
        with open_scan(one.path, one.datasets) as scan:
            np.testing.assert_array_equal(scan.read_projections(0, len(expected)), expected)


def test_what_chooses_already_and_what_holds_one_stays(tmp_path: Path) -> None:
    path = str(master(tmp_path))
    chosen = {"path": path, "datasets": {"projections": "/2.1"}}
    scans = {"second": chosen, "one": str(tmp_path / "one.nx"), "gone": "gone.h5", "odd": 3}
    assert each_scan(scans, {}) == scans
    assert each_scan({"all": path}, {"projections": "/1.1"}) == {"all": path}
    assert scans_within("s3://bucket/master.nx") == []


def test_a_sheet_may_name_a_file_of_several(tmp_path: Path) -> None:
    sheet = tmp_path / "scans.tsv"
    sheet.write_text(f"scan\tpath\tcalibrate.tilt_deg\nbone\t{master(tmp_path)}\t0.1\n")
    config = load_config(with_each_scan({"scans": str(sheet)}))
    assert [one.calibrate.tilt_deg for one in config.scans.values()] == [0.1, 0.1]
    assert list(config.scans) == ["bone_1.1", "bone_2.1"]


def test_each_may_be_asked_for(tmp_path: Path) -> None:
    path = str(master(tmp_path))
    config = {"scans": {"bone": path}}
    for asked in ([], ["bone"]):
        assert list(find_scans(asked, config)) == ["bone_1.1", "bone_2.1"]
    second = {"path": path, "datasets": {"projections": "/2.1"}}
    assert find_scans(["bone_2.1"], config) == {"bone_2.1": second}
    assert list(find_scans([path], {})) == ["master_1.1", "master_2.1"]
    with pytest.raises(UserError, match=r"bone_3\.1"):
        find_scans(["bone_3.1"], config)


def test_init_and_inspect_take_each(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = str(master(tmp_path))
    said = tomobatch("init", "study", path)
    assert said.code == 0, said.err
    written = yaml.safe_load((tmp_path / "study/config.yaml").read_text(encoding="utf-8"))
    assert list(written["scans"]) == ["master_1.1", "master_2.1"]
    assert load_config(written).scans["master_2.1"].datasets.projections == "/2.1"
    seen = json.loads(tomobatch("inspect", "--json", path).out)
    assert list(seen) == ["master_1.1", "master_2.1"]
