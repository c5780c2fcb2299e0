"""What a run saw of AWS, worked out of attempts whose times are known."""

import json
from dataclasses import replace

import pytest

from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    Command,
    CommandList,
    Outcome,
)
from tomobatch.aws.runs.foretold import Foretold, ForetoldStep
from tomobatch.aws.runs.observe import Look
from tomobatch.aws.runs.record import RunRecord
from tomobatch.aws.runs.seen import Seen, SeenStep, see
from tomobatch.aws.runs.state import Phase, RunState
from tomobatch.aws.runs.submitted import Submitted

CPU, GPU = ("c6i.xlarge", "us-east-1a", "spot"), ("g6.xlarge", "us-east-1a", "spot")
FORETOLD = Foretold((1, 2, 3), (4, 5, 6), 7, 8, 9, {"a": ForetoldStep(10.0, 500.0)})


def attempt(machine, launched_s, start_s, stop_s, where=CPU, number=1):
    times = (1000 * start_s, 1000 * launched_s, None if stop_s is None else 1000 * stop_s)
    return Attempt(number, times[0], machine, *where, times[1], times[2], stop_s is not None)


def submitted(rule, submitted_s, *children):
    commands = tuple(Command((f"{rule}:i={i}",), (), str(i)) for i, _ in enumerate(children))
    each = CommandList(
        *(f"run-{rule}", "run", rule, "cpu", 1000 * submitted_s),
        *(len(children), 4, None, {}, {}, "", (), commands),
    )
    return Submitted(each, None, attempts=dict(enumerate(children)))


class Reader:
    """Every job of ``a`` took 30 and 50 seconds by turns, and one failed."""

    def outcomes(self, name, children):
        times_s = {child: 30 if child % 2 else 50 for child in children}
        return {
            child: ChildOutcomes(
                child,
                {
                    0: Outcome(0, 0, "", 1, 0, 1000 * seconds, 1),
                    1: Outcome(1, 1, "", 1, 0, 999_000, 1),
                },
            )
            for child, seconds in times_s.items()
        }


def seen_of(*lists, foretold=None):
    state = RunState("run", Phase.FINISHED, (), 0, "", None, 0)
    record = RunRecord("run", "s3://b/runs/run", {}, {}, "p", "u", 0, foretold=foretold)
    return see(Look("run", record, lists, None, state), Reader())


def test_times_of_machines_and_between_lists():
    seen = seen_of(
        submitted("a", 0, [attempt("i-1", 60, 130, 200)], [attempt("i-2", 70, 150, 190)]),
        submitted("b", 207, [attempt("i-1", 60, 220, 300)]),
        submitted("c", 310, [attempt("i-9", 350, 500, 600, GPU)]),
    )

    assert seen.asked_s == (65, 40)
    assert seen.boot_s == (70, 80)
    assert seen.gpu_boot_s == (150,)
    assert seen.warm_s == (13,)
    assert seen.notice_s == (7, 10)
    assert seen.kept_idle_s == 7
    assert seen.steps == {}


def test_what_is_not_of_the_run_s_own_asking_is_left_out():
    """A machine of an earlier run, one that a retry got, and one that tells no launch."""
    seen = seen_of(
        submitted(
            *("a", 100),
            [attempt("i-1", 50, 130, 200)],
            [attempt("i-2", 120, 140, None), attempt("i-3", 400, 500, 600, number=2)],
            [attempt("i-4", 0, 150, 160)],
        ),
        submitted("b", 150, [attempt("i-1", 50, 220, 300)]),
    )

    assert (seen.asked_s, seen.boot_s) == ((20,), (20,))
    # The machine was still at work when this was submitted, and so was the list before.
    assert (seen.warm_s, seen.notice_s) == ((), ())


def test_steps_are_told_beside_what_was_foretold_of_them():
    children = [[attempt("i-1", 1, 2, 3)] for _ in range(4)]
    seen = seen_of(submitted("a", 0, *children), submitted("z", 9, children[0]), foretold=FORETOLD)

    assert seen.steps == {"a": SeenStep(4, 40.0, 10.0, 500.0)}


def test_steps_that_pilots_ran_teach_as_much():
    """Their lists have no attempts of their own, and the array of pilots no jobs."""
    pilots = submitted("pilots", 0, [attempt("i-1", 40, 90, 500)], [attempt("i-2", 50, 95, 500)])
    pilots = replace(pilots, commands=replace(pilots.commands, pilots=pilots.commands.name))
    of_a = submitted("a", 0, [], [])
    of_a = Submitted(replace(of_a.commands, pilots=pilots.commands.name), None)
    seen = seen_of(pilots, of_a, foretold=FORETOLD)

    assert seen.steps == {"a": SeenStep(2, 40.0, 10.0, 500.0)}
    assert (seen.asked_s, seen.boot_s) == ((45,), (50, 45))
    assert (seen.warm_s, seen.notice_s) == ((), ())


def test_it_survives_the_journey():
    steps = {"a": SeenStep(1, 2.0, 3.0, 4.0)}
    seen = Seen((1.0,), (2.0, 3.0), (), (4.5,), (), (7.0,), (8.0,), 6.0, 9.0, steps, on_tasks=True)

    assert Seen.from_bytes(seen.to_bytes()) == seen
    of_machines = Seen((1.0,), steps=steps)
    first = json.loads(of_machines.to_bytes())
    for name in ("task_start_s", "task_pull_s", "gone_idle_s", "on_tasks"):
        del first[name]
    assert Seen.from_bytes(json.dumps(first).encode()) == of_machines


def test_tasks_tell_when_they_fetch_their_image_and_begin():
    task = attempt("t-1", 30, 44, 100, ("fargate.4vcpu-8gb", "us-east-1a", "spot"))
    seen = seen_of(submitted("a", 0, [task]), foretold=FORETOLD)

    assert (seen.task_start_s, seen.task_pull_s) == ((30,), (14,))
    assert seen.on_tasks
    assert (seen.asked_s, seen.boot_s, seen.warm_s) == ((), (), ())
    assert "a" in seen.steps


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", json.dumps({"asked_s": ["x"]}).encode()])
def test_something_else_is_refused(body):
    with pytest.raises((ValueError, TypeError, KeyError)):
        Seen.from_bytes(body)


def test_what_was_foretold_survives_the_journey_in_the_record():
    record = RunRecord("run", "s3://b/runs/run", {}, {}, "p", "u", 0, foretold=FORETOLD)

    assert RunRecord.from_bytes(record.to_bytes()) == record
