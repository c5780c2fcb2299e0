"""How far a run is: the counting, and what it costs to ask."""

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.conftest import set_environment
from tests.cli.submitting import command_list, submit
from tests.deployed import BUCKET

import aws_batch_emulator
from snakemake_executor_plugin_aws_batch_array.command_list import Attempt
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.state import Phase, Step, as_finished, count_steps, find_phase
from tomobatch.aws.runs.submitted import Submitted


def submitted(commands, status=Status.PENDING, children=None, **more):
    summary = {Status(name): count for name, count in (children or {}).items()}
    return Submitted(commands, JobDetail("id", commands.name, status, children=summary), **more)


def counts(step):
    return {
        name: getattr(step, name)
        for name in ("total", "queued", "starting", "running", "done", "failed", "cancelled")
        if getattr(step, name)
    }


def test_children_count_by_their_state():
    item = submitted(
        command_list("process", 10),
        children={"RUNNABLE": 3, "STARTING": 1, "RUNNING": 2, "SUCCEEDED": 3, "FAILED": 1},
    )
    (step,) = count_steps([item], {})
    assert counts(step) == {
        "total": 10,
        "queued": 3,
        "starting": 1,
        "running": 2,
        "done": 3,
        "failed": 1,
    }


def test_a_plain_job_counts_by_its_own_state():
    (step,) = count_steps([submitted(command_list("calibrate", 1), Status.RUNNING)], {})
    assert counts(step) == {"total": 1, "running": 1}


def test_of_a_child_with_several_commands_one_runs_and_the_others_wait():
    item = submitted(
        command_list("process", 10, 2),
        children={"RUNNING": 2},
        done=frozenset({0, 1, 5}),
    )
    (step,) = count_steps([item], {})
    assert counts(step) == {"total": 10, "queued": 5, "running": 2, "done": 3}


def test_a_failed_child_fails_the_commands_of_its_slice_that_are_not_done():
    item = submitted(
        command_list("process", 10, 2),
        children={"FAILED": 1, "RUNNING": 1},
        done=frozenset({0, 1, 5}),
        failed=frozenset({0}),
    )
    (step,) = count_steps([item], {})
    assert counts(step) == {"total": 10, "queued": 3, "running": 1, "done": 3, "failed": 3}


def test_a_command_that_was_submitted_again_counts_once():
    first = submitted(
        command_list("process", 10, submitted_ms=1),
        Status.FAILED,
        children={"SUCCEEDED": 7, "FAILED": 3},
    )
    again = submitted(command_list("process", 3, submitted_ms=2), children={"RUNNING": 3})
    (step,) = count_steps([again, first], {})
    assert counts(step) == {"total": 10, "running": 3, "done": 7}


def test_steps_that_have_not_begun_are_there_in_the_order_of_the_workflow():
    item = submitted(command_list("process", 2), children={"RUNNING": 2})
    steps = count_steps([item], {"preprocess": 4, "process": 3, "calibrate": 1})
    assert [(step.rule, step.total) for step in steps] == [
        ("preprocess", 4),
        ("process", 3),
        ("calibrate", 1),
    ]


def attempt(number, machine="i-1", *, finished=None):
    stopped_ms = None if finished is None else number * 2000
    return Attempt(number, number * 1000, machine, stopped_ms=stopped_ms, finished=bool(finished))


def ended(commands, status, **more):
    item = submitted(commands, status, **more)
    return replace(item, detail=replace(item.detail, is_ended=True))


@pytest.mark.parametrize(("status", "n_running"), [(Status.FAILED, 0), (Status.PENDING, 1)])
def test_what_somebody_ended_is_cancelled_and_what_failed_by_itself_before_has_failed(
    status, n_running
):
    item = ended(
        command_list("process", 5),
        status,
        children={"SUCCEEDED": 1, "FAILED": 4 - n_running, "RUNNING": n_running},
        attempts={0: [attempt(1, finished=True)], 1: [attempt(1)], 2: [attempt(1, finished=False)]},
        failed=frozenset(range(4 - n_running)),
    )
    (step,) = count_steps([item], {})
    expected = {"total": 5, "done": 1, "failed": 1, "cancelled": 3 - n_running}
    assert counts(step) == expected | ({"running": n_running} if n_running else {})


def test_of_a_child_that_somebody_ended_what_is_not_done_is_cancelled():
    item = ended(
        command_list("process", 10, 2),
        Status.FAILED,
        children={"FAILED": 2},
        attempts={0: [attempt(1, finished=True)]},
        done=frozenset({0, 1, 5}),
        failed=frozenset({0, 1}),
    )
    (step,) = count_steps([item], {})
    assert counts(step) == {"total": 10, "done": 3, "failed": 3, "cancelled": 4}


