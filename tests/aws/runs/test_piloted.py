"""Lists that pilots run: how far they are, who ran what, what it cost, how they are asked for."""

import io
from dataclasses import replace
from types import SimpleNamespace

import pytest
from rich.console import Console

from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    Command,
    CommandList,
    Outcome,
)
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from tomobatch.aws.pricing.uses import read_uses
from tomobatch.aws.runs.launch import snakemake_arguments
from tomobatch.aws.runs.logs import find_sources
from tomobatch.aws.runs.observe import Observer
from tomobatch.aws.runs.record import RunRecord
from tomobatch.aws.runs.state import Phase, Pilots, RunState, count_pilots, count_steps
from tomobatch.aws.runs.submitted import State, Submitted
from tomobatch.cli.shared.status_view import show_run

ARRAY = JobDetail(
    "job", "run-pilots-1", Status.PENDING, children={Status.RUNNING: 2, Status.STARTING: 1}
)
OVER = replace(ARRAY, status=Status.FAILED, children={Status.FAILED: 3})


def command_list(rule="process", n_commands=6, submitted_ms=2, pilots="run-pilots-1"):
    name = pilots if rule == "pilots" else f"run-{rule}-1"
    commands = tuple(Command((f"{rule}:scan=demo,k={k}",), (), str(k)) for k in range(n_commands))
    return CommandList(
        name, "run", rule, "cpu", submitted_ms, 3, 2, None, {}, {}, "", (), commands, pilots
    )


def outcome(command, exit_code=0, attempt=1):
    return Outcome(command, exit_code, "", attempt, 100, 200, 1)


OUTCOMES = {
    0: ChildOutcomes(0, {0: outcome(0), 1: outcome(1, exit_code=1)}),
    1: ChildOutcomes(1),
    2: ChildOutcomes(2, {2: outcome(2)}),
}


class Reader:
    """Outcomes of one list."""

    def __init__(self):
        self.n_reads = 0

    def outcomes(self, name, children):
        self.n_reads += 1
        return {child: OUTCOMES[child] for child in children} if "process" in name else {}


@pytest.fixture
def observer():
    observer = Observer(SimpleNamespace(), "run")
    observer.__dict__["reader"] = Reader()
    return observer


def piloted(observer, detail=ARRAY, closed=False):
    return observer._piloted(command_list(), detail, closed=closed, is_new=False)


def test_outcomes_tell_how_far_a_list_is(observer):
    assert piloted(observer).count() == {
        State.DONE: 2,
        State.FAILED: 1,
        State.RUNNING: 2,
        State.STARTING: 1,
        State.QUEUED: 0,
    }


@pytest.mark.parametrize(("is_ended", "state"), [(True, State.CANCELLED), (False, State.FAILED)])
def test_what_pilots_that_are_over_did_not_come_to(observer, is_ended, state):
    counts = piloted(observer, replace(OVER, is_ended=is_ended)).count()

    assert counts[State.DONE] == 2
    assert counts[state] == (3 if is_ended else 4)


def test_a_closed_list_is_read_once(observer):
    for _ in range(3):
        piloted(observer, closed=True)

    assert observer.reader.n_reads == 1


def test_the_array_of_pilots_is_no_step(observer):
    own = Submitted(command_list("pilots", 0, 1), ARRAY)
    (step,) = count_steps([own, piloted(observer)], {"process": 6})

    assert (step.rule, step.total, step.done, step.failed) == ("process", 6, 2, 1)


def test_pilots_that_lost_their_machine_are_told_beside_the_steps():
    lost = [
        Attempt(1, 50, "i-1", "c6a.xlarge", "a", "spot", 10, 350),
        Attempt(2, 400, "i-3", "c6a.xlarge", "a", "spot", 10),
    ]
    own = Submitted(command_list("pilots", 0, 1), ARRAY, attempts={1: lost})
    pilots = count_pilots([own])

    assert pilots == Pilots(total=3, queued=0, starting=1, running=2, reclaimed=1)
    state = RunState("run", Phase.RUNNING, (), 2, "none", 0, 1000, pilots=pilots)
    text = Console(file=io.StringIO(), width=120)
    text.print(show_run(state))
    shown = text.file.getvalue()
    assert "3 pilots (1 starting, 2 running, 1 reclaimed)" in shown
    assert state.to_dict()["pilots"]["reclaimed"] == 1
    assert count_pilots([Submitted(command_list(), ARRAY)]) is None
    over = count_pilots([Submitted(command_list("pilots", 0, 1), OVER)])
    assert over == Pilots(total=3, queued=0, starting=0, running=0, reclaimed=0)


def test_a_log_is_that_of_the_pilot_that_ran_the_command(observer):
    look = SimpleNamespace(submitted=[piloted(observer)], head=None)
    found = find_sources(look, None, None, failed=False)

    assert [each.job_id for each in found][:3] == ["job:0", "job:0", "job:2"]
    assert found[2].shared == ("run-process-1", 2, 2)
    failed = find_sources(look, None, None, failed=True)
    assert [each.shared for each in failed] == [("run-process-1", 0, 1)]


def test_pilots_are_paid_for_as_a_whole_and_what_they_did_is_not_lost(observer):
    attempts = {
        0: [Attempt(1, 50, "i-1", "c6a.xlarge", "a", "spot", 10, 450, finished=True)],
        2: [
            Attempt(1, 50, "i-2", "c6a.xlarge", "a", "spot", 10, 350),
            Attempt(2, 400, "i-3", "c6a.xlarge", "a", "spot", 10, 450, finished=True),
        ],
    }
    own = Submitted(command_list("pilots", 0, 1), ARRAY, attempts=attempts)
    look = SimpleNamespace(submitted=[own, piloted(observer)], state=SimpleNamespace(now_ms=500))
    uses = read_uses(look, observer.reader)

    assert [(use.step, use.stop_ms - use.start_ms) for use in uses] == [
        ("pilots", 400),
        ("pilots", 300),
        ("pilots", 50),
    ]
    # Of the first pilot the command that failed, of the second all but the one that it did.
    assert [use.lost_ms for use in uses] == [100, 200, 0]


def test_a_run_asks_for_its_pilots_whenever_it_goes_on():
    record = RunRecord("run", "s3://b/runs/run", {}, {}, "profiles/aws", "ada", 1, pilots=16)
    again = RunRecord.from_bytes(record.to_bytes())

    arguments = snakemake_arguments(again, "sheet.tsv")
    at = arguments.index("--aws-batch-array-pilots")
    assert arguments[at + 1] == "16"
    without = snakemake_arguments(replace(record, pilots=None), "sheet.tsv")
    assert "--aws-batch-array-pilots" not in without
