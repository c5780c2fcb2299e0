import dataclasses
import json

import pytest

from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    Command,
    CommandList,
    Outcome,
    UnreadableListError,
    checksum,
)


@pytest.fixture
def command_list():
    return CommandList(
        name="run-a-1",
        run="run",
        rule="a",
        queue="cpu",
        submitted_ms=5,
        n_children=2,
        vcpus=4,
        command_timeout_s=None,
        versions={"snakemake": "9.27.1"},
        environment={"LANG": "C"},
        sources="abc",
        arguments=("--snakefile", "Snakefile"),
        commands=(
            Command(("a:i=0",), ("--target-jobs", "a:i=0"), "x", ("0123", "4567")),
            Command(("a:i=ü b",), ("--target-jobs", "a:i=ü b"), "y"),
        ),
    )


ATTEMPT = Attempt(1, 5, "i-1", "c6i.large", "eu-central-1a", "spot")


def outcome(command, exit_code, attempt=1):
    return Outcome(command, exit_code, "", attempt, 1, 2, 30, "c6i.large", "eu-central-1a", "spot")


def test_a_list_survives_the_journey(command_list):
    assert CommandList.from_bytes(command_list.to_bytes()) == command_list


def test_shared_arguments_are_written_once(command_list):
    many = dataclasses.replace(command_list, commands=command_list.commands * 100)

    assert many.to_bytes().count(b"Snakefile") == 1


def test_any_change_changes_the_checksum(command_list):
    other = dataclasses.replace(command_list, n_children=1)

    assert checksum(other.to_bytes()) != checksum(command_list.to_bytes())


def test_a_list_of_another_schema_is_refused(command_list):
    document = json.loads(command_list.to_bytes()) | {"version": 99}

    with pytest.raises(UnreadableListError, match="schema version 99"):
        CommandList.from_bytes(json.dumps(document).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"version": 2, "commands": [[1]]}'])
def test_what_is_no_list_is_refused(body):
    with pytest.raises(UnreadableListError):
        CommandList.from_bytes(body)


@pytest.mark.parametrize(
    "attempt",
    [
        ATTEMPT,
        Attempt(2, 7),
        dataclasses.replace(ATTEMPT, launched_ms=3),
        dataclasses.replace(ATTEMPT, launched_ms=3, stopped_ms=9),
        dataclasses.replace(ATTEMPT, stopped_ms=9),
        dataclasses.replace(ATTEMPT, stopped_ms=9, finished=True),
    ],
)
def test_an_attempt_survives_the_journey_in_a_name(attempt):
    assert Attempt.from_key(attempt.to_key()) == attempt


@pytest.mark.parametrize(
    ("name", "attempt"),
    [
        ("1_5_i-1_c6i.large_eu-central-1a_spot", ATTEMPT),
        ("1_5_i-1_c6i.large_eu-central-1a_spot_9_0", dataclasses.replace(ATTEMPT, stopped_ms=9)),
        ("2_7____", Attempt(2, 7)),
    ],
)
def test_a_name_that_0_1_0_gave_is_read(name, attempt):
    assert Attempt.from_key(name) == attempt


def test_outcomes_survive_the_journey():
    outcomes = ChildOutcomes(3, {7: outcome(7, 0), 8: outcome(8, 1)})

    assert ChildOutcomes.from_bytes(outcomes.to_bytes()) == outcomes


@pytest.mark.parametrize(("exit_code", "done"), [(0, True), (1, False), (137, False)])
def test_only_success_is_done(exit_code, done):
    assert ChildOutcomes(0, {4: outcome(4, exit_code)}).succeeded(4) is done


def test_a_command_without_outcome_is_not_done():
    assert not ChildOutcomes(0).succeeded(4)
