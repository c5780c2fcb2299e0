"""The smoke test for a real account, against an emulated one that is as strict."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.leaving_out import leave_out
from tests.smoke.leftovers import leftovers
from tests.smoke.names import Names, own_environment, why_not

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


WHY_NOT = why_not()
WAYS = ["names"] if WHY_NOT is None else ["names", "endpoint"]
"""Where AWS's own names lead to the emulator, it is not reached by AWS_ENDPOINT_URL besides."""
EMULATOR = [
    *(sys.executable, "-m", "aws_batch_emulator", "run"),
    *("--no-stack", "--slots", "3", "--as", "administrator", "--env", "TOMOBATCH_DEVICE=cpu"),
]
PREFIX, REGION = "smoke", "eu-central-1"


@pytest.mark.parametrize("way", WAYS)
def test_the_smoke_test_is_green_and_leaves_nothing(way, tmp_path, repository):
    if way == "names" and WHY_NOT is not None:
        leave_out(WHY_NOT)
    transcript = tmp_path / "transcript.txt"
    smoke = [
        *(sys.executable, "-m", "tests.smoke.aws", "--yes", "--no-image", "--prefix", PREFIX),
        *("--size", "32", "--transcript", str(transcript)),
    ]
    # The documentation names AWS_REGION alone.
    smoke = ["env", "--unset=AWS_DEFAULT_REGION", *smoke]
    command, environment = [*EMULATOR, "--", *smoke], {}
    if way == "names":
        names = Names(tmp_path, REGION, [f"{PREFIX}-data-123456789012-{REGION}"])
        command = names.command([*EMULATOR, *names.options, "--", *smoke])
        environment = names.environment
    done = subprocess.run(
        command,
        cwd=repository,
        env={**own_environment(), **environment},
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
