"""The config.yaml that ``init`` writes: right by the schema, and kept from being overwritten."""

import h5py
import pytest
import yaml
from tests.cli.calling import tomobatch

from tomobatch.cli.shared.naming import name_scans
from tomobatch.config.schema import Config, load_config
from tomobatch.phantom.write import write_phantom


@pytest.fixture
def scan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_phantom(tmp_path / "tooth.h5", size=48, n_rows=12, n_angles=60, n_flats=4, n_darks=4)
    return "tooth.h5"


def test_what_is_written_is_the_configuration_of_the_scan(scan, tmp_path):
    said = tomobatch("init", scan)
    assert said.code == 0, said.err
    text = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    config = load_config(yaml.safe_load(text))
    assert config.scans["tooth"].path == scan
    assert config == load_config({"scans": {"tooth": scan}})
    assert "# APS Data Exchange: 60 of 12 rows x 48 columns" in text
    for section in Config.model_fields.values():
        for key in getattr(section.annotation, "model_fields", {}):
            if section.annotation is not type(config.datasets):
                assert f"\n  {key}: " in text


def test_a_file_that_is_there_is_kept_unless_forced(scan, tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("mine", encoding="utf-8")
    said = tomobatch("init", scan)
    assert said.code == 1
    assert "config.yaml exists; give another --output, or --force" in said.err
    assert file.read_text(encoding="utf-8") == "mine"
    assert tomobatch("init", scan, "--force").code == 0
    assert "tooth" in file.read_text(encoding="utf-8")


def test_what_the_file_does_not_say_is_left_to_the_user(scan, tmp_path):
    with h5py.File(scan, "r+") as file:
        del file["exchange/theta"]
    assert tomobatch("init", scan).code == 0
    text = (tmp_path / "config.yaml").read_text(encoding="utf-8")
    assert "angle_range_deg: [0, 180]  # the file does not say: correct it" in text
    datasets = load_config(yaml.safe_load(text)).scans["tooth"].datasets
    assert datasets.angle_range_deg == (0, 180)


def test_a_scan_that_can_not_be_reconstructed_is_refused(scan, tmp_path):
    with h5py.File(scan, "r+") as file:
        del file["exchange/data_white"]
    said = tomobatch("init", scan)
    assert said.code == 1
    assert said.err.startswith("error: tooth.h5: ")
    assert "flats" in said.err
    assert not (tmp_path / "config.yaml").exists()


def test_large_scans_get_chunks_by_memory(scan, tmp_path, monkeypatch):
    monkeypatch.setattr("tomobatch.cli.shared.config_file._MOST_JOB_MB", 1)
    assert tomobatch("init", scan).code == 0
    config = load_config(yaml.safe_load((tmp_path / "config.yaml").read_text(encoding="utf-8")))
    assert (config.chunks.projections, config.chunks.slices) == ("auto", "auto")


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/tooth.h5", "b/tooth.h5"], ["tooth", "b-tooth"]),
        (["s3://bucket/scans/left jaw.nx.h5"], ["left-jaw"]),
        (["scans/tiffs/"], ["tiffs"]),
        (["a/t.h5", "a/t.nxs", "a/t.zarr"], ["t", "a-t", "t-2"]),
        (["-a.h5", ".h5", "..."], ["a", "h5", "scan"]),
    ],
)
def test_names_of_scans(paths, names):
    assert name_scans(paths) == dict(zip(names, paths, strict=True))
