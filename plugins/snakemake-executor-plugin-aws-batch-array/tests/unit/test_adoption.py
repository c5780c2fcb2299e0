from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.adoption import find_inheritance
from snakemake_executor_plugin_aws_batch_array.status import Status

RUNNING, SUCCEEDED, FAILED = Status.RUNNING, Status.SUCCEEDED, Status.FAILED


@pytest.fixture
def left(batch, store, make_list):
    """A list of four commands on two children, both running."""
    commands = make_list()
    store.lists[commands.name] = commands
    batch.set("job1", Status.PENDING, children=[RUNNING, RUNNING], name=commands.name)
    return commands


def test_running_commands_are_claimed_once(batch, store, left):
    inheritance = find_inheritance(store, batch)

    for index, command in enumerate(left.commands):
        item, found = inheritance.claim(command)
        assert (item.job_id, found) == ("job1", index)
        assert inheritance.claim(command) is None


def test_what_finished_meanwhile_is_claimed_too(batch, store, left):
    batch.set("job1", SUCCEEDED, children=[SUCCEEDED, SUCCEEDED])
    inheritance = find_inheritance(store, batch)

    assert all(inheritance.claim(command) is not None for command in left.commands)


def test_what_failed_meanwhile_is_left_to_be_submitted_again(batch, store, left, make_outcome):
    store.report(left.name, 0, make_outcome(0), make_outcome(1, exit_code=1))
    batch.set("job1", Status.PENDING, children=[FAILED, RUNNING])
    inheritance = find_inheritance(store, batch)

    claimed = [inheritance.claim(command) is not None for command in left.commands]

    assert claimed == [True, False, True, True]


def test_a_plain_job_that_failed(batch, store, make_list, make_outcome):
    commands = make_list(2, 1)
    store.lists[commands.name] = commands
    store.report(commands.name, 0, make_outcome(1))
    batch.set("job1", FAILED, name=commands.name)
    inheritance = find_inheritance(store, batch)

    claimed = [inheritance.claim(command) is not None for command in commands.commands]

    assert claimed == [False, True]


def test_an_array_that_failed_before_it_had_children(batch, store, left):
    batch.set("job1", FAILED)

    assert find_inheritance(store, batch).by_target == {}


def test_a_list_that_was_never_submitted_is_closed(batch, store, left):
    batch.details.clear()
    inheritance = find_inheritance(store, batch)

    assert inheritance.claim(left.commands[0]) is None
    assert store.closed == [left.name]


def test_a_job_describe_forgets_for_a_moment_is_claimed(batch, store, left, monkeypatch):
    monkeypatch.setattr(batch, "describe", lambda job_ids: {})

    assert find_inheritance(store, batch).claim(left.commands[0]) is not None
    assert store.closed == []


def test_closed_lists_are_done_with(batch, store, left):
    store.close(left.name)

    assert find_inheritance(store, batch).claim(left.commands[0]) is None


def test_the_retry_of_a_job_counts_and_not_its_first_try(batch, store, left):
    again = replace(left, name="run-a-2", submitted_ms=left.submitted_ms + 1)
    store.lists = {again.name: again, left.name: left}
    batch.set("job2", Status.PENDING, children=[RUNNING, RUNNING], name=again.name)

    item, _ = find_inheritance(store, batch).claim(left.commands[0])

    assert item.job_id == "job2"


def test_a_command_with_other_sources_is_not_claimed(batch, store, left):
    inheritance = find_inheritance(store, batch)

    assert inheritance.claim(replace(left.commands[0], identity="other")) is None
    assert [item.job_id for item in inheritance.outdated] == ["job1"]
