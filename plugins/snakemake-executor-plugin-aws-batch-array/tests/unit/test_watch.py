from collections import Counter
from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.command_list import OUT_OF_MEMORY, TIMED_OUT
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.watch import MISSING_S, SUCCESS, Watcher
from snakemake_executor_plugin_aws_batch_array.watched import Watched

RUNNABLE, RUNNING, SUCCEEDED, FAILED = (
    Status.RUNNABLE,
    Status.RUNNING,
    Status.SUCCEEDED,
    Status.FAILED,
)
STUCK_AFTER_S = 100


@pytest.fixture
def logs():
    """Log streams that were read."""
    return []


@pytest.fixture
def warnings():
    """What the user is warned of."""
    return []


@pytest.fixture
def watcher(batch, store, logs, warnings):
    def log_tail(group, stream, between_ms):
        logs.append((group, stream, between_ms))
        return "the last line"

    return Watcher(batch, store, log_tail, "group", STUCK_AFTER_S, warnings.append)


@pytest.fixture
def array(batch, make_list):
    """Four commands on two children."""
    batch.set("job1", Status.PENDING, children=[RUNNABLE, RUNNABLE])
    return Watched(make_list(), "job1")


@pytest.fixture
def plain(batch, make_list):
    """Two commands in one plain job."""
    batch.set("job1", RUNNABLE)
    return Watched(make_list(2, 1), "job1")


def poll(watcher, item, now_s=0.0):
    """Return the new verdicts on one list."""
    news = watcher.poll([item], now_s)
    assert all(found is item for found, _ in news)
    return {index: verdict for _, verdicts in news for index, verdict in verdicts.items()}


def messages(verdicts):
    return {index: verdict.message for index, verdict in verdicts.items() if verdict.message}


def test_nothing_is_listed_while_nothing_moves(watcher, batch, array):
    assert poll(watcher, array) == {}
    batch.calls.clear()

    assert poll(watcher, array) == {}
    assert batch.calls == Counter(describe=1)


def test_a_child_that_succeeded_decides_its_slice(watcher, batch, array):
    batch.set("job1", Status.PENDING, children=[RUNNING, SUCCEEDED])

    assert poll(watcher, array) == {2: SUCCESS, 3: SUCCESS}
    assert array.undecided == {0, 1}
    assert batch.calls["children"] == 1


def test_an_array_that_succeeded_is_not_listed(watcher, batch, store, array):
    batch.set("job1", SUCCEEDED, children=[SUCCEEDED, SUCCEEDED])

    assert poll(watcher, array) == dict.fromkeys(range(4), SUCCESS)
    assert batch.calls == Counter(describe=1)
    assert store.n_reads == 0


def test_a_decided_list_is_not_asked_about(watcher, batch, array):
    array.undecided.clear()
    watcher.poll([array], 0)

    assert array.seen is None


def test_one_bad_command_leaves_the_others_of_its_slice(
    watcher, batch, store, logs, array, make_outcome
):
    store.report("run-a-1", 0, make_outcome(0, exit_code=1), make_outcome(1))
    batch.set("job1", Status.PENDING, children=[FAILED, RUNNING])

    verdicts = poll(watcher, array)

    assert verdicts.keys() == {0, 1}
    assert verdicts[1] == SUCCESS
    assert "job1:0 ended with an error (exit code 1, 1 attempt)" in verdicts[0].message
    assert verdicts[0].message.endswith("the last line")
    assert logs == [("group", "stream0", (10, 20))]


def test_a_command_the_child_never_reached_is_a_failure(watcher, batch, store, array, make_outcome):
    store.report("run-a-1", 0, make_outcome(0))
    batch.set("job1", FAILED, children=[FAILED, SUCCEEDED])

    verdicts = poll(watcher, array)

    assert messages(verdicts).keys() == {1}
    assert "did not come to an end" in verdicts[1].message


