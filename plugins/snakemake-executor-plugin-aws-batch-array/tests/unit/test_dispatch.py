import threading
import time
from concurrent.futures import Future
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array import dispatch
from snakemake_executor_plugin_aws_batch_array.adoption import Demand
from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.dispatch import Dispatcher
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.parcels import Parcel, Run
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.watch import SUCCESS, Watcher

RUN = Run("run", "eu-central-1", 5, {"project": "x"}, {}, {}, "", ())
PARCEL = Parcel(
    rule="a",
    queue="cpu",
    definition="definition:1",
    vcpus=2,
    memory_mib=3000,
    gpus=0,
    command_timeout_s=100,
    commands=tuple(Command((f"a:i={i}",), (), f"identity{i}", (f"out{i}",)) for i in range(5)),
    n_children=2,
)


OTHERS = (Command(("b:",), (), "identity", ("elsewhere",)),)
FILES = frozenset(f"out{i}" for i in range(5))


@pytest.fixture
def new_dispatcher(batch, store):
    """Make a dispatcher, as each start of a controller does."""

    def new(wanted=FILES):
        watcher = Watcher(batch, store, lambda *_: "", "", 100, lambda _: None)
        dispatcher = Dispatcher(batch, store, watcher, sleep=lambda _: None)
        dispatcher.complaints = dispatcher.inherit(wanted)
        return dispatcher

    return new


@pytest.fixture
def dispatcher(new_dispatcher):
    return new_dispatcher()


def test_a_parcel_is_one_submission(dispatcher, batch, store):
    tickets = dispatcher.submit(RUN, PARCEL)

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
def test_the_time_limit_covers_the_longest_slice(dispatcher, batch, limit_s, n_children, timeout_s):
    dispatcher.submit(RUN, replace(PARCEL, command_timeout_s=limit_s, n_children=n_children))

    assert batch.submissions[0].timeout_s == timeout_s


def test_the_list_is_there_before_the_job(dispatcher, batch, store, monkeypatch):
    open_names = []
    submit = batch.submit
    monkeypatch.setattr(
        batch, "submit", lambda asked: open_names.append(store.open_names()) or submit(asked)
    )
    dispatcher.submit(RUN, PARCEL)

    assert open_names == [[batch.submissions[0].name]]


def test_a_submission_that_failed_leaves_nothing_open(dispatcher, batch, store):
    batch.error = RuntimeError("no such queue")
    with pytest.raises(RuntimeError, match="no such queue"):
        dispatcher.submit(RUN, PARCEL)

    assert store.open_names() == []
    assert dispatcher.poll(0) is False


def test_a_list_is_closed_when_snakemake_has_heard_of_all(dispatcher, batch, store):
    tickets = dispatcher.submit(RUN, PARCEL)
    assert dispatcher.verdict(tickets[0]) is None
    batch.set("job1", Status.SUCCEEDED, children=[Status.SUCCEEDED] * 2)

    assert dispatcher.poll(0) is True
    for ticket in tickets:
        assert store.closed == []
        assert dispatcher.verdict(ticket) == SUCCESS
        dispatcher.settle(ticket)
    assert len(store.closed) == 1


def test_cancel_ends_each_array_by_one_call(dispatcher, batch):
    dispatcher.submit(RUN, PARCEL)
    dispatcher.submit(RUN, replace(PARCEL, rule="b"))
    tickets = dispatcher.submit(RUN, replace(PARCEL, rule="c"))
    batch.set("job3", Status.SUCCEEDED, children=[Status.SUCCEEDED] * 2)
    dispatcher.poll(0)

    dispatcher.cancel("because")

    assert sorted(batch.terminated) == ["job1", "job2"]
    assert dispatcher.verdict(tickets[0]) == SUCCESS


def interrupt(dispatcher, batch, monkeypatch):
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
            dispatcher.submit(RUN, PARCEL)
        deadline_s = time.monotonic() + 30
        while len(batch.submissions) == n_before:
            assert time.monotonic() < deadline_s
    return replying


def test_ctrl_c_waits_for_the_reply_of_a_submission_under_way(dispatcher, batch, monkeypatch):
    replying = interrupt(dispatcher, batch, monkeypatch)
    timer = threading.Timer(0.3, replying.set)
    timer.start()

    assert dispatcher.cancel("because") == []
    assert batch.terminated == ["job1"]


def test_ctrl_c_names_what_it_could_not_end(dispatcher, batch, monkeypatch):
    monkeypatch.setattr(dispatch, "_SUBMISSION_WAIT_S", 0.1)
    dispatcher.submit(RUN, replace(PARCEL, rule="b"))
    replying = interrupt(dispatcher, batch, monkeypatch)

    (name,) = dispatcher.cancel("because")

    assert name.startswith("run-a-")
    assert batch.terminated == ["job1"]
    replying.set()


def test_nothing_is_submitted_after_ctrl_c(dispatcher, batch):
    dispatcher.cancel("because")

    with pytest.raises(UserError, match="interrupted"):
        dispatcher.submit(RUN, PARCEL)
    assert batch.submissions == []


