"""What the worker refuses, in one line and before any command."""

import os
import subprocess
import sys

import pytest

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.command_list import Command, CommandList
from snakemake_executor_plugin_aws_batch_array.store import RunStore, S3Path
from snakemake_executor_plugin_aws_batch_array.worker.__main__ import REFUSED_EXIT_CODE
from snakemake_executor_plugin_aws_batch_array.worker.assignment import submission_environment


@pytest.fixture
def submit(emulator, run_id):
    """Write a list and return the environment its child would have."""
    store = RunStore(make_client("s3"), S3Path("tomobatch-data", run_id))

    def submit(**more):
        fields = {
            "name": "a",
            "run": run_id,
            "rule": "a",
            "queue": "cpu",
            "submitted_ms": 1,
            "n_children": 1,
            "vcpus": 1,
            "command_timeout_s": None,
            "versions": {},
            "environment": {},
            "sources": "",
            "arguments": (),
            "commands": (Command(("a:",), ("--target-jobs", "a:"), "x"),),
        }
        list_checksum = store.put_list(CommandList(**(fields | more)))
        return submission_environment(store.list_path("a"), list_checksum, 1)

    return submit


def refusal(environment):
    """Run the worker and return the one line it says."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake_executor_plugin_aws_batch_array.worker"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == REFUSED_EXIT_CODE
    (line,) = done.stderr.splitlines()
    return line


def test_a_list_that_was_changed_after_its_submission(submit):
    environment = submit()
    submit(rule="b")

    assert "has changed since it was submitted" in refusal(environment)


def test_software_of_another_version_than_the_controllers(submit):
    line = refusal(submit(versions={"snakemake": "7.1.0"}))

    assert "Build the image with the controller's versions: snakemake is" in line
    assert "7.1.0 at the controller" in line


def test_a_start_by_hand():
    assert "started by the executor, not by hand" in refusal({})
