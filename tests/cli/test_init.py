"""The folder that ``init`` makes: it runs, and what is the user's in it stays."""

import subprocess

import h5py
import pytest
import yaml
from tests.cli.calling import tomobatch
from tests.warm_start import python
from tests.workflow.running import planned_jobs

from tomobatch.cli.shared.naming import name_scans
from tomobatch.config.schema import Config, load_config
from tomobatch.phantom.write import write_phantom
from tomobatch.workflow import COPY, bring_in


@pytest.fixture
def scan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_phantom(tmp_path / "tooth.h5", size=48, n_rows=12, n_angles=60, n_flats=4, n_darks=4)
    return "tooth.h5"


def test_what_is_written_is_the_configuration_of_the_scan(scan, tmp_path):
    said = tomobatch("init", "study", scan)
    assert said.code == 0, said.err
    text = (tmp_path / "study" / "config.yaml").read_text(encoding="utf-8")
    config = load_config(yaml.safe_load(text))
    path = str(tmp_path / scan)
    assert config == load_config({"scans": {"tooth": path}})
    assert "# APS Data Exchange: 60 of 12 rows x 48 columns" in text
    for section in Config.model_fields.values():
        for key in getattr(section.annotation, "model_fields", {}):
            if section.annotation is not type(config.datasets):
                assert f"\n  {key}: " in text


def test_a_file_that_is_there_is_kept_unless_forced(scan, tmp_path):
    file = tmp_path / "study" / "config.yaml"
    file.parent.mkdir()
    file.write_text("mine", encoding="utf-8")
    said = tomobatch("init", "study", scan)
    assert said.code == 1
    assert "config.yaml exists; give another folder, or --force" in said.err
    assert file.read_text(encoding="utf-8") == "mine"
    assert tomobatch("init", "study", scan, "--force").code == 0
    assert "tooth" in file.read_text(encoding="utf-8")
    assert file.with_name("config.1.yaml").read_text(encoding="utf-8") == "mine"


def test_what_the_file_does_not_say_is_left_to_the_user(scan, tmp_path):
    with h5py.File(scan, "r+") as file:
        del file["exchange/theta"]
    assert tomobatch("init", "study", scan).code == 0
    text = (tmp_path / "study" / "config.yaml").read_text(encoding="utf-8")
    assert "half a turn is assumed" in text
    datasets = load_config(yaml.safe_load(text)).scans["tooth"].datasets
    assert datasets.angle_range_deg is None


def test_a_scan_that_can_not_be_reconstructed_is_refused(scan, tmp_path):
    with h5py.File(scan, "r+") as file:
        del file["exchange/data_white"]
    said = tomobatch("init", "study", scan)
    assert said.code == 1
    assert said.err.startswith("error: tooth.h5: ")
    assert "flats" in said.err
    assert not (tmp_path / "study" / "config.yaml").exists()


def test_large_scans_get_chunks_by_memory(scan, tmp_path, monkeypatch):
    monkeypatch.setattr("tomobatch.cli.shared.config_file._MOST_JOB_MB", 1)
    assert tomobatch("init", "study", scan).code == 0
    config = load_config(
        yaml.safe_load((tmp_path / "study" / "config.yaml").read_text(encoding="utf-8"))
    )
    assert (config.chunks.projections, config.chunks.slices) == ("auto", "auto")


def test_the_folder_runs_and_what_is_in_it_already_stays(scan, tmp_path, repository):
    study = tmp_path / "my study"
    (study / "profiles" / "local").mkdir(parents=True)
    (study / "profiles" / "local" / "config.yaml").write_text("cores: 1\n", encoding="utf-8")
    assert tomobatch("init", str(study), scan).code == 0
    assert (study / "profiles" / "local" / "config.yaml").read_text("utf-8") == "cores: 1\n"
    assert (study / "profiles" / "default" / "config.yaml").is_file()
    assert len((study / "README.md").read_text("utf-8").splitlines()) == 5
    done = subprocess.run(
        [python(), "-m", "snakemake", "--profile", "profiles/local", "-n"],
        cwd=study,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert planned_jobs(done.stdout)["reconstruct"] == 1
    assert bring_in(study) == str(study / COPY / "Snakefile")
    packed = study / COPY / "rules" / "common.smk"
    assert packed.read_bytes() == (repository / "rules" / "common.smk").read_bytes()


def test_a_copy_of_the_workflow_that_is_out_of_date_is_made_anew(tmp_path):
    bring_in(tmp_path)
    common = tmp_path / COPY / "rules" / "common.smk"
    untouched = tmp_path / COPY / "Snakefile"
    before = untouched.stat().st_mtime_ns
    content = common.read_bytes()
    common.write_bytes(b"old")
    (tmp_path / COPY / "rules" / "gone.smk").write_text("old")
    bring_in(tmp_path)
    assert common.read_bytes() == content
    assert not (tmp_path / COPY / "rules" / "gone.smk").exists()
    assert untouched.stat().st_mtime_ns == before


def test_a_file_where_the_folder_should_be_is_refused(scan):
    said = tomobatch("init", scan, scan)
    assert said.code == 1
    assert said.err == f"error: {scan} is a file; the folder of the study comes first: " + (
        f"tomobatch init DIR {scan}"
    )


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
