"""The same workflow on emulated AWS Batch gives, bit for bit, the volume of this machine."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.workflow.running import REPOSITORY

import aws_batch_emulator

STEPS = ("average_references", "preprocess", "process", "calibrate", "reconstruct", "report")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Clone the repository, as jobs are sent the sources of a user's clone."""
    folder = tmp_path_factory.mktemp("clone") / "tomobatch"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def emulator():
    variables = {"TOMOBATCH_DEVICE": "cpu"}
    with aws_batch_emulator.start(stack="tomobatch", variables=variables) as running:
        yield running


def demo(folder: Path, scan: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("tomobatch"), "demo", scan, *arguments],
        check=False,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(env or {})},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def shards(results: Path) -> dict[str, bytes]:
    volume = results / "volume.ome.zarr"
    return {
        str(path.relative_to(volume)): path.read_bytes()
        for path in volume.rglob("*")
        if path.is_file()
    }


def gpu_queue(line: str) -> bool:
    """Tell whether a line about a submission names the GPU queue."""
    return re.search(r"job-queue/\S*-gpu\b", line) is not None


@pytest.mark.parametrize("name", ["tiny", "tooth"])
def test_emulated_batch_gives_the_volume_of_this_machine(
    clone, emulator, tiny_scan, real_scan, name
):
    scan = {"tiny": tiny_scan, "tooth": real_scan}[name]
    here = demo(clone, scan)
    already_run = {job["jobId"] for job in emulator.jobs()}
    there = demo(clone, scan, "--profile", "profiles/aws", env=emulator.environment)
    found = [line for line in here.splitlines() if line.startswith(("Centre of", "Tilt"))]
    assert len(found) == 2
    assert all(line in there.splitlines() for line in found)
    expected = shards(clone / "results" / name)
    assert len(expected) > 4
    assert shards(clone / "results-aws" / name) == expected
    children = [job["jobName"] for job in emulator.jobs() if job["jobId"] not in already_run]
    for step in STEPS:
        assert any(f"-{step}-" in child for child in children), f"{step} ran in no child"
    assert emulator.live_jobs() == []
    assert {gpu_queue(line) for line in there.splitlines() if "of reconstruct to" in line} == {True}
