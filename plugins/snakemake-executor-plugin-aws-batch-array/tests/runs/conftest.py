import os
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import boto3
import pytest
from benchmarks.warm import warm_image, warm_python
from botocore.config import Config

from aws_batch_emulator import Fault, start

BUCKET = "tomobatch-data"
PREFIX = "results"
PATIENCE_S = 600
"""For whatever is waited for; a machine under load takes long, and no test is about how long."""


@pytest.fixture(scope="session")
def python():
    """A Python that starts Snakemake at once, for controllers and children alike."""
    with warm_python() as python:
        yield python


@pytest.fixture(scope="session")
def shared_emulator(python):
    with start(
        bucket=BUCKET, stack="tomobatch", grace_s=10, lag_s=1.0, variables=warm_image(python)
    ) as emulator:
        yield emulator


@pytest.fixture
def emulator(shared_emulator, monkeypatch):
    """An emulator without faults, calls or live jobs, and the environment that points at it."""
    for name, value in shared_emulator.environment.items():
        monkeypatch.setenv(name, value)
    shared_emulator.clear_faults()
    shared_emulator.reset_calls()
    yield shared_emulator
    shared_emulator.clear_faults()
    assert shared_emulator.live_jobs() == [], "jobs were left behind"


@pytest.fixture
def busy(emulator):
    """An account whose Batch and S3 refuse a part of all calls; its lists are always late."""
    emulator.inject(Fault("throttle", match="batch:*", count=None, rate=0.2))
    emulator.inject(Fault("throttle", match="s3:*", count=None, rate=0.05))


@pytest.fixture
def s3():
    """S3 of the emulator that the test started first; a test itself is never turned away."""
    return boto3.client("s3", config=Config(retries={"total_max_attempts": 10}))


@dataclass
class Workflow:
    """A Snakefile in a folder of its own, run against the emulator."""

    folder: Path
    name: str
    s3: object
    python: Path

    def command(self, *options):
        return [
            self.python,
            "-m",
            "snakemake",
            "--executor=aws-batch-array",
            "--aws-batch-array-stack=tomobatch",
            f"--aws-batch-array-run-id={self.name}",
            "--default-storage-provider=s3",
            f"--default-storage-prefix=s3://{BUCKET}/{PREFIX}/{self.name}",
            f"--storage-s3-region={os.environ['AWS_REGION']}",
            "--jobs=1000",
            "--max-jobs-per-timespan=10000/1s",
            "--seconds-between-status-checks=1",
            "--default-resources=mem_mb=100",
            # Ready to go on after a kill, as in a profile.
            "--nolock",
            "--rerun-incomplete",
            *options,
        ]

    def start(self, *options):
        """Start a run in the background."""
        return subprocess.Popen(
            self.command(*options),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *options, succeeds=True):
        """Run to the end and return what was printed."""
        return self.finish(self.start(*options), succeeds=succeeds)

    def finish(self, process, succeeds=True):
        """Wait for the end of a run and return what was printed."""
        try:
            text, _ = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            text, _ = process.communicate()
            pytest.fail(f"the run hung:\n{text}")
        assert (process.returncode == 0) is succeeds, text
        return text

    def read(self, name):
        """Return the text of an output."""
        key = f"{PREFIX}/{self.name}/{name}"
        return self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()

    def names(self, folder=""):
        """Return the names of the outputs below a folder, lists and outcomes left out."""
        root = f"{PREFIX}/{self.name}/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix=f"{root}{folder}"
        )
        keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
        names = [key.removeprefix(root) for key in keys]
        return [name for name in names if not name.startswith(".aws-batch-array/")]


@pytest.fixture
def run_id():
    return f"run{uuid.uuid4().hex[:12]}"


@dataclass
class Gate:
    """Holds commands up until a test lets them go on.

    A command that is to run still when something happens to it is held by this, not by a sleep that
    a slow machine outlasts.
    """

    path: Path

    @property
    def wait(self):
        """What a shell command says to be held up."""
        return f"until test -e {self.path}; do sleep 0.2; done"

    def open(self):
        self.path.touch()


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path / "gate")


def kill(process):
    """Kill a controller as nothing can prevent."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def ctrl_c(process):
    """Interrupt a controller as a user does."""
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)


@pytest.fixture(name="kill")
def _kill():
    return kill


@pytest.fixture(name="ctrl_c")
def _ctrl_c():
    return ctrl_c


@pytest.fixture(params=[ctrl_c, kill])
def end(request):
    """Both ways in which a controller ends before its time."""
    return request.param


@pytest.fixture
def new_workflow(tmp_path, run_id, s3, python):
    def new(snakefile):
        (tmp_path / "Snakefile").write_text(snakefile)
        return Workflow(tmp_path, run_id, s3, python)

    return new


@pytest.fixture
def wait_until():
    def wait(condition, what):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
            time.sleep(0.05)

    return wait


@pytest.fixture
def own_jobs(emulator, run_id):
    """Return the plain jobs and children of this test's run, by rule."""

    def jobs(rule=""):
        start_of_name = f"{run_id}-{rule}"
        return [job for job in emulator.jobs() if job["jobName"].startswith(start_of_name)]

    return jobs
