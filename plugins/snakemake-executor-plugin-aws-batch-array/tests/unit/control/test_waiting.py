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


def wait_for_long(poll, item, stuck_after_s):
    for now_s in (0, 1, 2 * stuck_after_s, 4 * stuck_after_s):
        assert poll(item, now_s) == {}


def test_waiting_without_a_reason_is_told_with_what_batch_never_says(
    batch, plain, poll, warnings, stuck_after_s
):
    wait_for_long(poll, plain, stuck_after_s)

    assert batch.terminated == []
    (warning,) = warnings
    assert "A quota of 0 vCPUs" in warning
    assert "queue cpu" in warning


@pytest.mark.parametrize("children", [(), [RUNNING, RUNNABLE]])
def test_waiting_while_others_of_the_queue_run_is_nothing_unusual(
    batch, array, poll, warnings, stuck_after_s, children
):
    batch.set("other", Status.PENDING if children else RUNNING, children=children)

    wait_for_long(poll, array, stuck_after_s)

    assert (batch.terminated, warnings) == ([], [])


@pytest.mark.parametrize("children", [(), [RUNNABLE, RUNNABLE]])
def test_a_job_behind_one_that_never_starts_waits_and_says_which(
    batch, array, poll, warnings, stuck_after_s, children
):
    reason = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too much"
    batch.set("other", Status.PENDING if children else RUNNABLE, reason, children=children)

    wait_for_long(poll, array, stuck_after_s)

    assert batch.terminated == [], "it is not ours to end, and ours may start when it is gone"
    (warning,) = warnings
    assert "behind job other at the head of queue cpu" in warning
    assert reason in warning


def test_the_head_of_the_queue_tells_of_capacity_for_all(
    batch, plain, poll, warnings, stuck_after_s
):
    batch.set("other", RUNNABLE, "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none")

    wait_for_long(poll, plain, stuck_after_s)

    assert batch.terminated == []
    (warning,) = warnings
    assert "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY" in warning


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
