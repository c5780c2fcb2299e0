"""When attempts ended and what of them was lost: finished, cut off, and gone without a word."""

import pytest

from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    Command,
    CommandList,
    Outcome,
)
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from tomobatch.aws.pricing.uses import uses_of
from tomobatch.aws.runs.submitted import Submitted

WHERE = ("c6i.large", "us-east-1a", "spot")
NOW_MS = 5000
LAUNCHED_MS = 40


def attempt(number, start_ms, stop_ms=None, finished=False, machine="i-1"):
    return Attempt(number, start_ms, machine, *WHERE, LAUNCHED_MS, stop_ms, finished)


def outcome(command, attempt, start_ms, stop_ms, exit_code=0):
    return Outcome(command, exit_code, "", attempt, start_ms, stop_ms, 1, *WHERE)


def uses(attempts, outcomes=(), running=(), status=Status.RUNNING):
    commands = tuple(Command((f"a:i={i}",), (), str(i)) for i in range(4))
    submitted = Submitted(
        CommandList("run-a-1", "run", "a", "cpu", 1, 2, 2, None, {}, {}, "", (), commands),
        JobDetail("id", "run-a-1", status),
        attempts=attempts,
        running=frozenset(running),
    )
    by_child = {child: ChildOutcomes(child) for child in attempts}
    for each in outcomes:
        by_child[each.command // 2].by_command[each.command] = each
    return list(uses_of(submitted, NOW_MS, by_child))


def test_an_attempt_that_came_to_its_end():
    (use,) = uses({0: [attempt(1, 100, 900, finished=True)]}, [outcome(0, 1, 150, 900)])

    assert (use.step, use.instance_id, use.instance_type, use.vcpus) == ("a", "i-1", "c6i.large", 2)
    assert use.launched_ms == LAUNCHED_MS
    assert (use.start_ms, use.stop_ms, use.lost_ms, use.reclaimed) == (100, 900, 0, False)


def test_a_command_that_failed_is_lost():
    (use,) = uses(
        {0: [attempt(1, 100, 900, finished=True)]},
        [outcome(0, 1, 150, 400), outcome(1, 1, 400, 900, exit_code=1)],
    )

    assert (use.lost_ms, use.reclaimed) == (500, False)


def test_of_a_reclaimed_attempt_what_it_finished_is_not_lost():
    first, second = uses(
        {0: [attempt(1, 100, 700), attempt(2, 2000, 2500, True, "i-2")]},
        [outcome(0, 1, 150, 450), outcome(1, 2, 2050, 2500)],
    )

    assert (first.stop_ms, first.lost_ms, first.reclaimed) == (700, 300, True)
    assert (second.instance_id, second.lost_ms, second.reclaimed) == ("i-2", 0, False)


@pytest.mark.parametrize(("next_ms", "stop_ms"), [(300, 300), (90_000, 600)])
def test_an_attempt_gone_without_a_word_ended_before_the_next(next_ms, stop_ms):
    first, _ = uses(
        {0: [attempt(1, 100), attempt(2, next_ms, next_ms + 500, True)]},
        [outcome(0, 2, next_ms, next_ms + 500)],
    )

    assert (first.stop_ms, first.lost_ms, first.reclaimed) == (stop_ms, stop_ms - 100, True)


def test_attempts_that_lost_their_machine_before_they_could_tell_are_counted():
    found = uses({0: [attempt(2, 100, 900, True)], 1: [attempt(1, 100), attempt(4, 700)]})

    assert [use.n_before for use in found] == [1, 0, 2]


def test_only_attempts_that_came_to_their_end_tell_how_long_one_takes():
    by_child = uses(
        {
            0: [attempt(1, 100), attempt(2, 90_000, 90_300, True)],
            1: [attempt(1, 100, 60_000), attempt(2, 90_000, 90_400, True)],
        }
    )

    assert by_child[0].stop_ms == 100 + 400
    assert by_child[2].stop_ms == 60_000


def test_an_attempt_does_not_end_before_it_began():
    """Clocks of two machines differ: the next one started, by its own, before the first."""
    first, _ = uses({0: [attempt(1, 500), attempt(2, 400, 900, True)]})

    assert (first.start_ms, first.stop_ms) == (500, 500)


def test_more_can_not_be_kept_than_there_was():
    first, _ = uses(
        {0: [attempt(1, 100, 700), attempt(2, 2000, 2500, True)]}, [outcome(0, 1, 50, 900)]
    )

    assert first.lost_ms == 0


def test_an_attempt_that_runs_counts_until_now():
    (use,) = uses({1: [attempt(1, 100)]}, [outcome(2, 1, 200, 700, exit_code=1)], running={1})

    assert (use.stop_ms, use.lost_ms, use.reclaimed) == (NOW_MS, 500, False)


def test_between_a_reclaim_and_the_next_machine_nothing_counts():
    lost, other = uses({0: [attempt(1, 100)], 1: [attempt(1, 100, 400, finished=True)]})

    assert (lost.stop_ms, lost.lost_ms) == (400, 300)
    assert other.stop_ms == 400


def test_an_attempt_of_which_nothing_more_was_heard_and_nothing_is_known_costs_its_start():
    (use,) = uses({0: [attempt(1, 100)]}, status=Status.FAILED)

    assert (use.stop_ms, use.lost_ms) == (100, 0)


def test_without_outcomes_the_times_are_the_same():
    attempts = {0: [attempt(1, 100), attempt(2, 900, 1500, True)], 1: [attempt(1, 100)]}
    submitted = Submitted(
        CommandList("run-a-1", "run", "a", "cpu", 1, 2, 2, None, {}, {}, "", (), ()),
        None,
        attempts=attempts,
        running=frozenset({1}),
    )

    so_far = [(use.start_ms, use.stop_ms) for use in uses_of(submitted, NOW_MS)]

    with_outcomes = uses(attempts, [outcome(0, 2, 950, 1500)], running={1})
    assert so_far == [(use.start_ms, use.stop_ms) for use in with_outcomes]
