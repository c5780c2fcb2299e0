"""Estimates against bills: ``python benchmarks/bill.py`` writes ``results/bill.md``.

Twenty runs of scans, by arrays and by pilots, on machines and on Fargate, each foretold, and then
run on an account of the emulator's rehearsal, which draws its days, chooses its machines and bills
on its own. Foretold three times: by the table of the package, after learning from six other runs of
the account, and after a measurement (``tomobatch calibrate-fleet``) besides, which finds out what
runs cannot see: how long idle machines stay.
"""

import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fleet.rehearsed import Measured, Rehearsed, prices_of, rehearse, vary
from tests.fleet.scans import plan_of_size

from aws_batch_emulator.rehearsal_world import Day
from tomobatch.aws.runs.measure import measure
from tomobatch.estimate.estimate import Estimate, estimate_run
from tomobatch.estimate.learn import learn
from tomobatch.estimate.planner import Home, device_of
from tomobatch.fleet.bill import Item
from tomobatch.fleet.figures import Figures, offline_figures
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.prices import Prices
from tomobatch.plan import ScanPlan

RESULTS = Path(__file__).parent / "results" / "bill.md"
SEED, N_RUNS, N_LEARNT, N_DRAWS = 20, 20, 6, 60
SIZES = ((900, 1024, 1024), (1800, 2048, 2048), (3600, 2048, 2048), (1200, 512, 2048))
WAYS: tuple[tuple[Home, int, bool], ...] = (
    *(("cpu", 16, True), ("fargate", 16, True), ("cpu", 16, False), ("fargate", 32, True)),
    *(("cpu", 64, True), ("gpu", 8, True), ("fargate", 16, False), ("cpu", 4, False)),
    *(("gpu", 16, False), ("cpu", 4, True)),
)
"""Where, how many children at most, and whether they are pilots, as plans mostly have it."""

ITEMS = {
    "machines": (Item.WORK, Item.START, Item.IDLE, Item.LINGER),
    "volumes": (Item.VOLUMES,),
    "addresses": (Item.ADDRESSES,),
    "requests": (Item.REQUESTS,),
}
"""Items of the rehearsal's bill, and of the estimate's."""

RECLAIMS = (0.0, 1.0, 20.0)
"""Times the account's own rate: none, as they are, and a bad day."""


@dataclass(frozen=True)
class Row:
    """One way to run a scan: what was foretold by each set of figures, and what came."""

    name: str
    estimates: tuple[Estimate, ...]
    came: Rehearsed


def main() -> None:
    """Compare, and write the page."""
    account = Day.draw(random.Random(SEED))  # noqa: S311 - no secrets
    day = random.Random(SEED + 1)  # noqa: S311 - no secrets
    earlier = [
        rehearse(plan_of_size(*size), *way[:2], SEED + i, pilots=way[2], day=vary(account, day))
        for i, (size, way) in enumerate(zip(SIZES * 2, WAYS, strict=False))
    ][:N_LEARNT]
    table = offline_figures()
    learnt = learn(table, [run.seen for run in earlier])
    measured = measure(Measured(vary(account, day), SEED), ("cpu", "gpu", "fargate"), print)
    whole = learn(table, [*(run.seen for run in earlier), measured])
    prices = prices_of(account)
    rows = []
    for number in range(N_RUNS):
        size, (home, most, pilots) = SIZES[number % len(SIZES)], WAYS[number % len(WAYS)]
        reclaims = RECLAIMS[number % len(RECLAIMS)]
        plan = plan_of_size(*size)
        estimates = tuple(
            foretell(plan, figures, prices, home, most, pilots)
            for figures in (table, learnt, whole)
        )
        seed, that_day = 1000 + number, vary(account, day)
        came = rehearse(plan, home, most, seed, pilots=pilots, day=that_day, reclaims=reclaims)
        children = f"{most} pilots" if pilots else f"{most} a step"
        name = f"{size[0]} x {size[1]} x {size[2]}, {home}, {children}, reclaims x {reclaims:g}"
        rows.append(Row(name, estimates, came))
        print(name, [round(each.usd.likely, 3) for each in estimates], round(came.usd, 3))
    RESULTS.write_text(page(rows), encoding="utf-8")


