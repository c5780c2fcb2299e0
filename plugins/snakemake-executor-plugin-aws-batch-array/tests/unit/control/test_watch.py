"""What becomes of the jobs that are watched: verdicts, each given once."""

from collections import Counter

import pytest

from snakemake_executor_plugin_aws_batch_array.command_list import OUT_OF_MEMORY, TIMED_OUT
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.verdicts import SUCCESS
from snakemake_executor_plugin_aws_batch_array.watch import MISSING_S
from snakemake_executor_plugin_aws_batch_array.watched import Watched

RUNNABLE, RUNNING, SUCCEEDED, FAILED = (
    Status.RUNNABLE,
    Status.RUNNING,
    Status.SUCCEEDED,
    Status.FAILED,
)


def messages(verdicts):
    return {index: verdict.message for index, verdict in verdicts.items() if verdict.message}


def test_nothing_is_listed_while_nothing_moves(batch, array, poll):
    assert poll(array) == {}
    batch.calls.clear()

    assert poll(array) == {}
    assert batch.calls == Counter(describe=1)


def test_a_child_that_succeeded_decides_its_slice(batch, array, poll):
    batch.set("job1", Status.PENDING, children=[RUNNING, SUCCEEDED])

    assert poll(array) == {2: SUCCESS, 3: SUCCESS}
    assert array.undecided == {0, 1}
    assert batch.calls["children"] == 1


def test_an_array_that_succeeded_is_not_listed(batch, store, array, poll):
    batch.set("job1", SUCCEEDED, children=[SUCCEEDED, SUCCEEDED])

    assert poll(array) == dict.fromkeys(range(4), SUCCESS)
    assert batch.calls == Counter(describe=1)
    assert store.n_reads == 0


def test_a_decided_list_is_not_asked_about(watcher, batch, array):
    array.undecided.clear()
    watcher.poll([array], 0)

    assert array.seen is None


def test_one_bad_command_leaves_the_others_of_its_slice(
    batch, store, logs, array, make_outcome, poll
):
    store.report("run-a-1", 0, make_outcome(0, exit_code=1), make_outcome(1))
    batch.set("job1", Status.PENDING, children=[FAILED, RUNNING])

    verdicts = poll(array)

    assert verdicts.keys() == {0, 1}
    assert verdicts[1] == SUCCESS
    assert "job1:0 ended with an error (exit code 1, 1 attempt)" in verdicts[0].message
    assert verdicts[0].message.endswith("the last line")
    assert logs == [("group", "stream0", (10, 20))]


def test_a_command_the_child_never_reached_is_a_failure(batch, store, array, make_outcome, poll):
    store.report("run-a-1", 0, make_outcome(0))
    batch.set("job1", FAILED, children=[FAILED, SUCCEEDED])

    verdicts = poll(array)

    assert messages(verdicts).keys() == {1}
    assert "did not come to an end" in verdicts[1].message


def test_verdicts_are_given_once(batch, store, array, make_outcome, poll):
    store.report("run-a-1", 0, make_outcome(0, exit_code=1), make_outcome(1))
    batch.set("job1", Status.PENDING, children=[FAILED, RUNNING])
    poll(array)
    batch.set("job1", FAILED, children=[FAILED, SUCCEEDED])

    assert poll(array) == {2: SUCCESS, 3: SUCCESS}


def test_outcomes_of_a_running_child_are_taken_in_and_read_once(
    batch, store, array, make_outcome, poll
):
    batch.set("job1", Status.PENDING, children=[RUNNING, RUNNING])
    poll(array)
    store.report("run-a-1", 1, make_outcome(2))

    assert poll(array) == {2: SUCCESS}
    n_reads = store.n_reads
    assert poll(array) == {}
    assert store.n_reads == n_reads


def test_a_failed_command_of_a_running_child_waits_for_the_child(
    batch, store, array, make_outcome, poll
):
    batch.set("job1", Status.PENDING, children=[RUNNING, RUNNING])
    poll(array)
    store.report("run-a-1", 1, make_outcome(2, exit_code=1))

    assert poll(array) == {}


