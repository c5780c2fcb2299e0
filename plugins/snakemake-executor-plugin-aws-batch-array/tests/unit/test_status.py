from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.status import (
    Attempt,
    Cause,
    JobDetail,
    Status,
    cause_of_failure,
    describe_failure,
    is_waiting,
    newly_final,
    waits_for_capacity,
    will_never_start,
)

FARGATE_SPOT = "Your Spot Task was interrupted."
TOO_LARGE = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
NO_CAPACITY = "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY"
RECLAIMED = "Host EC2 (instance i-0123456789abcdef0) terminated."


def failed(job_reason="", /, **attempt):
    return JobDetail("id", "name", Status.FAILED, job_reason, (Attempt(**attempt),))


def ended(job_reason="", /, **attempt):
    return replace(failed(job_reason, **attempt), is_ended=True)


@pytest.mark.parametrize(
    ("detail", "cause"),
    [
        (failed("Essential container in task exited", exit_code=1), Cause.COMMAND),
        (failed(exit_code=137, reason="OutOfMemoryError: Container killed due to memory usage"),
         Cause.OUT_OF_MEMORY),
        (failed(exit_code=137), Cause.OUT_OF_MEMORY),
        (failed(RECLAIMED, status_reason=RECLAIMED), Cause.SPOT_RECLAIM),
        (failed("Job attempt duration exceeded timeout", exit_code=137), Cause.TIMED_OUT),
        (failed("Job attempt duration exceeded timeout", exit_code=143), Cause.TIMED_OUT),
        (failed(FARGATE_SPOT, status_reason=FARGATE_SPOT), Cause.SPOT_RECLAIM),
        (ended(exit_code=137, reason="OutOfMemoryError"), Cause.TERMINATED),
        (ended("whatever the caller wrote", exit_code=137), Cause.TERMINATED),
        (ended("whatever the caller wrote", exit_code=1), Cause.TERMINATED),
        (failed("terminated by the user", exit_code=137), Cause.OUT_OF_MEMORY),
        (failed(reason="CannotPullContainerError: no such image"), Cause.NOT_STARTED),
        (failed("Task failed to start"), Cause.NOT_STARTED),
        (failed(), Cause.UNKNOWN),
        (JobDetail("id", "name", Status.FAILED), Cause.UNKNOWN),
        (JobDetail("id", "name", Status.FAILED, TOO_LARGE, is_ended=True), Cause.NOT_PLACED),
        (JobDetail("id", "name", Status.FAILED, NO_CAPACITY, is_ended=True), Cause.NOT_PLACED),
        (JobDetail("id", "name", Status.FAILED, "enough", is_ended=True), Cause.TERMINATED),
    ],
)  # fmt: skip
def test_causes_are_told_apart(detail, cause):
    assert cause_of_failure(detail) is cause


def test_a_job_that_its_queue_gave_up_on_had_no_attempt():
    detail = JobDetail("abc", "name", Status.FAILED, TOO_LARGE, is_ended=True)

    assert describe_failure(detail) == (
        "AWS Batch job abc waited for an instance longer than its queue allows "
        f"(no exit code, 0 attempts): {TOO_LARGE}"
    )


def test_a_failure_is_described_in_one_line():
    detail = JobDetail(
        "abc:3",
        "name",
        Status.FAILED,
        "Essential container in task exited",
        (Attempt(status_reason=RECLAIMED), Attempt(exit_code=2, reason="it broke")),
    )

    assert describe_failure(detail) == (
        "AWS Batch job abc:3 ended with an error (exit code 2, 2 attempts): "
        "it broke; Essential container in task exited"
    )


@pytest.mark.parametrize(
    ("reason", "stuck", "waits"),
    [
        ("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too much", True, False),
        ("CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none left", False, True),
        ("UNDETERMINED - the root cause is not known", False, True),
        ("", False, False),
        ("Waiting for its turn", False, False),
    ],
)
def test_reasons_that_last_for_ever_and_those_that_pass(reason, stuck, waits):
    assert (will_never_start(reason), waits_for_capacity(reason)) == (stuck, waits)


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        ({}, {Status.RUNNING: 5}, []),
        ({}, {Status.SUCCEEDED: 1}, [Status.SUCCEEDED]),
        ({Status.SUCCEEDED: 1}, {Status.SUCCEEDED: 1, Status.FAILED: 2}, [Status.FAILED]),
        ({Status.FAILED: 2}, {Status.SUCCEEDED: 3, Status.FAILED: 2}, [Status.SUCCEEDED]),
        ({Status.SUCCEEDED: 1}, {Status.SUCCEEDED: 1}, []),
    ],
)
def test_only_states_that_gained_children_are_listed(before, now, moved):
    assert newly_final(before, now) == moved


@pytest.mark.parametrize(
    ("status", "children", "waiting"),
    [
        (Status.RUNNABLE, {}, True),
        (Status.RUNNING, {}, False),
        (Status.PENDING, {Status.RUNNABLE: 5, Status.SUCCEEDED: 1}, True),
        (Status.PENDING, {Status.RUNNABLE: 5, Status.RUNNING: 1}, False),
        (Status.PENDING, {Status.RUNNABLE: 5, Status.STARTING: 1}, False),
        (Status.PENDING, {Status.SUCCEEDED: 5}, False),
    ],
)
def test_waiting_for_an_instance(status, children, waiting):
    assert is_waiting(JobDetail("id", "name", status, children=children)) is waiting


@pytest.mark.parametrize("status", Status)
def test_two_states_are_final(status):
    assert status.is_final is (status in {Status.SUCCEEDED, Status.FAILED})


def test_the_fingerprint_changes_with_a_child():
    one = JobDetail("id", "name", Status.PENDING, children={Status.RUNNABLE: 2})
    two = JobDetail("id", "name", Status.PENDING, children={Status.RUNNABLE: 1, Status.FAILED: 1})

    assert one.fingerprint != two.fingerprint
