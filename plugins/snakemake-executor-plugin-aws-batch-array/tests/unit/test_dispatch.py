from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.dispatch import Dispatcher, Parcel, Run
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.watch import SUCCESS, Watcher

RUN = Run("run", "eu-central-1", 5, {"project": "x"}, {}, {}, (), ())
PARCEL = Parcel(
    rule="a",
    queue="cpu",
    definition="definition:1",
    vcpus=2,
    memory_mib=3000,
    gpus=0,
    command_timeout_s=100,
    commands=tuple(Command((f"a:i={i}",), (), f"identity{i}") for i in range(5)),
    n_children=2,
)


@pytest.fixture
def new_dispatcher(batch, store):
    """Make a dispatcher, as each start of a controller does."""
    return lambda: Dispatcher(batch, store, Watcher(batch, store, lambda *_: "", "", 100))


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
    assert dispatcher.external_id(tickets[4]) == "job1:1"


@pytest.mark.parametrize(
    ("limit_s", "n_children", "timeout_s"),
    # Half a minute more than the commands, for the sources are unpacked before the first one.
    [(100, 2, 330), (100, 5, 130), (5, 5, 60), (None, 2, None)],
)
def test_the_time_limit_covers_the_longest_slice(dispatcher, batch, limit_s, n_children, timeout_s):
    dispatcher.submit(RUN, replace(PARCEL, command_timeout_s=limit_s, n_children=n_children))

    assert batch.submissions[0].timeout_s == timeout_s


def test_the_list_is_there_before_the_job(dispatcher, batch, store):
    batch.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        dispatcher.submit(RUN, PARCEL)

    assert len(store.open_names()) == 1


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


def test_cancel_finds_a_job_whose_reply_never_came(dispatcher, batch, monkeypatch):
    submit = batch.submit

    def interrupted(submission):
        submit(submission)
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "submit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        dispatcher.submit(RUN, PARCEL)

    dispatcher.cancel("because")

    assert batch.terminated == ["job1"]


def test_the_next_controller_takes_up_what_runs(new_dispatcher, batch, store):
    new_dispatcher().submit(RUN, PARCEL)
    later = new_dispatcher()

    tickets = [later.claim(command) for command in PARCEL.commands]

    assert [later.external_id(ticket) for ticket in tickets] == ["job1:0"] * 2 + ["job1:1"] * 3
    assert len(batch.submissions) == 1
    batch.set("job1", Status.SUCCEEDED, children=[Status.SUCCEEDED] * 2)
    later.poll(0)
    assert {later.verdict(ticket) for ticket in tickets} == {SUCCESS}


def test_changed_sources_end_what_runs(new_dispatcher, batch, store):
    new_dispatcher().submit(RUN, PARCEL)

    claimed = new_dispatcher().claim(replace(PARCEL.commands[0], identity="other"))

    assert claimed is None
    assert batch.terminated == ["job1"]
    assert store.open_names() == []


def test_names_tell_lists_apart_and_suit_batch(dispatcher, batch):
    parcel = replace(PARCEL, rule="a rule/with (odd) characters" * 9)
    dispatcher.submit(RUN, parcel)
    dispatcher.submit(RUN, replace(parcel, commands=parcel.commands[:1], n_children=1))

    names = {submission.name for submission in batch.submissions}
    assert len(names) == 2
    assert all(len(name) <= 128 and set(name) <= VALID for name in names)


VALID = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
