"""Which run is meant, and what is said when none is."""

import json

import pytest
from tests.cli.calling import tomobatch
from tests.cli.conftest import set_environment
from tests.cli.submitting import command_list, submit
from tests.deployed import BUCKET
from tests.waiting import wait_for

from tomobatch.aws.runs.find import pick_name
from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.record import RunRecord, put_record
from tomobatch.errors import UserError


def record(name, started_ms=1):
    results = f"s3://{BUCKET}/runs/{name}"
    scans = {"tooth": {"path": f"s3://{BUCKET}/scans/tooth.h5"}}
    return RunRecord(name, results, scans, {"calibrate": 1}, "profiles/aws", "ada", started_ms)


@pytest.mark.parametrize("asked", ["tooth-2", "tooth-2-up", "f"])
def test_a_run_is_meant_by_its_name_or_its_beginning(asked):
    names = ["tooth-1", "tooth-2", "tooth-2-upper", "femur"]
    assert pick_name(asked, names).startswith(asked)


@pytest.mark.parametrize(
    ("asked", "names", "message"),
    [
        ("toth", ["tooth", "femur"], "there is no run 'toth'; did you mean tooth?"),
        ("xyz", ["tooth", "femur"], "there is no run 'xyz'; there are femur, tooth"),
        ("too", ["tooth", "tool"], "run 'too' is ambiguous: tool, tooth; write more of its name"),
        (
            "a",
            [f"a{i}" for i in range(7)],
            "run 'a' is ambiguous: a0, a1, a2, a3, a4 and 2 more; write more of its name",
        ),
        ("a", [], "there is no run 'a', nor any other; start one with `tomobatch run`"),
    ],
)
def test_no_run_is_guessed(asked, names, message):
    with pytest.raises(UserError) as caught:
        pick_name(asked, names)
    assert str(caught.value) == message


@pytest.mark.parametrize("command", ["status", "logs", "fetch", "open", "attach", "stop", "resume"])
def test_every_command_names_close_runs(emulator, command):
    put_record(find_place(), record("femur-left"))
    said = tomobatch(command, "femur-lift")
    assert said.code == 1
    # Other tests have runs on the same emulator: the closest comes first.
    assert said.err.startswith("error: there is no run 'femur-lift'; did you mean femur-left")


def test_runs_are_listed_with_those_of_plain_snakemake(emulator):
    place = find_place()
    put_record(place, record("recorded"))
    place.store("plain").put_list(command_list("process", 1, run="plain"))
    said = tomobatch("runs")
    lines = {line.split()[0]: line for line in said.out.splitlines()}
    assert f"s3://{BUCKET}/runs/recorded" in lines["recorded"]
    assert "snakemake" in lines["plain"]


def test_a_run_of_plain_snakemake_has_a_status_and_ends_by_stop(emulator):
    place = find_place()
    job_id = submit(place, command_list("process", 4, run="foreign"))
    assert "foreign  running" in tomobatch("status", "foreign").out
    said = tomobatch("stop", "foreign", "--now", "--yes")
    assert "foreign  idle" in said.out
    assert "0 of 4 jobs are done" in said.out
    emulator.wait_until_idle(60)
    detail = place.batch.describe([job_id])[job_id]
    assert "tomobatch stop" in detail.status_reason


def test_without_now_what_runs_goes_on_and_what_waits_is_taken_back(emulator):
    place = find_place()
    put_record(place, record("gentle"))
    job_id = submit(place, command_list("process", 6, run="gentle"))

    def children():
        return place.batch.describe([job_id])[job_id].children

    try:
        wait_for(lambda: children() == {"RUNNING": 3, "RUNNABLE": 3})
        said = tomobatch("stop", "gentle", "--yes")
        wait_for(lambda: children() == {"RUNNING": 3, "FAILED": 3})
        assert "Stopping run gentle" in said.out
        assert "gentle  stopping" in tomobatch("status", "gentle").out
        steps = json.loads(tomobatch("status", "gentle", "--json").out)["steps"]
        step = {each["rule"]: each for each in steps}["process"]
        assert (step["running"], step["cancelled"], step["failed"]) == (3, 3, 0)
    finally:
        place.batch.terminate(job_id, "end of the test")
        emulator.wait_until_idle(60)


def test_stop_asks_nobody_where_nobody_is(emulator):
    place = find_place()
    job_id = submit(place, command_list("process", 2, run="asked"))
    try:
        said = tomobatch("stop", "asked")
        assert said.code == 1
        assert "add --yes" in said.err
        assert not place.batch.describe([job_id])[job_id].status.is_final
    finally:
        place.batch.terminate(job_id, "end of the test")
        emulator.wait_until_idle(60)


def test_resume_of_a_run_of_plain_snakemake_names_the_way(emulator):
    place = find_place()
    place.store("by-hand").put_list(command_list("process", 1, run="by-hand"))
    said = tomobatch("resume", "by-hand")
    assert said.code == 1
    assert "give its snakemake command again" in said.err


def test_attach_needs_a_controller_that_is_a_job(emulator):
    put_record(find_place(), record("here"))
    said = tomobatch("attach", "here")
    assert said.code == 1
    assert "tomobatch status here --watch" in said.err


def test_no_credentials(emulator, workplace, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(workplace.folder))
    message = workplace.refused("runs")
    assert message.startswith("No usable AWS credentials")
    assert "aws sso login" in message


def test_stacks_that_are_missing(emulator, monkeypatch):
    set_environment(monkeypatch, emulator, administrator=True)
    monkeypatch.setenv("TOMOBATCH_STACK", "elsewhere")
    said = tomobatch("runs")
    assert said.code == 1
    assert "No CloudFormation stack elsewhere-batch" in said.err


def test_a_network_that_is_down(emulator, workplace, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert workplace.refused("runs").startswith("AWS can't be reached")
