"""A run that 0.1.0 started, and that is open when its user has a later version."""

import json

import pytest
from tests.cli.calling import tomobatch
from tests.cli.submitting import command_list, submit
from tests.deployed import BUCKET

from aws_batch_emulator import Fault
from tomobatch import __version__
from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.record import RunRecord


def put(place, path, document):
    body = json.dumps(document).encode()
    place.s3.put_object(Bucket=path.bucket, Key=path.key, Body=body)


@pytest.fixture
def old_run(emulator, workplace, monkeypatch):
    """A controller and an array with the record and the list that 0.1.0 wrote for them."""
    monkeypatch.chdir(workplace.folder)
    emulator.inject(Fault("slow-start", match="old-*", count=None))
    place = find_place()
    head = submit(place, command_list("head", 1, run="old"))
    commands = command_list("process", 2, run="old")
    array = submit(place, commands)
    path = place.store("old").list_path(commands.name)
    written = json.loads(commands.to_bytes())
    del written["sources"]
    rows = [row[:3] for row in written["commands"]]
    put(place, path, {**written, "version": 1, "deploy": ["--deploy-sources"], "commands": rows})
    record = {
        "name": "old",
        "results": f"s3://{BUCKET}/runs/old",
        "scans": {"demo": {"path": f"s3://{BUCKET}/scans/demo.h5"}},
        "jobs": {"process": 2},
        "profile": "profiles/aws",
        "user": "ada",
        "started_ms": commands.submitted_ms,
        "detached": True,
        "controller": {"job_id": head, "host": "", "pid": 0},
        "stopped_ms": None,
        "finished_ms": None,
        "version": 1,
    }
    put(place, place.runs / "old" / "run.json", record)
    return place, head, array


def test_it_is_looked_at_and_stopped_and_not_resumed_with_another_versions_workflow(
    emulator, old_run
):
    place, head, array = old_run
    state = json.loads(tomobatch("status", "old", "--json").out)
    assert state["phase"] == "running"
    steps = {step["rule"]: step["total"] for step in state["steps"]}
    assert steps["process"] == 2
    assert "not counted" not in tomobatch("status", "old").out

    stopped = tomobatch("stop", "old", "--now", "--yes")
    assert stopped.code == 0, stopped
    ended = place.batch.describe([head, array])
    assert {each.status.value for each in ended.values()} == {"FAILED"}

    refused = tomobatch("resume", "old")
    assert refused.code == 1
    (line,) = refused.err.strip().splitlines()
    assert line.startswith("error: run old was started by tomobatch 0.1.0")
    assert f"image of {__version__}" in line
    assert "tomobatch resume old --attach" in line


def test_a_record_tells_which_version_made_it():
    told = RunRecord("new", "s3://b/runs/new", {}, {}, "p", "ada", 1, made_by=__version__)
    assert RunRecord.from_bytes(told.to_bytes()).made_by == __version__
