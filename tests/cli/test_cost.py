"""``cost`` of a run whose workers' records lie on S3: a reclaim in it, to the cent."""

import json
from dataclasses import replace

import pytest
from tests.cli.calling import tomobatch
from tests.cli.conftest import set_environment
from tests.cli.submitting import command_list, submit
from tests.waiting import wait_for

from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    Command,
    CommandList,
    Outcome,
)
from snakemake_executor_plugin_aws_batch_array.status import Status
from tomobatch.aws.pricing.cost import Use, cost_of
from tomobatch.aws.pricing.show import cost_section
from tomobatch.aws.runs.place import find_place
from tomobatch.errors import UserError
from tomobatch.fleet.bill import Item
from tomobatch.fleet.figures import offline_figures
from tomobatch.fleet.prices import offline_prices

HOUR_MS = 3_600_000
START_MS = 1_795_000_000_000
FIGURES = offline_figures()
GPU_BOOT_H = sum(FIGURES[n].likely for n in ("boot_s", "place_s", "pull_s", "gpu_boot_s")) / 3600
LINGER_H = FIGURES["linger_s"].likely / 3600
WHERE = ("g6.xlarge", "eu-central-1a", "spot")


def open_place(emulator, monkeypatch):
    set_environment(monkeypatch, emulator)
    return find_place()


def _states_none(*_):
    raise UserError("AWS states no spot prices of these machines.")


@pytest.fixture
def stored(emulator, monkeypatch):
    """Return a function that stores a run of one list, with the attempts of its children."""
    place = open_place(emulator, monkeypatch)

    def store(case, children):
        run = case.replace(" ", "-")
        commands = command_list("process", 2, run=run, submitted_ms=START_MS)
        place.store(run).put_list(commands)
        for child, attempts in children.items():
            for attempt in attempts:
                started = replace(attempt, stopped_ms=None, finished=False)
                place.store(run).put_attempt(commands.name, child, started)
                if attempt.stopped_ms is not None:
                    place.store(run).put_attempt(commands.name, child, attempt)

    return store


