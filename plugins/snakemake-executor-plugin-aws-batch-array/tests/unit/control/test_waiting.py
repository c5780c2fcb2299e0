"""Jobs that wait: stuck for good, for capacity, or for a moment."""

from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.status import Status

RUNNABLE, RUNNING, SUCCEEDED = Status.RUNNABLE, Status.RUNNING, Status.SUCCEEDED


@pytest.mark.parametrize("children", [[RUNNABLE, RUNNABLE], [RUNNABLE, SUCCEEDED]])
def test_stuck_children_are_an_error_after_a_while(batch, array, children, poll, stuck_after_s):
    batch.set("job1", Status.PENDING, "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT", None, children)
    poll(array, 0)
    assert poll(array, 1) == {}
    assert poll(array, stuck_after_s) == {}

    verdicts = poll(array, 1 + stuck_after_s)

    assert "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT" in verdicts[0].message
    assert batch.terminated == ["job1"]


def test_the_reason_of_any_child_counts(batch, array, poll, stuck_after_s):
    """AWS Batch names it for the job at the head of the queue alone."""
    batch.set("job1", Status.PENDING, children=[RUNNABLE, RUNNABLE])
    reason = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
    batch.details["job1:1"] = replace(batch.details["job1:1"], status_reason=reason)
    for now_s in (0, 1):
        poll(array, now_s)

    assert reason in poll(array, 1 + stuck_after_s)[0].message


@pytest.mark.parametrize(
    "reason", ["CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none", "UNDETERMINED - not known"]
)
def test_how_long_a_job_waits_for_capacity_is_for_its_queue_to_say(
    batch, array, warnings, reason, poll, stuck_after_s
):
    batch.set("job1", Status.PENDING, reason, None, [RUNNABLE, RUNNABLE])
    for now_s in (0, 1, 1 + stuck_after_s, 2 + 2 * stuck_after_s, 10 * stuck_after_s):
        assert poll(array, now_s) == {}

    assert batch.terminated == []
    (warning,) = warnings
    assert reason in warning
    assert "as long as queue cpu allows" in warning


def test_waiting_without_a_reason_is_patience(batch, plain, poll, stuck_after_s):
    for now_s in (0, 1, 2 * stuck_after_s, 4 * stuck_after_s):
        assert poll(plain, now_s) == {}
    assert batch.terminated == []


def test_a_job_that_started_in_between_is_not_stuck(batch, plain, poll, stuck_after_s):
    batch.set("job1", RUNNABLE, "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY")
    poll(plain, 0)
    poll(plain, 1)
    batch.set("job1", RUNNING)
    poll(plain, 2)
    batch.set("job1", RUNNABLE, "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY")
    poll(plain, stuck_after_s)
    poll(plain, stuck_after_s + 1)

    assert poll(plain, stuck_after_s + 50) == {}
