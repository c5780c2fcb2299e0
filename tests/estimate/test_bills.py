"""Estimates against the bills of an account that they know nothing of: a sample of the benchmark.

``benchmarks/bill.py`` has twenty runs of it, with and without learning.
"""

import random
from statistics import median

import pytest
from benchmarks.bill import foretell
from tests.fleet.rehearsed import Measured, prices_of, rehearse, vary
from tests.fleet.scans import plan_of_size

from aws_batch_emulator.rehearsal_world import Day
from tomobatch.aws.runs.measure import measure
from tomobatch.estimate.learn import learn
from tomobatch.fleet.figures import offline_figures

SEED = 20
RUNS = [
    ((900, 1024, 1024), "cpu", 16, True, 0.0),
    ((1800, 2048, 2048), "fargate", 16, True, 1.0),
    ((1800, 2048, 2048), "cpu", 16, False, 1.0),
    ((1200, 512, 2048), "gpu", 8, True, 20.0),
    ((1800, 2048, 2048), "cpu", 4, False, 20.0),
]


@pytest.fixture(scope="module")
def errors():
    """Relative errors of dollars and minutes: by the table, and after runs and a measurement."""
    account, rng = Day.draw(random.Random(SEED)), random.Random(SEED + 1)  # noqa: S311
    ways = [("cpu", 4, False), ("cpu", 16, True), ("gpu", 16, True), ("fargate", 16, True)]
    earlier = [
        rehearse(
            plan_of_size(900, 1024, 1024), home, most, i, pilots=pilots, day=vary(account, rng)
        )
        for i, (home, most, pilots) in enumerate(ways)
    ]
    measured = measure(Measured(vary(account, rng), 1), ("cpu", "gpu", "fargate"), str)
    known = learn(offline_figures(), [*(run.seen for run in earlier), measured])
    prices = prices_of(account)
    found = {"table": [], "known": []}
    for seed, (size, home, most, pilots, reclaims) in enumerate(RUNS, start=1000):
        plan, day = plan_of_size(*size), vary(account, rng)
        came = rehearse(plan, home, most, seed, pilots=pilots, day=day, reclaims=reclaims)
        for name, figures in (("table", offline_figures()), ("known", known)):
            estimate = foretell(plan, figures, prices, home, most, pilots)
            minutes = estimate.elapsed_s.likely / 60
            found[name].append((estimate.usd.likely / came.usd - 1, minutes / came.minutes - 1))
    return found


def test_by_what_is_known_of_the_account_a_bill_is_foretold(errors):
    usd, minutes = zip(*errors["known"], strict=True)

    assert median(map(abs, usd)) < 0.15
    assert max(map(abs, minutes)) < 0.25


def test_without_it_the_error_is_no_order_of_magnitude(errors):
    usd, minutes = zip(*errors["table"], strict=True)

    assert max(map(abs, usd)) < 0.5
    assert max(map(abs, minutes)) < 0.5
