"""From parcels to submissions, and what Ctrl-C leaves."""

import threading
import time
from concurrent.futures import Future
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array import dispatch
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.verdicts import SUCCESS


def test_a_parcel_is_one_submission(dispatcher, batch, store, run, parcel):
    tickets = dispatcher.submit(run, parcel)

    (submission,) = batch.submissions
    assert [ticket.command for ticket in tickets] == [0, 1, 2, 3, 4]
    assert {ticket.list_name for ticket in tickets} == {submission.name} == store.lists.keys()
    assert submission.n_children == 2
    assert submission.environment == {
        "LIST_FILE_S3_PATH": f"s3://bucket/lists/{submission.name}.json",
        "LIST_FILE_SHA256": "checksum",
        "ARRAY_SIZE": "2",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "SNAKEMAKE_STORAGE_S3_REGION": "eu-central-1",
    }
    assert submission.tags == {"project": "x", "snakemake-rule": "a"}
    assert (submission.share, submission.priority) == ("", None)
    assert dispatcher.external_id(tickets[4]) == "job1:1"


@pytest.mark.parametrize(
    ("limit_s", "n_children", "timeout_s"),
    # Half a minute more than the commands, for the sources are unpacked before the first one.
    [(100, 2, 330), (100, 5, 130), (5, 5, 60), (None, 2, None)],
)
def test_the_time_limit_covers_the_longest_slice(
    dispatcher, batch, limit_s, n_children, timeout_s, run, parcel
):
    dispatcher.submit(run, replace(parcel, command_timeout_s=limit_s, n_children=n_children))

    assert batch.submissions[0].timeout_s == timeout_s


def test_the_list_is_there_before_the_job(dispatcher, batch, store, monkeypatch, run, parcel):
    open_names = []
    submit = batch.submit
    monkeypatch.setattr(
        batch, "submit", lambda asked: open_names.append(store.open_names()) or submit(asked)
    )
    dispatcher.submit(run, parcel)

    assert open_names == [[batch.submissions[0].name]]


def test_a_submission_that_failed_leaves_nothing_open(dispatcher, batch, store, run, parcel):
    batch.error = RuntimeError("no such queue")
    with pytest.raises(RuntimeError, match="no such queue"):
        dispatcher.submit(run, parcel)

    assert store.open_names() == []
    assert dispatcher.poll(0) is False


def test_a_list_is_closed_when_snakemake_has_heard_of_all(dispatcher, batch, store, run, parcel):
    tickets = dispatcher.submit(run, parcel)
    assert dispatcher.verdict(tickets[0]) is None
    batch.set("job1", Status.SUCCEEDED, children=[Status.SUCCEEDED] * 2)

    assert dispatcher.poll(0) is True
    for ticket in tickets:
        assert store.closed == []
        assert dispatcher.verdict(ticket) == SUCCESS
        dispatcher.settle(ticket)
    assert len(store.closed) == 1


def test_cancel_ends_each_array_by_one_call(dispatcher, batch, run, parcel):
    dispatcher.submit(run, parcel)
    dispatcher.submit(run, replace(parcel, rule="b"))
    tickets = dispatcher.submit(run, replace(parcel, rule="c"))
    batch.set("job3", Status.SUCCEEDED, children=[Status.SUCCEEDED] * 2)
    dispatcher.poll(0)

    dispatcher.cancel("because")

    assert sorted(batch.terminated) == ["job1", "job2"]
    assert dispatcher.verdict(tickets[0]) == SUCCESS


def interrupt(dispatcher, batch, monkeypatch, run, parcel):
    """Have Ctrl-C come while SubmitJob is under way; return what lets its reply arrive."""
    replying, n_before = threading.Event(), len(batch.submissions)
    submit = batch.submit

    def slow(submission):
        job_id = submit(submission)
        assert replying.wait(30)
        return job_id

    def interrupted(future, timeout=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(batch, "submit", slow)
        patch.setattr(Future, "result", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dispatcher.submit(run, parcel)
        deadline_s = time.monotonic() + 30
        while len(batch.submissions) == n_before:
            assert time.monotonic() < deadline_s
    return replying


def test_ctrl_c_waits_for_the_reply_of_a_submission_under_way(
    dispatcher, batch, monkeypatch, run, parcel
):
    replying = interrupt(dispatcher, batch, monkeypatch, run, parcel)
    timer = threading.Timer(0.3, replying.set)
    timer.start()

    assert dispatcher.cancel("because") == []
    assert batch.terminated == ["job1"]


def test_ctrl_c_names_what_it_could_not_end(dispatcher, batch, monkeypatch, run, parcel):
    monkeypatch.setattr(dispatch, "_SUBMISSION_WAIT_S", 0.1)
    dispatcher.submit(run, replace(parcel, rule="b"))
    replying = interrupt(dispatcher, batch, monkeypatch, run, parcel)

    (name,) = dispatcher.cancel("because")

    assert name.startswith("run-a-")
    assert batch.terminated == ["job1"]
    replying.set()


def test_nothing_is_submitted_after_ctrl_c(dispatcher, batch, run, parcel):
    dispatcher.cancel("because")

    with pytest.raises(UserError, match="interrupted"):
        dispatcher.submit(run, parcel)
    assert batch.submissions == []


def test_one_job_that_cannot_be_ended_does_not_keep_the_others(
    dispatcher, batch, monkeypatch, run, parcel
):
    dispatcher.submit(run, parcel)
    dispatcher.submit(run, replace(parcel, rule="b"))
    terminate = batch.terminate

    def refuse_one(job_id, reason):
        if job_id == "job1":
            raise ClientError({"Error": {"Code": "ServerException"}}, "TerminateJob")
        terminate(job_id, reason)

    monkeypatch.setattr(batch, "terminate", refuse_one)

    (name,) = dispatcher.cancel("because")

    assert name.startswith("run-a-")
    assert batch.terminated == ["job2"]


def test_share_and_priority_are_those_of_the_run(dispatcher, batch, run, parcel):
    dispatcher.submit(replace(run, share="lab", priority=7), parcel)

    assert (batch.submissions[0].share, batch.submissions[0].priority) == ("lab", 7)


def test_names_tell_lists_apart_and_suit_batch(dispatcher, batch, run, parcel):
    parcel = replace(parcel, rule="a rule/with (odd) characters" * 12)
    dispatcher.submit(run, parcel)
    dispatcher.submit(run, replace(parcel, commands=parcel.commands[:1], n_children=1))

    names = {submission.name for submission in batch.submissions}
    assert len(names) == 2
    assert all(len(name) <= 128 and set(name) <= VALID for name in names)
    (tag,) = {submission.tags["snakemake-rule"] for submission in batch.submissions}
    assert len(tag) == 256
    assert not set(tag) & set("()")


VALID = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
