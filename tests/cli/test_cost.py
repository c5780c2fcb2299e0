"""``cost`` of a run whose workers' records lie on S3: a reclaim in it, to the cent."""

import json

import pytest
from tests.cli.calling import tomobatch

from aws_batch_emulator.client import start
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    Command,
    CommandList,
    Outcome,
)
from snakemake_executor_plugin_aws_batch_array.store import RunStore, S3Path
from tomobatch.aws.pricing import offline_prices
from tomobatch.aws.pricing.cost import Use, cost_of
from tomobatch.aws.pricing.show import cost_section

HOUR_MS = 3_600_000
START_MS = 1_795_000_000_000
WHERE = ("g6.xlarge", "eu-central-1a", "spot")


@pytest.fixture(scope="module")
def emulator():
    with start(children="instant") as emulator:
        yield emulator


@pytest.fixture
def run(emulator, monkeypatch):
    """A run of one list: two hours of work, after half an hour that a reclaim cut off."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TOMOBATCH_BUCKET", raising=False)
    monkeypatch.setenv("TOMOBATCH_STACK", "tomobatch")
    s3 = make_client("s3")
    bucket = s3.list_buckets()["Buckets"][0]["Name"]
    store = RunStore(s3, S3Path(bucket, "scratch/tooth"))
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
            (),
            (),
            (command,),
        )
    )
    first = Attempt(1, START_MS, START_MS + HOUR_MS // 2, False, "i-1", *WHERE)
    begin_ms = START_MS + HOUR_MS
    second = Attempt(2, begin_ms, begin_ms + 2 * HOUR_MS, True, "i-2", *WHERE)
    for attempt in (first, second):
        store.put_start("tooth-r", 0, attempt)
    outcome = Outcome(0, 0, "", 2, begin_ms, begin_ms + 2 * HOUR_MS, 1, *WHERE)
    store.put_outcomes("tooth-r", ChildOutcomes(0, [first, second], {0: outcome}))
    store.close("tooth-r")
    return "tooth"


def test_the_cost_of_a_run_with_a_reclaim(run):
    said = tomobatch("cost", run, "--offline", "--json")
    assert said.code == 0, said.err
    report = json.loads(said.out)
    hourly = 0.8048 * 0.475  # on-demand price and middle spot share of the table
    assert report["run"] == run
    assert report["usd"] == pytest.approx(2.5 * hourly, abs=1e-9)
    assert report["lost_usd"] == pytest.approx(0.5 * hourly, abs=1e-9)
    assert report["wasted_share"] == pytest.approx(0.2)
    (line,) = report["lines"]
    assert (line["step"], line["n_attempts"], line["n_reclaimed"]) == ("reconstruct", 2, 1)


def test_the_table_says_what_the_figures_are(run):
    out = tomobatch("cost", run, "--offline").out
    assert "$0.96" in out
    assert "20% came to nothing" in out
    assert "offline table of 2026-11-23, us-east-1" in out


def test_live_prices_are_those_of_the_region(run):
    report = json.loads(tomobatch("cost", run, "--json").out)
    assert report["prices"].startswith("spot prices of ")
    assert "from AWS" in report["prices"]
    assert report["usd"] > 0


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
