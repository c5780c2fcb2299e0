from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.adoption import find_inheritance
from snakemake_executor_plugin_aws_batch_array.command_list import Attempt, UnreadableListError
from snakemake_executor_plugin_aws_batch_array.left import Demand
from snakemake_executor_plugin_aws_batch_array.status import Status

RUNNING, SUCCEEDED, FAILED = Status.RUNNING, Status.SUCCEEDED, Status.FAILED
ALL = frozenset(f"out{i}" for i in range(4))
BEGUN_MS = 100_500
NOW_MS = 1_000_000
NOTHING_SPECIAL = Demand()


@pytest.fixture
def left(batch, store, make_list):
    """A list of four commands on two children, both running."""
    commands = make_list()
    store.lists[commands.name] = commands
    batch.set("job1", Status.PENDING, children=[RUNNING, RUNNING], name=commands.name)
    for child in range(2):
        store.put_attempt(commands.name, child, Attempt(1, BEGUN_MS))
    return commands


@pytest.fixture
def inherit(batch, store):
    return lambda wanted=ALL: find_inheritance(store, batch, wanted, None, NOW_MS)


def claims(inheritance, commands, demand=NOTHING_SPECIAL):
    """Return which commands are claimed, and which children must be ended for the others."""
    claimed, ended = [], set()
    for command in commands:
        found, refused = inheritance.claim(command, demand)
        claimed.append(found is not None)
        ended |= {each.item.child_of(each.index) for each in refused}
    return claimed, ended


def test_running_commands_are_claimed_once(inherit, left):
    inheritance = inherit()

    for index, command in enumerate(left.commands):
        found, refused = inheritance.claim(command, Demand())
        assert (found.item.job_id, found.index, refused) == ("job1", index, [])
        assert inheritance.claim(command, Demand()) == (None, [])


def test_what_finished_meanwhile_is_claimed_too(inherit, batch, left):
    batch.set("job1", SUCCEEDED, children=[SUCCEEDED, SUCCEEDED])

    assert claims(inherit(), left.commands) == ([True] * 4, set())


def test_what_failed_meanwhile_is_left_to_be_submitted_again(
    inherit, batch, store, left, make_outcome
):
    store.report(left.name, 0, make_outcome(0), make_outcome(1, exit_code=1))
    batch.set("job1", Status.PENDING, children=[FAILED, RUNNING])

    assert claims(inherit(), left.commands) == ([True, False, True, True], set())


@pytest.mark.parametrize("told", ["job1", "job1:1"])
def test_what_somebody_told_to_end_is_not_waited_for_as_if_it_could_succeed(
    inherit, batch, left, told
):
    batch.set("job1", Status.PENDING, children=[SUCCEEDED, RUNNING])
    batch.details[told] = replace(batch.details[told], is_ended=True)

    assert claims(inherit(), left.commands) == ([True, True, False, False], {1})


def test_children_are_asked_for_by_name_as_listings_lag_behind(inherit, batch, left, monkeypatch):
    batch.set("job1", Status.PENDING, children=[SUCCEEDED, FAILED])
    monkeypatch.setattr(batch, "children", lambda parent_id, status: [])

    assert claims(inherit(), left.commands) == ([True, True, False, False], set())


def test_a_plain_job_that_failed(inherit, batch, store, make_list, make_outcome):
    commands = make_list(2, 1)
    store.lists[commands.name] = commands
    store.report(commands.name, 0, make_outcome(1))
    batch.set("job1", FAILED, name=commands.name)

    assert claims(inherit(), commands.commands) == ([False, True], set())


def test_an_array_that_failed_before_it_had_children(inherit, batch, left):
    batch.details.clear()
    batch.set("job1", FAILED, name=left.name)

    assert inherit().by_output == {}


def test_a_list_that_was_never_submitted_is_closed_and_told(inherit, batch, store, left):
    batch.details.clear()
    inheritance = inherit()

    assert inheritance.claim(left.commands[0], Demand()) == (None, [])
    assert store.closed == [left.name]
    assert "no job of it in queue cpu" in inheritance.complaints[0]


def test_a_job_that_no_listing_shows_yet_is_waited_for(batch, store, left, monkeypatch):
    asked = []

    def find_new(name, queue, since_s):
        asked.append(since_s)
        return "job1"

    monkeypatch.setattr(batch, "find_all", lambda pattern, queue: {})
    monkeypatch.setattr(batch, "find_new", find_new)

    inheritance = find_inheritance(store, batch, ALL, None, left.submitted_ms + 5000)

    assert asked == [5.0]
    assert inheritance.claim(left.commands[0], Demand())[0] is not None


