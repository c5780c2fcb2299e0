"""The same workflow on emulated AWS Batch gives, bit for bit, the volume of this machine."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from tests.deployed import BUCKET, deploy_templates
from tests.same_volume import assert_one_volume
from tests.warm_start import image, poll_often, python, tomobatch
from tests.workflow.running import REPOSITORY, set_config

import aws_batch_emulator
from aws_batch_emulator import Fault
from tomobatch.aws.account.deploy import deploy
from tomobatch.aws.account.stacks import read_outputs
from tomobatch.phantom.write_cone import demo_beam, write_cone_phantom
from tomobatch.results import is_intermediate

CONE_SIZE = 64
STEPS = ("average_references", "preprocess", "process", "calibrate", "reconstruct", "report")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Clone the repository, as jobs are sent the sources of a user's clone."""
    folder = tmp_path_factory.mktemp("clone") / "tomobatch"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, folder], check=True)
    poll_often(folder / "profiles")
    return folder


@pytest.fixture(scope="module")
def emulator():
    variables = {"TOMOBATCH_DEVICE": "cpu", **image()}
    with aws_batch_emulator.start(stack=None, variables=variables) as running:
        deploy_templates(running, Fargate="yes")
        yield running


def try_demo(
    folder: Path, scan: Path, *arguments: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tomobatch(), "demo", scan, *arguments],
        check=False,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(env or {})},
    )