def test_of_an_array_that_is_not_over_batch_says_which_children_somebody_ended():
    item = submitted(
        command_list("process", 5),
        Status.PENDING,
        children={"RUNNING": 1, "FAILED": 4},
        attempts={0: [attempt(1, finished=True)], 1: [attempt(1)]},
        failed=frozenset({0, 1, 2, 3}),
        ended=frozenset({0, 1, 3}),
    )
    (step,) = count_steps([item], {})
    assert counts(step) == {"total": 5, "running": 1, "failed": 2, "cancelled": 2}


def test_counts_that_lag_behind_what_is_known_of_children_stay_counts():
    item = submitted(
        command_list("process", 3),
        Status.PENDING,
        children={"RUNNING": 2, "FAILED": 1},
        failed=frozenset({0, 1}),
        ended=frozenset({0, 1}),
    )
    (step,) = count_steps([item], {})
    assert counts(step) == {"total": 3, "running": 2, "cancelled": 1}


def test_what_nobody_ended_is_not_cancelled():
    item = submitted(command_list("calibrate", 1), Status.FAILED, failed=frozenset({0}))
    (step,) = count_steps([item], {})
    assert counts(step) == {"total": 1, "failed": 1}


def test_reclaims_are_attempts_that_another_one_followed_and_machines_are_counted_once():
    item = submitted(
        command_list("process", 3),
        children={"RUNNING": 3},
        attempts={
            0: [attempt(1), attempt(2), attempt(3, "i-2")],
            1: [attempt(2, "i-2")],
            2: [attempt(1, "i-3")],
        },
        running=frozenset({0, 1}),
    )
    (step,) = count_steps([item], {})
    assert step.reclaimed == 3
    assert item.machines == {"i-2"}


@pytest.mark.parametrize(
    ("status", "controlled", "stopped", "finished", "expected"),
    [
        (Status.RUNNING, False, False, False, Phase.RUNNING),
        (Status.RUNNING, None, True, False, Phase.STOPPING),
        (Status.RUNNING, False, True, False, Phase.STOPPING),
        (Status.RUNNING, True, True, False, Phase.RUNNING),
        (Status.FAILED, True, False, False, Phase.RUNNING),
        (Status.FAILED, False, True, False, Phase.STOPPED),
        (Status.FAILED, None, True, False, Phase.STOPPED),
        (Status.FAILED, False, False, False, Phase.INCOMPLETE),
        (Status.FAILED, False, False, True, Phase.FINISHED),
        (Status.SUCCEEDED, True, False, False, Phase.RUNNING),
        (Status.SUCCEEDED, False, False, True, Phase.FINISHED),
        (Status.SUCCEEDED, False, False, False, Phase.INCOMPLETE),
        (Status.SUCCEEDED, None, False, False, Phase.IDLE),
    ],
)
def test_phase(status, controlled, stopped, finished, expected):
    item = submitted(command_list("calibrate", 1), status)
    found = find_phase([item], controlled=controlled, stopped=stopped, finished=finished)
    assert found is expected


def test_what_failed_after_its_results_were_there_is_done_in_a_finished_run():
    item = submitted(command_list("calibrate", 1), Status.FAILED)
    (step,) = as_finished(count_steps([item], {}))
    assert counts(step) == {"total": 1, "done": 1}


def test_what_batch_does_not_list_yet_waits():
    item = Submitted(command_list("process", 3), None, is_new=True)
    (step,) = count_steps([item], {})
    assert counts(step) == {"total": 3, "queued": 3}
    found = find_phase([item], controlled=False, stopped=False, finished=False)
    assert found is Phase.RUNNING
    assert not replace(item, closed=True).is_live
    assert not replace(item, is_new=False).is_live


def test_time_left_goes_by_the_pace_so_far():
    step = Step("process", total=10, done=4, running=2, queued=4, first_submitted_ms=0)
    assert step.time_left_s(now_ms=60_000) == pytest.approx(90)
    assert Step("process", total=10, queued=10, first_submitted_ms=0).time_left_s(60_000) is None


@pytest.fixture
def big_array(monkeypatch, repository: Path):
    """An emulator in which ten thousand children have reported and ended."""
    monkeypatch.setenv("PYTHONPATH", str(repository))
    with aws_batch_emulator.start(
        bucket=BUCKET, children="tests.cli.children:report", slots=50
    ) as emulator:
        set_environment(monkeypatch, emulator)
        submit(find_place(), command_list("process", 10_000))
        emulator.wait_until_idle(200)
        emulator.reset_calls()
        yield emulator


def test_ten_thousand_children_take_less_than_fifty_calls(big_array, workplace):
    begun_s = time.monotonic()
    state = workplace.json("status", "big")
    print(f"status of 10,000 children: {time.monotonic() - begun_s:.1f} s")
    calls = big_array.calls()
    assert sum(calls.values()) < 50, json.dumps(calls)
    (step,) = state["steps"]
    assert (step["rule"], step["done"], step["total"]) == ("process", 10_000, 10_000)
    assert state["cost_usd"] > 0