def test_one_job_that_cannot_be_ended_does_not_keep_the_others(dispatcher, batch, monkeypatch):
    dispatcher.submit(RUN, PARCEL)
    dispatcher.submit(RUN, replace(PARCEL, rule="b"))
    terminate = batch.terminate

    def refuse_one(job_id, reason):
        if job_id == "job1":
            raise ClientError({"Error": {"Code": "ServerException"}}, "TerminateJob")
        terminate(job_id, reason)

    monkeypatch.setattr(batch, "terminate", refuse_one)

    (name,) = dispatcher.cancel("because")

    assert name.startswith("run-a-")
    assert batch.terminated == ["job2"]


def test_the_next_controller_takes_up_what_runs(new_dispatcher, batch, store):
    new_dispatcher().submit(RUN, PARCEL)
    later = new_dispatcher()

    assert all(later.has_left(command) for command in PARCEL.commands)
    tickets = [later.claim(command, Demand()) for command in PARCEL.commands]

    assert [later.external_id(ticket) for ticket in tickets] == ["job1:0"] * 2 + ["job1:1"] * 3
    assert len(batch.submissions) == 1
    batch.set("job1", Status.SUCCEEDED, children=[Status.SUCCEEDED] * 2)
    later.poll(0)
    assert {later.verdict(ticket) for ticket in tickets} == {SUCCESS}


@pytest.fixture
def ending(batch, monkeypatch):
    """Have jobs end when they are told to."""
    terminate = batch.terminate

    def end(job_id, reason):
        terminate(job_id, reason)
        batch.details[job_id] = replace(batch.details[job_id], status=Status.FAILED)

    monkeypatch.setattr(batch, "terminate", end)


def running(batch):
    batch.set("job1", Status.PENDING, children=[Status.RUNNING] * 2)


def test_changed_sources_end_what_runs_as_a_whole(new_dispatcher, batch, store, ending):
    new_dispatcher().submit(RUN, PARCEL)
    running(batch)
    later = new_dispatcher()

    claimed = [later.claim(replace(each, identity="other"), Demand()) for each in PARCEL.commands]

    assert claimed == [None] * 5
    assert batch.terminated == []
    assert later.end_refused() == []
    assert batch.terminated == ["job1"]
    assert store.open_names() == []


def test_the_child_of_a_refused_command_is_ended_and_its_slice_runs_again(
    new_dispatcher, batch, store, ending
):
    new_dispatcher().submit(RUN, PARCEL)
    running(batch)
    later = new_dispatcher()
    first, second, third = (later.claim(PARCEL.commands[i], Demand()) for i in (2, 3, 0))
    assert later.claim(PARCEL.commands[4], Demand(forced=True)) is None

    displaced = later.end_refused()

    assert sorted(ticket.command for ticket in displaced) == [2, 3]
    assert set(displaced) == {first, second}
    assert batch.terminated == ["job1:1"]
    assert later.verdict(first) is None
    # The other child is none of its business.
    batch.set("job1", Status.PENDING, children=[Status.SUCCEEDED, Status.FAILED])
    later.poll(0)
    assert later.verdict(third) == SUCCESS
    assert later.verdict(first) is None


def test_jobs_that_do_not_end_are_not_waited_for_for_ever(new_dispatcher, batch):
    new_dispatcher().submit(RUN, PARCEL)
    running(batch)
    later = new_dispatcher()
    later.claim(PARCEL.commands[0], Demand(forced=True))

    assert later.end_refused() == []


def test_another_workflow_of_the_same_run_is_left_alone(new_dispatcher, batch, store):
    new_dispatcher().submit(RUN, PARCEL)
    running(batch)
    other = new_dispatcher(frozenset({"elsewhere"}))
    other.submit(RUN, replace(PARCEL, rule="b", commands=OTHERS))

    assert other.cancel("because") == []
    other.close_decided()

    assert batch.terminated == ["job2"]
    assert other.left_alone() == [batch.submissions[0].name]
    assert len(store.open_names()) == 2


def test_a_list_that_makes_what_a_checkpoint_asks_for_later_is_claimed(new_dispatcher, batch):
    new_dispatcher().submit(RUN, PARCEL)
    running(batch)
    later = new_dispatcher(frozenset())

    assert later.claim(PARCEL.commands[0], Demand()) is not None
    assert later.cancel("because") == []
    assert batch.terminated == ["job1"]


def test_a_queue_that_is_gone_is_told_and_its_jobs_are_submitted_anew(new_dispatcher, batch, store):
    new_dispatcher().submit(RUN, PARCEL)
    batch.details.clear()
    (name,) = store.lists
    store.lists[name] = replace(store.lists[name], submitted_ms=1)

    later = new_dispatcher()

    assert len(later.complaints) == 1
    assert later.claim(PARCEL.commands[0], Demand()) is None


def test_share_and_priority_are_those_of_the_run(dispatcher, batch):
    dispatcher.submit(replace(RUN, share="lab", priority=7), PARCEL)

    assert (batch.submissions[0].share, batch.submissions[0].priority) == ("lab", 7)


def test_names_tell_lists_apart_and_suit_batch(dispatcher, batch):
    parcel = replace(PARCEL, rule="a rule/with (odd) characters" * 12)
    dispatcher.submit(RUN, parcel)
    dispatcher.submit(RUN, replace(parcel, commands=parcel.commands[:1], n_children=1))

    names = {submission.name for submission in batch.submissions}
    assert len(names) == 2
    assert all(len(name) <= 128 and set(name) <= VALID for name in names)
    (tag,) = {submission.tags["snakemake-rule"] for submission in batch.submissions}
    assert len(tag) == 256
    assert not set(tag) & set("()")


VALID = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
