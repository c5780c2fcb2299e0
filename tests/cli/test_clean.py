"""What runs leave on S3 goes when it is told to, and nothing else does."""

import json
from contextlib import contextmanager
from dataclasses import replace

import boto3
import pytest
from tests.cli.calling import tomobatch
from tests.cli.submitting import command_list, submit
from tests.cli.test_runs import record
from tests.deployed import BUCKET

from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.record import put_record

BETWEEN = ("tooth/projections.zarr/zarr.json", "tooth/sinograms.zarr/c/0/0/0")
KEPT = ("run.json", "tooth/report.html", "tooth/volume.ome.zarr/0/c/0")


@pytest.fixture
def left(emulator):
    """Leave a run with its record, and return what is still there of it."""
    place = find_place()

    def leave(name, **state):
        put_record(place, replace(record(name), **state))
        files = [f"runs/{name}/{file}" for file in (*BETWEEN, *KEPT[1:])]
        for key in (*files, f"scratch/{name}/sources.tar.gz"):
            place.s3.put_object(Bucket=BUCKET, Key=key, Body=b"0" * 5_000_000)

    def still_there(name):
        return {file.name for file in place.files(place.runs / name)}

    return leave, still_there


def test_what_lies_between_the_steps_of_finished_runs_goes(left):
    leave, still_there = left
    leave("done", finished_ms=2)
    leave("halfway", stopped_ms=2)
    said = tomobatch("clean", "--yes")
    line = next(line for line in said.out.splitlines() if line.startswith("done "))
    assert line.split()[1:] == ["finished", "2", "0.01", "0.00"]
    assert "halfway" not in said.out
    assert still_there("done") == set(KEPT)
    assert still_there("halfway") == {*BETWEEN, *KEPT}
    assert tomobatch("clean", "done").out.splitlines() == [
        "Run done has nothing of the kind",
        "There is nothing to delete",
    ]


def test_nobody_there_to_say_yes_deletes_nothing(left):
    leave, still_there = left
    leave("asked", stopped_ms=2)
    said = tomobatch("clean", "asked")
    assert said.code == 1
    assert "Delete what lies between the steps for good? asked would begin anew." in said.err
    assert still_there("asked") == {*BETWEEN, *KEPT}


def test_a_run_goes_as_a_whole_when_it_is_named(left):
    leave, still_there = left
    leave("gone", finished_ms=2)
    leave("stays", finished_ms=2)
    refused = tomobatch("clean", "--everything", "--yes")
    assert refused.err.startswith("error: which runs? --everything deletes volumes for good")
    assert "Deleted 0.03 GB" in tomobatch("clean", "gone", "--everything", "--yes").out
    assert still_there("gone") == set()
    assert still_there("stays") == {*BETWEEN, *KEPT}
    names = [line.split()[0] for line in tomobatch("runs").out.splitlines()]
    assert "gone" not in names
    assert "stays" in names


def test_a_run_under_way_is_left_alone(left, emulator):
    leave, still_there = left
    leave("busy")
    job_id = submit(find_place(), command_list("process", 4, run="busy"))
    said = tomobatch("clean", "busy", "--everything", "--yes")
    assert "Run busy is running, and is left alone: `tomobatch stop` ends it" in said.out
    assert still_there("busy") == {*BETWEEN, *KEPT}
    find_place().batch.terminate(job_id, "end of the test")
    emulator.wait_until_idle(60)


def test_what_could_not_be_deleted_is_said_and_the_record_stays(left, emulator, monkeypatch):
    leave, still_there = left
    leave("partly", finished_ms=2)
    monkeypatch.setattr("tomobatch.s3.delete.MOST_AT_ONCE", 1)
    volume = f"arn:aws:s3:::{BUCKET}/runs/partly/tooth/volume.ome.zarr/*"
    with denied(emulator, "s3:DeleteObject", volume):
        said = tomobatch("clean", "partly", "--everything", "--yes")
    assert said.code == 1
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err
    assert {"run.json", KEPT[2]} <= still_there("partly")
    assert "Deleted" in tomobatch("clean", "partly", "--everything", "--yes").out
    assert still_there("partly") == set()


@contextmanager
def denied(emulator, action, resource):
    """Have the policy of the user's own forbid an action."""
    keys = emulator.administrator
    iam = boto3.client(
        "iam",
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
    )
    statement = {"Effect": "Deny", "Action": action, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="user", PolicyName="denied", PolicyDocument=policy)
    yield
    iam.delete_user_policy(UserName="user", PolicyName="denied")
