"""Whole lives of runs, driven from a terminal."""

import os
import re

import numpy as np
import pexpect
import pytest
import zarr
from tests.cli.conftest import set_environment
from tests.deployed import new_person
from tests.infrastructure.jobs import image_tag
from tests.same_volume import assert_one_volume
from tests.waiting import wait_for
from tests.warm_start import image, tomobatch

import aws_batch_emulator
from aws_batch_emulator import Fault
from snakemake_executor_plugin_aws_batch_array.aws import make_client

PATIENCE_S = 900
BY_STEP = ("--machines", "100", "--queue", "gpu")
"""An array for every step, on both queues: what is left open the planner gives to pilots."""

CONTROL_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def terminal(workplace):
    """Start a command in a terminal of 100 columns."""
    open_ones = []

    def start(*arguments):
        process = pexpect.spawn(
            tomobatch(),
            list(arguments),
            cwd=str(workplace.folder),
            env={**os.environ, "TERM": "xterm-256color"},
            dimensions=(40, 100),
            encoding="utf-8",
            timeout=PATIENCE_S,
        )
        open_ones.append(process)
        return process

    yield start
    for process in open_ones:
        process.close(force=True)


def finish(process):
    """Read to the end and return all that was printed since the last match."""
    process.expect(pexpect.EOF)
    process.close()
    assert process.exitstatus == 0, process.before
    return CONTROL_SEQUENCE.sub("", process.before)


@pytest.fixture
def account(workplace, monkeypatch):
    """An emulated account in which nothing has been set up."""
    variables = {"TOMOBATCH_DEVICE": "cpu", **image()}
    with aws_batch_emulator.start(stack=None, slots=3, grace_s=3, variables=variables) as emulator:
        set_environment(monkeypatch, emulator, administrator=True)
        monkeypatch.setenv("XDG_CONFIG_HOME", str(workplace.folder / "home"))
        yield emulator


def sign_in(monkeypatch, person):
    for name, value in person.items():
        monkeypatch.setenv(name, value)


def image_of(job):
    (found,) = make_client("batch").describe_jobs(jobs=[job["jobId"]])["jobs"]
    return image_tag(found["jobDefinition"])


def test_a_whole_life(account, workplace, terminal, monkeypatch):
    """Set up and taken down by an administrator, used by users with the policy for users alone.

    One starts a run, then the image changes, and another one's run goes on beside it.
    """
    account.inject(Fault("reclaim", match="tiny-preprocess-*", after_s=0.5))
    account.inject(Fault("slow-start", match="beside-preprocess-*", duration_s=20))

    finish(terminal("setup", "--yes"))
    policy = "arn:aws:iam::123456789012:policy/tomobatch-User-eu-central-1"
    account.grant(policy)
    ben = new_person("ben", policy)
    sign_in(monkeypatch, ben)
    text = finish(terminal("run", "scans/tiny.h5", "--name", "beside", "--detach", *BY_STEP))
    assert "scans/tiny.h5 is now at s3://" in text
    set_environment(monkeypatch, account, administrator=True)
    finish(terminal("setup", "--set", "ImageTag=next", "--yes"))
    set_environment(monkeypatch, account)

    text = finish(terminal("estimate", "scans/tiny.h5", "--offline"))
    assert "tiny: about" in text

    text = finish(terminal("run", "scans/tiny.h5", "--detach", *BY_STEP))
    assert "$ snakemake --profile profiles/aws" in text

    watching = terminal("status", "tiny", "--watch", "--every", "1")
    watching.expect("running")
    watching.expect("preprocess")
    text = finish(watching)
    assert "tiny  finished" in text

    steps = {step["rule"]: step for step in workplace.json("status", "tiny")["steps"]}
    assert (steps["preprocess"]["done"], steps["preprocess"]["reclaimed"]) == (2, 1)
    assert all(step["done"] == step["total"] for step in steps.values())

    text = finish(terminal("logs", "tiny", "--rule", "preprocess"))
    assert "Host EC2" in text
    assert "attempt 2" in text
    text = finish(terminal("logs", "tiny", "--rule", "preprocess", "--chunk", "1"))
    assert "preprocessed projections 30 to 60 of 60" in text
    assert "preprocessed projections 0 to 30" not in text

    text = finish(terminal("cost", "tiny", "--offline"))
    assert "preprocess" in text
    assert "Foretold: $" in text
    assert "learnt from runs of this account" in finish(terminal("estimate", "scans/tiny.h5"))

    finish(terminal("fetch", "tiny"))
    finish(terminal("open", "tiny"))
    results = workplace.folder / "results-aws" / "tiny" / "tiny"
    volume = zarr.open_array(results / "volume.ome.zarr" / "0", mode="r")[:]
    assert volume.shape == (12, 48, 48)
    assert np.isfinite(volume).all() and volume.std() > 0
    assert "reconstruct" in (results / "report.html").read_text().partition("<h2>Cost</h2>")[2]

    sign_in(monkeypatch, ben)
    assert "beside  finished" in finish(terminal("status", "beside", "--watch", "--every", "1"))
    finish(terminal("fetch", "beside"))
    assert_one_volume(results, workplace.folder / "results-aws" / "beside" / "tiny")
    assert [each for each in account.decisions() if not each["allowed"]] == []
    set_environment(monkeypatch, account, administrator=True)
    images = {(job["jobName"].partition("-")[0], image_of(job)) for job in account.jobs()}
    assert images == {("beside", "0.2.0"), ("tiny", "next")}
    make_client("iam").detach_user_policy(UserName="user", PolicyArn=policy)
    leaving = terminal("teardown", "--delete-data")
    leaving.expect(r"and all data in its bucket\?")
    leaving.sendline("y")
    finish(leaving)
    assert make_client("s3").list_buckets()["Buckets"] == []


def test_stopped_in_the_middle_and_resumed_it_gives_the_local_volume(emulator, workplace, terminal):
    finish(terminal("run", "scans/tiny.h5", "--name", "broken", "--detach", *BY_STEP))
    wait_for(
        lambda: any(
            job["status"] == "RUNNING" and "-preprocess-" in job["jobName"]
            for job in emulator.live_jobs()
        )
    )
    stopping = terminal("stop", "broken", "--now")
    stopping.expect(r"Stop run broken\?")
    stopping.sendline("y")
    text = finish(stopping)
    assert "broken  stopped" in text
    assert "tomobatch resume broken" in text
    emulator.wait_until_idle(60)

    text = finish(terminal("resume", "broken", "--attach"))
    assert "--aws-batch-array-run-id broken --aws-batch-array-size 100" in text
    assert "reconstruct:queue=gpu reconstruct:gpu=1" in text
    assert "broken  finished" in workplace.run("status", "broken")
    workplace.run("fetch", "broken")
    workplace.run("run", "scans/tiny.h5", "--local")

    assert_one_volume(
        workplace.folder / "results-aws/broken/tiny", workplace.folder / "results/tiny"
    )
