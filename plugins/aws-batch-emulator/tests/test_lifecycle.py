"""The life of a job as plain data: no clock, no process."""

import pytest

from aws_batch_emulator.endings import Ending
from aws_batch_emulator.jobs import (
    Attempt,
    Job,
    JobSpec,
    Machine,
    end_attempt,
    make_array,
    move,
)
from aws_batch_emulator.retries import RetryStrategy
from aws_batch_emulator.states import Status

MACHINE = Machine("i-1", "c7a.large", "eu-central-1a", "spot")


def make_spec(**changes):
    fields = {
        "name": "job",
        "region": "eu-central-1",
        "account_id": "123456789012",
        "queue_name": "cpu",
        "queue_arn": "arn:cpu",
        "environment_name": "cpu",
        "instance_types": ("c7a",),
        "market": "spot",
        "definition_name": "cpu",
        "definition_arn": "arn:cpu:1",
        "container": {"image": "image", "command": ["true"], "environment": []},
        "retry": RetryStrategy(),
        "timeout_s": None,
        "parameters": {},
        "depends_on": [],
        "propagate_tags": False,
        "log_group": "/aws/batch/job",
        "log_prefix": "cpu",
    }
    return JobSpec(**{**fields, **changes})


def run(job, *endings):
    for number, ending in enumerate(endings, start=1):
        for status in (Status.RUNNABLE, Status.STARTING, Status.RUNNING):
            move(job, status, number)
        job.attempts.append(Attempt(number, f"task-{number}", MACHINE, "stream"))
        end_attempt(job, ending, number)


@pytest.mark.parametrize(
    ("endings", "attempts", "status"),
    [
        ([Ending(0, "done")], 1, Status.SUCCEEDED),
        ([Ending(1, "done")], 1, Status.FAILED),
        ([Ending(1, "done")], 2, Status.RUNNABLE),
        ([Ending(1, "done"), Ending(0, "done")], 2, Status.SUCCEEDED),
        ([Ending(None, "Host EC2"), Ending(None, "Host EC2")], 2, Status.FAILED),
        ([Ending(0, "terminated", final=True)], 5, Status.FAILED),
    ],
)
def test_where_attempts_lead(endings, attempts, status):
    job = Job("id", make_spec(retry=RetryStrategy(attempts)), created_ms=0)
    run(job, *endings)
    assert job.status is status
    assert (job.stopped_ms is not None) is status.is_final
    assert len(job.attempts) == len(endings)


def test_a_parent_sums_up_its_children_and_ends_with_the_last():
    parent = make_array("id", make_spec(), 3, created_ms=0)
    assert parent.status is Status.SUBMITTED
    seen = []
    for child, exit_code in zip(parent.children, (0, 1, 0), strict=True):
        run(child, Ending(exit_code, "done"))
        seen.append(parent.status)
        assert sum(parent.summary.counts.values()) == 3
    assert seen == [Status.PENDING, Status.PENDING, Status.FAILED]
    assert parent.summary.counts[Status.SUCCEEDED] == 2
    assert parent.status_reason == "Array Child Job failed"


def test_what_is_told_of_a_parent_is_as_old_as_asked_for():
    parent = make_array("id", make_spec(), 2, created_ms=0)
    for now_ms, child in zip((10, 20), parent.children, strict=True):
        move(child, Status.RUNNABLE, now_ms)
    parent.summary.tell(15)
    assert parent.summary.counts[Status.RUNNABLE] == 2
    told = {status: count for status, count in parent.summary.told.items() if count}
    assert told == {Status.SUBMITTED: 1, Status.RUNNABLE: 1}
    assert parent.summary.told_ms == 10


def test_a_parent_of_successes_succeeds():
    parent = make_array("id", make_spec(), 2, created_ms=0)
    for child in parent.children:
        run(child, Ending(0, "done"))
    assert parent.status is Status.SUCCEEDED
    assert parent.status_reason is None


def test_parameters_fill_the_command():
    container = {"image": "i", "command": ["echo", "Ref::a", "Ref::b"], "environment": []}
    spec = make_spec(container=container, parameters={"a": "one"})
    assert spec.command == ["echo", "one", "Ref::b"]