def test_verdicts_are_given_once(watcher, batch, store, array, make_outcome):
    store.report("run-a-1", 0, make_outcome(0, exit_code=1), make_outcome(1))
    batch.set("job1", Status.PENDING, children=[FAILED, RUNNING])
    poll(watcher, array)
    batch.set("job1", FAILED, children=[FAILED, SUCCEEDED])

    assert poll(watcher, array) == {2: SUCCESS, 3: SUCCESS}


def test_outcomes_of_a_running_child_are_taken_in_and_read_once(
    watcher, batch, store, array, make_outcome
):
    batch.set("job1", Status.PENDING, children=[RUNNING, RUNNING])
    poll(watcher, array)
    store.report("run-a-1", 1, make_outcome(2))

    assert poll(watcher, array) == {2: SUCCESS}
    n_reads = store.n_reads
    assert poll(watcher, array) == {}
    assert store.n_reads == n_reads


def test_a_failed_command_of_a_running_child_waits_for_the_child(
    watcher, batch, store, array, make_outcome
):
    batch.set("job1", Status.PENDING, children=[RUNNING, RUNNING])
    poll(watcher, array)
    store.report("run-a-1", 1, make_outcome(2, exit_code=1))

    assert poll(watcher, array) == {}


def test_a_plain_job_is_asked_about_alone(watcher, batch, store, plain, make_outcome):
    store.report("run-a-1", 0, make_outcome(0), make_outcome(1, exit_code=1))
    batch.set("job1", FAILED, "Essential container in task exited", exit_code=1, stream="s")

    verdicts = poll(watcher, plain)

    assert verdicts[0] == SUCCESS
    assert "Essential container" in verdicts[1].message
    assert batch.calls == Counter(describe=1)


@pytest.mark.parametrize(
    ("reason", "phrase"), [(OUT_OF_MEMORY, "want of memory"), (TIMED_OUT, "ran longer than")]
)
def test_the_outcome_tells_why(watcher, batch, store, plain, make_outcome, reason, phrase):
    store.report("run-a-1", 0, make_outcome(0, 1, reason), make_outcome(1))
    batch.set("job1", FAILED, exit_code=1)

    assert phrase in poll(watcher, plain)[0].message


def test_a_kill_for_memory_says_what_to_do(watcher, batch, plain):
    batch.set("job1", FAILED, exit_code=137)

    assert "mem_mb" in poll(watcher, plain)[0].message


def test_an_array_that_failed_before_it_had_children(watcher, batch, array):
    batch.set("job1", FAILED, "the queue was deleted")

    verdicts = poll(watcher, array)

    assert messages(verdicts).keys() == {0, 1, 2, 3}
    assert "the queue was deleted" in verdicts[3].message


def test_a_job_batch_forgets_for_a_moment_is_no_error(watcher, batch, array):
    known = batch.details.pop("job1")
    for now_s in (0, 1, MISSING_S - 1):
        assert poll(watcher, array, now_s) == {}
    batch.details["job1"] = known
    assert poll(watcher, array, MISSING_S) == {}
    del batch.details["job1"]

    assert poll(watcher, array, MISSING_S + 1) == {}
    assert poll(watcher, array, 2 * MISSING_S) == {}


def test_a_vanished_job_is_ended_and_what_it_finished_counts(
    watcher, batch, store, array, make_outcome
):
    store.report("run-a-1", 0, make_outcome(0))
    batch.details.clear()
    assert poll(watcher, array, 5) == {}

    verdicts = poll(watcher, array, 5 + MISSING_S)

    assert verdicts[0] == SUCCESS
    assert messages(verdicts).keys() == {1, 2, 3}
    assert "knows no job job1:0 any more" in verdicts[1].message
    assert batch.terminated == ["job1"]


@pytest.mark.parametrize("children", [[RUNNABLE, RUNNABLE], [RUNNABLE, SUCCEEDED]])
def test_stuck_children_are_an_error_after_a_while(watcher, batch, array, children):
    batch.set("job1", Status.PENDING, "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT", None, children)
    poll(watcher, array, 0)
    assert poll(watcher, array, 1) == {}
    assert poll(watcher, array, STUCK_AFTER_S) == {}

    verdicts = poll(watcher, array, 1 + STUCK_AFTER_S)

    assert "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT" in verdicts[0].message
    assert batch.terminated == ["job1"]


