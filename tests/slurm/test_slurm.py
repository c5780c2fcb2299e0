"""The workflow on a real Slurm of one node gives the volume that this machine gives."""

import os
import subprocess

import pytest
import yaml
from tests.leaving_out import leave_out
from tests.same_volume import assert_one_volume
from tests.slurm.cluster import NoSlurm, running_cluster
from tests.warm_start import python
from tests.workflow.conftest import make_tiny_scan
from tests.workflow.running import REPOSITORY

PROFILES = REPOSITORY / "profiles"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    try:
        with running_cluster(tmp_path_factory.mktemp("slurm")) as environment:
            yield environment
    except NoSlurm as reason:
        leave_out(f"Slurm is left out: {reason}")


def run(folder, environment, *arguments):
    done = subprocess.run(
        [python(), "-m", "snakemake", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_slurm_gives_the_volume_of_this_machine(cluster, tmp_path):
    make_tiny_scan(tmp_path / "tiny.h5")
    (tmp_path / "config.yaml").write_text(
        "scans: {tiny: tiny.h5}\nchunks: {projections: 30, slices: 6}\nvolume: {levels: 2}\n"
    )
    for name in ("Snakefile", "rules", "scripts", "envs", "profiles", "docs"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    said = run(
        tmp_path,
        cluster,
        *("--workflow-profile", "profiles/slurm", "--config", "results=by-slurm"),
        *("--max-threads", "2", "--latency-wait", "10", "--slurm-status-command", "squeue"),
        *("--retries", "0", "--slurm-init-seconds-before-status-checks", "4"),
    )
    assert "submitted with SLURM jobid" in said
    assert (tmp_path / "by-slurm" / "tiny" / "report.html").is_file()
    run(tmp_path, {}, "--profile", "profiles/local", "--config", "results=here")
    assert_one_volume(tmp_path / "by-slurm" / "tiny", tmp_path / "here" / "tiny")


def test_the_profile_asks_for_what_the_default_one_does():
    slurm, default = (
        yaml.safe_load((PROFILES / name / "config.yaml").read_text())
        for name in ("slurm", "default")
    )
    assert slurm["set-threads"] == default["set-threads"]
    runtimes = {rule: each["runtime"] for rule, each in slurm["set-resources"].items()}
    assert runtimes == {rule: each["runtime"] for rule, each in default["set-resources"].items()}
    assert set(default["default-resources"]) - {'queue="cpu"'} <= set(slurm["default-resources"])
