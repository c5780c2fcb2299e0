"""What the next controller takes up, ends or leaves alone."""

from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.left import Demand
from snakemake_executor_plugin_aws_batch_array.status import Status
from snakemake_executor_plugin_aws_batch_array.verdicts import SUCCESS

OTHERS = (Command(("b:",), (), "identity", ("elsewhere",)),)


def test_the_next_controller_takes_up_what_runs(new_dispatcher, batch, store, run, parcel):
    new_dispatcher().submit(run, parcel)
    later = new_dispatcher()

    assert all(later.has_left(command) for command in parcel.commands)
    tickets = [later.claim(command, Demand()) for command in parcel.commands]

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


def test_changed_sources_end_what_runs_as_a_whole(
    new_dispatcher, batch, store, ending, run, parcel
):
    new_dispatcher().submit(run, parcel)
    running(batch)
    later = new_dispatcher()

    claimed = [later.claim(replace(each, identity="other"), Demand()) for each in parcel.commands]

    assert claimed == [None] * 5
    assert batch.terminated == []
    assert later.end_refused() == []
    assert batch.terminated == ["job1"]
    assert store.open_names() == []


def test_the_child_of_a_refused_command_is_ended_and_its_slice_runs_again(
    new_dispatcher, batch, store, ending, run, parcel
):
    new_dispatcher().submit(run, parcel)
    running(batch)
    later = new_dispatcher()
    first, second, third = (later.claim(parcel.commands[i], Demand()) for i in (2, 3, 0))
    assert later.claim(parcel.commands[4], Demand(forced=True)) is None

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


def test_every_child_of_which_a_command_is_refused_is_ended(
    new_dispatcher, batch, ending, run, parcel
):
    """Five commands on three children: 0; 1 and 2; 3 and 4."""
    new_dispatcher().submit(run, replace(parcel, n_children=3))
    batch.set("job1", Status.PENDING, children=[Status.RUNNING] * 3)
    later = new_dispatcher()
    kept = later.claim(parcel.commands[3], Demand())
    for command in parcel.commands[:2]:
        assert later.claim(command, Demand(forced=True)) is None

    assert later.end_refused() == []
    assert sorted(batch.terminated) == ["job1:0", "job1:1"]
    assert later.external_id(kept) == "job1:2"


def test_what_is_ended_is_waited_for_until_it_has_ended(
    new_dispatcher, batch, monkeypatch, run, parcel
):
    new_dispatcher().submit(run, parcel)
    running(batch)
    later = new_dispatcher()
    later.claim(parcel.commands[0], Demand(forced=True))
    later.claim(parcel.commands[4], Demand(forced=True))
    describe, looks = batch.describe, []

    def third_look_sees_the_end(job_ids):
        looks.append(job_ids)
        if len(looks) == 3:
            batch.set("job1", Status.FAILED)
        return describe(job_ids)

    monkeypatch.setattr(batch, "describe", third_look_sees_the_end)

    later.end_refused()

    assert [*map(list, looks)] == [["job1"]] * 3


def test_jobs_that_do_not_end_are_not_waited_for_for_ever(new_dispatcher, batch, run, parcel):
    new_dispatcher().submit(run, parcel)
    running(batch)
    later = new_dispatcher()
    later.claim(parcel.commands[0], Demand(forced=True))

    assert later.end_refused() == []


def test_another_workflow_of_the_same_run_is_left_alone(new_dispatcher, batch, store, run, parcel):
    new_dispatcher().submit(run, parcel)
    running(batch)
    other = new_dispatcher(frozenset({"elsewhere"}))
    other.submit(run, replace(parcel, rule="b", commands=OTHERS))

    assert other.cancel("because") == []
    other.close_decided()

    assert batch.terminated == ["job2"]
    assert other.left_alone() == [batch.submissions[0].name]
    assert len(store.open_names()) == 2


def test_a_list_that_makes_what_a_checkpoint_asks_for_later_is_claimed(
    new_dispatcher, batch, run, parcel
):
    new_dispatcher().submit(run, parcel)
    running(batch)
    later = new_dispatcher(frozenset())

    assert later.claim(parcel.commands[0], Demand()) is not None
    assert later.cancel("because") == []
    assert batch.terminated == ["job1"]


def test_a_queue_that_is_gone_is_told_and_its_jobs_are_submitted_anew(
    new_dispatcher, batch, store, run, parcel
):
    new_dispatcher().submit(run, parcel)
    batch.details.clear()
    (name,) = store.lists
    store.lists[name] = replace(store.lists[name], submitted_ms=1)

    later = new_dispatcher()

    assert len(later.complaints) == 1
    assert later.claim(parcel.commands[0], Demand()) is None


def test_a_list_that_snakemake_has_yet_to_write_down_stays_open(
    new_dispatcher, batch, store, run, parcel
):
    dispatcher = new_dispatcher()
    first, *_ = dispatcher.submit(run, parcel)
    batch.set("job1", Status.SUCCEEDED, children=[Status.SUCCEEDED] * 2)
    dispatcher.poll(0)

    dispatcher.close_decided({first.list_name})
    assert store.open_names() == [first.list_name]

    dispatcher.close_decided()
    assert store.open_names() == []