def test_the_reason_of_any_child_counts(watcher, batch, array):
    """AWS Batch names it for the job at the head of the queue alone."""
    batch.set("job1", Status.PENDING, children=[RUNNABLE, RUNNABLE])
    reason = "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT"
    batch.details["job1:1"] = replace(batch.details["job1:1"], status_reason=reason)
    for now_s in (0, 1):
        poll(watcher, array, now_s)

    assert reason in poll(watcher, array, 1 + STUCK_AFTER_S)[0].message


@pytest.mark.parametrize(
    "reason", ["CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY - none", "UNDETERMINED - not known"]
)
def test_how_long_a_job_waits_for_capacity_is_for_its_queue_to_say(
    watcher, batch, array, warnings, reason
):
    batch.set("job1", Status.PENDING, reason, None, [RUNNABLE, RUNNABLE])
    for now_s in (0, 1, 1 + STUCK_AFTER_S, 2 + 2 * STUCK_AFTER_S, 10 * STUCK_AFTER_S):
        assert poll(watcher, array, now_s) == {}

    assert batch.terminated == []
    (warning,) = warnings
    assert reason in warning
    assert "as long as queue cpu allows" in warning


def test_waiting_without_a_reason_is_patience(watcher, batch, plain):
    for now_s in (0, 1, 2 * STUCK_AFTER_S, 4 * STUCK_AFTER_S):
        assert poll(watcher, plain, now_s) == {}
    assert batch.terminated == []


def test_a_job_that_started_in_between_is_not_stuck(watcher, batch, plain):
    batch.set("job1", RUNNABLE, "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY")
    poll(watcher, plain, 0)
    poll(watcher, plain, 1)
    batch.set("job1", RUNNING)
    poll(watcher, plain, 2)
    batch.set("job1", RUNNABLE, "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY")
    poll(watcher, plain, STUCK_AFTER_S)
    poll(watcher, plain, STUCK_AFTER_S + 1)

    assert poll(watcher, plain, STUCK_AFTER_S + 50) == {}


def test_a_poll_that_failed_half_way_is_made_up_for(watcher, batch, store, array, monkeypatch):
    batch.set("job1", Status.PENDING, children=[SUCCEEDED, RUNNING])

    def broken(parent_id, status):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(batch, "children", broken)
        with pytest.raises(ConnectionError):
            poll(watcher, array)

    assert poll(watcher, array) == {0: SUCCESS, 1: SUCCESS}


def listed_late(batch, monkeypatch, *known):
    """Have the children of a state be listed as `known` says, one call after the other."""
    replies = iter(known)
    monkeypatch.setattr(batch, "children", lambda parent_id, status: next(replies))


def test_a_child_that_is_listed_late_is_asked_for_again(watcher, batch, array, monkeypatch):
    batch.set("job1", Status.PENDING, children=[SUCCEEDED, RUNNING])
    listed_late(batch, monkeypatch, [], [], [0])

    assert [poll(watcher, array) for _ in range(4)] == [{}, {}, {0: SUCCESS, 1: SUCCESS}, {}]


def test_an_array_that_is_over_does_not_wait_for_its_listings(watcher, batch, array, monkeypatch):
    batch.set("job1", FAILED, "the reason of the parent", None, [FAILED, SUCCEEDED])
    listed_late(batch, monkeypatch, [], [])

    verdicts = poll(watcher, array)

    assert verdicts[2] == verdicts[3] == SUCCESS
    assert messages(verdicts).keys() == {0, 1}
    assert "job1:0" in verdicts[0].message


def test_logs_of_a_scatter_that_fails_as_a_whole_are_read_for_a_few(
    watcher, batch, logs, make_list
):
    item = Watched(make_list(200, 200), "job1")
    batch.set("job1", FAILED, children=[FAILED] * 200)

    verdicts = poll(watcher, item)

    assert len(messages(verdicts)) == 200
    assert 0 < len(logs) <= 20
