"""The smoke test for a real account, against an emulated one that is as strict."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.smoke.leftovers import leftovers

import aws_batch_emulator
from snakemake_executor_plugin_aws_batch_array.aws import make_client


@pytest.fixture
def account(monkeypatch):
    """An account in which nothing has been set up; its user may do everything."""
    with aws_batch_emulator.start(
        stack=None, slots=3, variables={"TOMOBATCH_DEVICE": "cpu"}
    ) as emulator:
        for name, value in emulator.administrator.items():
            monkeypatch.setenv(name, value)
        yield emulator


def test_the_smoke_test_is_green_and_leaves_nothing(account, tmp_path, repository):
    transcript = tmp_path / "transcript.txt"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.smoke.aws", "--yes", "--no-image"),
            *("--size", "32", "--transcript", str(transcript)),
        ],
        cwd=repository,
        env=os.environ,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = transcript.read_text(encoding="utf-8")
    assert text.rstrip().endswith("# all is well")
    for command in ("setup", "run", "status", "cost", "fetch", "teardown"):
        assert f"$ tomobatch {command} " in text
    assert "123456789012" not in text


def test_what_is_left_is_found(account, tmp_path, repository):
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    tomobatch = [Path(sys.executable).with_name("tomobatch")]
    subprocess.run([*tomobatch, "setup", "--prefix", "left", "--yes"], env=environment, check=True)
    found = {each.partition(" ")[0] for each in leftovers(make_client, "left")}
    assert found >= {"stack", "bucket", "log", "repository", "queue", "compute", "job", "role"}
    assert found >= {"policy", "instance", "VPC", "security", "parameter", "topic", "rule"}
    assert leftovers(make_client, "lef") == []


def test_nothing_is_done_unless_the_answer_is_yes(account, tmp_path, repository):
    done = subprocess.run(
        [sys.executable, "-m", "tests.smoke.aws", "--transcript", str(tmp_path / "t.txt")],
        cwd=repository,
        env=os.environ,
        input="n\n",
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "at most $0.20" in done.stdout
    assert "nothing was done" in done.stdout
    assert make_client("cloudformation").describe_stacks()["Stacks"] == []