def test_a_plain_job_is_asked_about_alone(batch, store, plain, make_outcome, poll):
    store.report("run-a-1", 0, make_outcome(0), make_outcome(1, exit_code=1))
    batch.set("job1", FAILED, "Essential container in task exited", exit_code=1, stream="s")

    verdicts = poll(plain)

    assert verdicts[0] == SUCCESS
    assert "Essential container" in verdicts[1].message
    assert batch.calls == Counter(describe=1)


@pytest.mark.parametrize(
    ("reason", "phrase"), [(OUT_OF_MEMORY, "want of memory"), (TIMED_OUT, "ran longer than")]
)
def test_the_outcome_tells_why(batch, store, plain, make_outcome, reason, phrase, poll):
    store.report("run-a-1", 0, make_outcome(0, 1, reason), make_outcome(1))
    batch.set("job1", FAILED, exit_code=1)

    assert phrase in poll(plain)[0].message


def test_a_kill_for_memory_says_what_to_do(batch, plain, poll):
    batch.set("job1", FAILED, exit_code=137)

    assert "mem_mb" in poll(plain)[0].message


def test_an_array_that_failed_before_it_had_children(batch, array, poll):
    batch.set("job1", FAILED, "the queue was deleted")

    verdicts = poll(array)

    assert messages(verdicts).keys() == {0, 1, 2, 3}
    assert "the queue was deleted" in verdicts[3].message


def test_a_job_batch_forgets_for_a_moment_is_no_error(batch, array, poll):
    known = batch.details.pop("job1")
    for now_s in (0, 1, MISSING_S - 1):
        assert poll(array, now_s) == {}
    batch.details["job1"] = known
    assert poll(array, MISSING_S) == {}
    del batch.details["job1"]

    assert poll(array, MISSING_S + 1) == {}
    assert poll(array, 2 * MISSING_S) == {}


def test_a_vanished_job_is_ended_and_what_it_finished_counts(
    batch, store, array, make_outcome, poll
):
    store.report("run-a-1", 0, make_outcome(0))
    batch.details.clear()
    assert poll(array, 5) == {}

    verdicts = poll(array, 5 + MISSING_S)

    assert verdicts[0] == SUCCESS
    assert messages(verdicts).keys() == {1, 2, 3}
    assert "knows no job job1:0 any more" in verdicts[1].message
    assert batch.terminated == ["job1"]


def test_a_poll_that_failed_half_way_is_made_up_for(batch, store, array, monkeypatch, poll):
    batch.set("job1", Status.PENDING, children=[SUCCEEDED, RUNNING])

    def broken(parent_id, status):
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(batch, "children", broken)
        with pytest.raises(ConnectionError):
            poll(array)

    assert poll(array) == {0: SUCCESS, 1: SUCCESS}


def listed_late(batch, monkeypatch, *known):
    """Have the children of a state be listed as `known` says, one call after the other."""
    replies = iter(known)
    monkeypatch.setattr(batch, "children", lambda parent_id, status: next(replies))


def test_a_child_that_is_listed_late_is_asked_for_again(batch, array, monkeypatch, poll):
    batch.set("job1", Status.PENDING, children=[SUCCEEDED, RUNNING])
    listed_late(batch, monkeypatch, [], [], [0])

    assert [poll(array) for _ in range(4)] == [{}, {}, {0: SUCCESS, 1: SUCCESS}, {}]


def test_an_array_that_is_over_does_not_wait_for_its_listings(batch, array, monkeypatch, poll):
    batch.set("job1", FAILED, "the reason of the parent", None, [FAILED, SUCCEEDED])
    listed_late(batch, monkeypatch, [], [])

    verdicts = poll(array)

    assert verdicts[2] == verdicts[3] == SUCCESS
    assert messages(verdicts).keys() == {0, 1}
    assert "job1:0" in verdicts[0].message


def test_logs_of_a_scatter_that_fails_as_a_whole_are_read_for_a_few(batch, logs, make_list, poll):
    item = Watched(make_list(200, 200), "job1")
    batch.set("job1", FAILED, children=[FAILED] * 200)

    verdicts = poll(item)

    assert len(messages(verdicts)) == 200
    assert 0 < len(logs) <= 20