@pytest.fixture
def run(emulator, monkeypatch):
    """A run of one list: two hours of work, after half an hour that a reclaim cut off."""
    store = open_place(emulator, monkeypatch).store("tooth")
    command = Command(("reconstruct:k=0",), (), "x")
    store.put_list(
        CommandList(
            "tooth-r",
            "tooth",
            "reconstruct",
            "gpu",
            START_MS,
            1,
            4,
            None,
            {},
            {},
            "",
            (),
            (command,),
        )
    )
    begin_ms = START_MS + HOUR_MS
    first, second = Attempt(1, START_MS, "i-1", *WHERE), Attempt(2, begin_ms, "i-2", *WHERE)
    first_end = replace(first, stopped_ms=START_MS + HOUR_MS // 2)
    second_end = replace(second, stopped_ms=begin_ms + 2 * HOUR_MS, finished=True)
    for attempt in (first, first_end, second, second_end):
        store.put_attempt("tooth-r", 0, attempt)
    outcome = Outcome(0, 0, "", 2, begin_ms, begin_ms + 2 * HOUR_MS, 1, *WHERE)
    store.put_outcomes("tooth-r", ChildOutcomes(0, {0: outcome}))
    store.close("tooth-r")
    return "tooth"


def test_the_cost_of_a_run_with_a_reclaim(run):
    said = tomobatch("cost", run, "--offline", "--json")
    assert said.code == 0, said.err
    report = json.loads(said.out)
    hourly = 0.8048 * 0.475  # on-demand price and middle spot share of the table
    assert report["run"] == run
    assert report["bill"][Item.WORK] == pytest.approx(2.5 * hourly, abs=1e-9)
    assert report["lost_usd"] == pytest.approx(0.5 * hourly, abs=1e-9)
    # Nobody saw the start of either machine, nor the end of that which was not taken back.
    assert report["bill"][Item.START] == pytest.approx(2 * GPU_BOOT_H * hourly)
    assert report["bill"][Item.LINGER] == pytest.approx(LINGER_H * hourly)
    billed_h = 2.5 + 2 * GPU_BOOT_H + LINGER_H
    assert report["billed_h"] == pytest.approx(billed_h)
    assert report["bill"][Item.ADDRESSES] == pytest.approx(0.005 * billed_h)
    assert report["usd"] == pytest.approx(sum(report["bill"].values()))
    assert report["foretold"] is None
    (line,) = report["lines"]
    assert (line["step"], line["n_attempts"], line["n_reclaimed"]) == ("reconstruct", 2, 1)


def test_the_table_says_what_the_figures_are(run):
    out = tomobatch("cost", run, "--offline").out
    assert "$0.96" in out
    assert "22% came to nothing" in out
    for item in Item:
        assert item is Item.WORK or item.value in out
    assert "Not seen, and taken to be as it mostly is: how machines started" in out
    assert "how long machines linger before AWS Batch ends them, $0.0270" in out
    assert "offline table of 2026-11-23, us-east-1" in out


def test_live_prices_are_those_of_the_region(run):
    report = json.loads(tomobatch("cost", run, "--json").out)
    assert report["prices"].startswith("spot prices of ")
    assert "from AWS" in report["prices"]
    assert report["usd"] > 0


MINUTE_MS = 60_000
SPOT = ("c6i.large", "eu-central-1a", "spot")
ON_DEMAND = ("c7a.2xlarge", "eu-central-1b", "on-demand")


def begun(number, start_ms, machine, where=SPOT):
    return Attempt(number, START_MS + start_ms, machine, *where)


def ended(attempt, stop_ms, *, finished=True):
    return replace(attempt, stopped_ms=START_MS + stop_ms, finished=finished)


ALONE = begun(1, 0, "i-1")
AN_HOUR_LATER = begun(2, HOUR_MS, "i-2")
CASES = {
    "one attempt": {0: [ended(ALONE, 95_123)]},
    "a reclaim without a word and an hour of waiting": {
        0: [ALONE, ended(AN_HOUR_LATER, HOUR_MS + MINUTE_MS)]
    },
    "a reclaim that was told and an hour of waiting": {
        0: [ended(ALONE, 30_000, finished=False), ended(AN_HOUR_LATER, HOUR_MS + MINUTE_MS)]
    },
    "a machine that went twice, with another child beside it": {
        0: [ALONE, AN_HOUR_LATER, ended(begun(3, 3 * HOUR_MS, "i-3", ON_DEMAND), 4 * HOUR_MS)],
        1: [ended(begun(1, 777, "i-1"), 10 * MINUTE_MS)],
    },
    "idle between two children of one machine": {
        0: [ended(ALONE, 5 * MINUTE_MS)],
        1: [ended(begun(1, 20 * MINUTE_MS, "i-1"), 25 * MINUTE_MS)],
    },
    "gone for good": {0: [ALONE], 1: [ended(begun(1, 0, "i-9", ON_DEMAND), 7 * MINUTE_MS)]},
    "an unknown machine": {0: [ended(begun(1, 0, "", ("", "", "")), HOUR_MS)]},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("offline", [True, False])
def test_status_and_cost_tell_the_same_amount(emulator, stored, case, offline, monkeypatch):
    if offline:
        monkeypatch.setattr("tomobatch.aws.pricing.live.live_prices", _states_none)
    stored(case, CASES[case])

    cost = json.loads(tomobatch("cost", case.replace(" ", "-"), "--json").out)
    status = json.loads(tomobatch("status", case.replace(" ", "-"), "--json").out)

    assert status["cost_usd"] == cost["usd"]
    assert status["prices"] == cost["prices"]
    assert status["bill"] == cost["bill"]
    assert (cost["bill"][Item.WORK] > 0) == (case != "an unknown machine")


def test_an_attempt_that_runs_costs_the_same_by_either_command(emulator, monkeypatch):
    place = open_place(emulator, monkeypatch)
    commands = command_list("process", 2, run="live")
    job_id = submit(place, commands)
    try:
        started = Attempt(1, commands.submitted_ms - HOUR_MS, "i-1", *SPOT)
        place.store("live").put_attempt(commands.name, 1, started)
        wait_for(lambda: place.batch.children(job_id, Status.RUNNING) == [0, 1])
        cost = json.loads(tomobatch("cost", "live", "--json").out)["lines"]
        status = json.loads(tomobatch("status", "live", "--json").out)
        (hours,) = (line["machine_h"] for line in cost)
        assert hours == pytest.approx(1, rel=0.01)
        assert status["bill"][Item.WORK] == pytest.approx(cost[0]["usd"], rel=0.01)
    finally:
        place.batch.terminate(job_id, "end of the test")


def test_a_run_that_is_not_known(run):
    said = tomobatch("cost", "tooht", "--offline")
    assert said.code == 1
    assert "there is no run 'tooht'; did you mean tooth?" in said.err


def test_the_section_of_the_report_escapes_what_it_is_told():
    use = Use("a<b", "i-1", "g6.xlarge", "a", "spot", 4, 0, HOUR_MS, 0, False)
    section = cost_section(cost_of([use], offline_prices()))
    assert section.startswith("<h2>Cost</h2><table>")
    assert "a&lt;b" in section
    assert "$0.38" in section