def test_a_job_describe_forgets_for_a_moment_is_claimed(inherit, batch, store, left, monkeypatch):
    monkeypatch.setattr(batch, "describe", lambda job_ids: {})

    assert inherit().claim(left.commands[0], Demand())[0] is not None
    assert store.closed == []


def test_closed_lists_are_done_with(inherit, store, left):
    store.close(left.name)

    assert inherit().claim(left.commands[0], Demand()) == (None, [])


def test_the_retry_of_a_job_counts_and_not_its_first_try(inherit, batch, store, left):
    again = replace(left, name="run-a-2", submitted_ms=left.submitted_ms + 1)
    store.lists = {again.name: again, left.name: left}
    batch.set("job2", Status.PENDING, children=[RUNNING, RUNNING], name=again.name)

    found, _ = inherit().claim(left.commands[0], Demand())

    assert found.item.job_id == "job2"


def test_a_command_with_other_sources_is_ended_if_it_makes_the_same_file(inherit, left):
    found, refused = inherit().claim(replace(left.commands[3], identity="other"), Demand())

    assert found is None
    assert [(each.item.job_id, each.index) for each in refused] == [("job1", 3)]


def test_a_command_of_the_same_name_that_makes_another_file_is_left_alone(inherit, left):
    other = replace(left.commands[0], identity="other", outputs=("elsewhere",))

    assert inherit().claim(other, Demand()) == (None, [])


@pytest.mark.parametrize(
    ("demand", "running", "done"),
    [
        pytest.param(Demand(), True, True, id="nothing has changed"),
        pytest.param(Demand(forced=True), False, False, id="forced"),
        pytest.param(Demand(inputs_s=99), True, True, id="older inputs"),
        pytest.param(Demand(inputs_s=100), False, False, id="an input of the same second"),
        pytest.param(Demand(inputs_s=200), False, False, id="a newer input"),
        pytest.param(Demand(has_outputs=False), True, False, id="outputs are missing"),
    ],
)
def test_what_is_taken_up_by_why_the_job_is_wanted(inherit, batch, left, demand, running, done):
    batch.set("job1", Status.PENDING, children=[RUNNING, SUCCEEDED])

    claimed, ended = claims(inherit(), left.commands, demand)

    assert claimed == [running, running, done, done]
    # What is done need not be ended, what runs must.
    assert ended == (set() if running else {0})


def test_a_command_that_has_not_begun_will_read_the_newer_input(inherit, store, left):
    store.noted.clear()

    assert claims(inherit(), left.commands, Demand(inputs_s=10**6)) == ([True] * 4, set())


def test_what_the_first_attempt_did_counts_from_the_first(inherit, store, left):
    store.put_attempt(left.name, 0, Attempt(2, 10 * BEGUN_MS))

    claimed, _ = claims(inherit(), left.commands, Demand(inputs_s=500))

    assert claimed == [False] * 4


def test_commands_that_a_running_child_has_done_are_known(inherit, store, left, make_outcome):
    store.report(left.name, 0, make_outcome(0))

    claimed, ended = claims(inherit(), left.commands, Demand(has_outputs=False))

    assert claimed == [False, True, True, True]
    assert ended == set()


def test_lists_that_make_other_files_are_not_ours_and_stay_open(inherit, batch, store, left):
    batch.details.clear()
    inheritance = inherit(frozenset({"elsewhere"}))

    assert inheritance.ours == []
    assert store.closed == []
    assert inheritance.complaints == []


def test_a_list_nobody_can_read_is_told_and_left_alone(inherit, store, left, monkeypatch):
    get_list = store.get_list

    def broken(name):
        if name == "old":
            raise UnreadableListError("schema version 0")
        return get_list(name)

    store.lists["old"] = left
    monkeypatch.setattr(store, "get_list", broken)
    inheritance = inherit()

    (complaint,) = inheritance.complaints
    assert complaint.startswith("old is left alone: schema version 0")
    assert inheritance.claim(left.commands[0], Demand())[0] is not None


def test_commands_of_a_child_that_was_ended_are_not_offered(inherit, left):
    inheritance = inherit()
    (item,) = inheritance.ours

    inheritance.forget_child(item, 0)

    assert claims(inheritance, left.commands) == ([False, False, True, True], set())