def demo(folder: Path, scan: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    done = try_demo(folder, scan, *arguments, env=env)
    assert done.returncode == 0, done.stdout
    return done.stdout


def on_queue(line: str, name: str) -> bool:
    """Tell whether a line about a submission names a queue."""
    return re.search(rf"job-queue/\S*-{name}\b", line) is not None


@pytest.fixture(scope="module")
def cone_scan(tmp_path_factory):
    """A demo scan of a cone beam; its truth lies in the file."""
    path = tmp_path_factory.mktemp("scans") / "cone.nx"
    write_cone_phantom(path, size=CONE_SIZE)
    return path


@contextmanager
def default_queue(folder: Path, name: str) -> Iterator[None]:
    """Let jobs that name no queue go to one, as users do by a word in the profile."""
    defaults = folder / "profiles" / "default" / "config.yaml"
    text, key = defaults.read_text(), "default-resources:\n"
    defaults.write_text(text.replace(key, f'{key}  - queue="{name}"\n'))
    yield
    defaults.write_text(text)


@pytest.mark.parametrize(("name", "queue"), [("tooth", "cpu"), ("cone", "fargate")])
def test_emulated_batch_gives_the_volume_of_this_machine(clone, emulator, request, name, queue):
    fixtures = {"tooth": "real_scan", "cone": "cone_scan"}
    scan = request.getfixturevalue(fixtures[name])
    here = demo(clone, scan)
    with default_queue(clone, queue):
        there = demo(clone, scan, "--profile", "profiles/aws", env=emulator.environment)
    found = [line for line in here.splitlines() if line.startswith(("Centre of", "Tilt"))]
    assert len(found) == 2
    assert all(line in there.splitlines() for line in found)
    assert_one_volume(clone / "results-aws" / name, clone / "results" / name)
    if name == "cone":
        assert_axis_of_the_cone_is_found(clone / "results" / name)
    submitted = [line for line in there.splitlines() if line.startswith("Submitted ")]
    for step in STEPS:
        assert any(f" of {step} to " in line for line in submitted), f"{step} was not submitted"
    assert all(on_queue(line, queue) for line in submitted)
    # A scan so small is not worth a second child; one that needs more memory is an array's.
    children = {re.search(r" (for \d+ pilots?|as \d+ .*): ", line)[1] for line in submitted}
    assert {"for 1 pilot"} <= children <= {"for 1 pilot", "as 1 AWS Batch child"}
    assert emulator.live_jobs() == []
    assert_intermediates_are_as_is_said(emulator, clone / "results-aws" / name)


def assert_axis_of_the_cone_is_found(results: Path) -> None:
    attributes = json.loads((results / "volume.ome.zarr" / "zarr.json").read_text())["attributes"]
    beam, drawn = attributes["tomobatch"]["beam"], demo_beam(CONE_SIZE)
    assert beam["axis_shift_px"] == pytest.approx(drawn.axis_shift_px, abs=0.25)
    # A roll that moves no pixel by 0.15 px is left alone: of 64 columns, one of 0.27 degrees.
    assert beam["roll_deg"] == pytest.approx(drawn.roll_deg, abs=0.3)


def assert_intermediates_are_as_is_said(emulator, fetched: Path) -> None:
    """Look into the bucket for what the job's record says was removed, or kept."""
    record = json.loads((fetched / "records" / "remove_intermediates.json").read_text())
    folder = f"runs/results/{fetched.name}/"
    pages = boto3_client(emulator).get_paginator("list_objects_v2")
    keys = [
        each["Key"].removeprefix(folder)
        for page in pages.paginate(Bucket=BUCKET, Prefix=folder)
        for each in page["Contents"]
    ]
    there = any(is_intermediate(key) for key in keys)
    assert there == ("kept_since" in record)
    assert there or record["removed_bytes"] > 0
    assert {"settings.json", "report.html"} <= set(keys)


def test_a_gpu_job_on_a_machine_without_a_gpu_fails_at_once(
    clone, tiny_scan, monkeypatch, tmp_path
):
    """The job definition says that the machine has a GPU; the CPU must not do its work unseen.

    One word of the configuration sends slices there.
    """
    with aws_batch_emulator.start(stack=None, variables=image()) as emulator:
        for name, value in emulator.administrator.items():
            monkeypatch.setenv(name, value)
        deploy(boto3.client("cloudformation"), "lab", {}, tell=print, confirm=lambda _: True)
        outputs = read_outputs(boto3.client("cloudformation"), "lab")
        account = {"TOMOBATCH_STACK": "lab", "TOMOBATCH_BUCKET": outputs["DataBucket"]}
        folder = shutil.copytree(clone, tmp_path / "clone", symlinks=True)
        set_config(folder, "reconstruct", device="gpu")
        failed = try_demo(folder, tiny_scan, "--profile", "profiles/aws", env=account)
        attempts = {job["attempts"] for job in emulator.jobs()}
    assert failed.returncode != 0
    assert "device: gpu was asked for, but OpenCL lists no GPU here" in failed.stdout
    assert "Traceback" not in failed.stdout
    submitted = [line for line in failed.stdout.splitlines() if " of reconstruct to " in line]
    assert submitted
    assert all(on_queue(line, "gpu") for line in submitted)
    assert attempts == {1}


KILLED_IN = ("preprocess", "process", "calibrate", "reconstruct")
JOBS = {"average_references": 1, "preprocess": 3, "process": 2, "calibrate": 1, "reconstruct": 2}


def test_a_controller_killed_in_every_step_runs_no_job_twice(clone, emulator, tiny_scan):
    bucket = BUCKET
    env = {**os.environ, **emulator.environment}
    env |= {"TOMOBATCH_STACK": "tomobatch", "TOMOBATCH_BUCKET": bucket}
    boto3_client(emulator).upload_file(str(tiny_scan), bucket, "runs/scans/killed.h5")
    # A file that the configuration is read from, here and in every job.
    (clone / "lens.txt").write_text(
        "xcenter = 24.0\nycenter = 6.0\nfactor0 = 1.0\nfactor1 = 1e-5\n"
    )
    columns = ("scan", "path", "chunks.projections", "chunks.slices", "datasets.distortion.file")
    row = ("killed", "scans/killed.h5", "25", "8", "lens.txt")
    (clone / "killed.tsv").write_text("\t".join(columns) + "\n" + "\t".join(row) + "\n")
    command = [python(), "-m", "snakemake", "--profile", "profiles/aws"]
    command += ["--aws-batch-array-pilots", "0", "--aws-batch-array-child-minutes", "0"]
    command += ["--config", "scans=killed.tsv"]
    already_run = {job["jobId"] for job in emulator.jobs()}
    # Batch needs more than a second to place a job. One that began within the second in which its
    # input was written, as S3 tells it, would be run again: the input might be newer.
    emulator.inject(Fault("slow-start", match="*", count=None, duration_s=1.2))
    for step in KILLED_IN:
        with subprocess.Popen(
            command,
            cwd=clone,
            env=env,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as controller:
            wait_for(emulator, step, already_run, controller)
            os.killpg(controller.pid, signal.SIGKILL)
    done = subprocess.run(command, cwd=clone, env=env, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = [job for job in emulator.jobs() if job["jobId"] not in already_run]
    attempts = {
        step: [job["attempts"] for job in ran if f"-{step}-" in job["jobName"]] for step in JOBS
    }
    emulator.clear_faults()
    assert attempts == {step: [1] * n_jobs for step, n_jobs in JOBS.items()}, done.stdout
    assert emulator.live_jobs() == []


def wait_for(emulator, step: str, before: set[str], controller: subprocess.Popen) -> None:
    """Wait until a job of a step has been submitted."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        names = [job["jobName"] for job in emulator.jobs() if job["jobId"] not in before]
        if any(f"-{step}-" in name for name in names):
            return
        assert controller.poll() is None, f"the controller ended before {step}"
        time.sleep(0.1)
    raise AssertionError(f"{step} was not submitted in 300 s")


def boto3_client(emulator):
    return boto3.client(
        "s3",
        endpoint_url=emulator.endpoint_url,
        region_name="eu-central-1",
        aws_access_key_id=emulator.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=emulator.environment["AWS_SECRET_ACCESS_KEY"],
    )