def foretell(
    plan: ScanPlan, figures: Figures, prices: Prices, home: Home, most: int, pilots: bool
) -> Estimate:
    """Return the estimate."""
    fleet = Fleet(
        most_children=most,
        pilots=most if pilots else None,
        tasks=home == "fargate",
        gpu_types=("g4dn.xlarge", "g5.xlarge", "g6.xlarge"),
    )
    queue = device_of(home)
    return estimate_run([plan], prices, fleet, figures, queue=queue, device=queue, n_draws=N_DRAWS)


def page(rows: Sequence[Row]) -> str:
    """Return the page."""
    lines = [
        "# Estimates against bills\n",
        f"`python benchmarks/bill.py`, seed {SEED}. {N_RUNS} runs on an account of the emulator's "
        "rehearsal, which bills as AWS does and shares nothing with the estimate; dollars and "
        f"minutes that came, and the error of what was foretold: by the table, after {N_LEARNT} "
        "other runs, and after `tomobatch calibrate-fleet` besides.\n",
        "| run | came | table | learnt | calibrated | reclaimed |",
        "|---|---|---|---|---|--:|",
    ]
    for row in rows:
        errors = " | ".join(
            f"{relative(each.usd.likely, row.came.usd):+.0%} $, "
            f"{relative(each.elapsed_s.likely / 60, row.came.minutes):+.0%} min"
            for each in row.estimates
        )
        lines.append(
            f"| {row.name} | ${row.came.usd:.2f}, {row.came.minutes:.0f} min | {errors} "
            f"| {row.came.n_reclaimed} |"
        )
    lines += ["", *by_item(rows), "", "| | table | learnt | calibrated |", "|---|--:|--:|--:|"]
    for name, count in summary(rows).items():
        lines.append(f"| {name} | {' | '.join(count)} |")
    return "\n".join(lines) + "\n"


def by_item(rows: Sequence[Row]) -> list[str]:
    """Return the table that tells where the errors come from, as shares of the whole bills."""
    lines = ["| of all dollars | came | table | learnt | calibrated |", "|---|--:|--:|--:|--:|"]
    whole = sum(row.came.usd for row in rows)
    for item, items in ITEMS.items():
        came = sum(row.came.bill[item] for row in rows)
        foretold = [
            sum(row.estimates[n].bill[each].likely for row in rows for each in items)
            for n in range(3)
        ]
        errors = " | ".join(f"{(each - came) / whole:+.1%}" for each in foretold)
        lines.append(f"| {item} | {came / whole:.0%} | {errors} |")
    return lines


def summary(rows: Sequence[Row]) -> dict[str, list[str]]:
    """Return how good each set of figures was, a line of the last table each."""
    told: dict[str, list[str]] = {}
    for number in range(3):
        usd = [relative(row.estimates[number].usd.likely, row.came.usd) for row in rows]
        minutes = [
            relative(row.estimates[number].elapsed_s.likely / 60, row.came.minutes) for row in rows
        ]
        held = [
            row.estimates[number].usd.low <= row.came.usd <= row.estimates[number].usd.high
            for row in rows
        ]
        in_time = [
            row.estimates[number].elapsed_s.low / 60
            <= row.came.minutes
            <= row.estimates[number].elapsed_s.high / 60
            for row in rows
        ]
        for name, value in (
            ("dollars, median error", f"{median(map(abs, usd)):.0%}"),
            ("dollars within 15 %", f"{np.mean(np.abs(usd) <= 0.15):.0%}"),
            ("minutes, median error", f"{median(map(abs, minutes)):.0%}"),
            ("minutes within 25 %", f"{np.mean(np.abs(minutes) <= 0.25):.0%}"),
            ("dollars within the 10 to 90 % range", f"{np.mean(held):.0%}"),
            ("minutes within the 10 to 90 % range", f"{np.mean(in_time):.0%}"),
        ):
            told.setdefault(name, []).append(value)
    return told


def relative(foretold: float, came: float) -> float:
    """Return the relative error."""
    return foretold / came - 1


if __name__ == "__main__":
    main()
