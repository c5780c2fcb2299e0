"""Ways to run a scan: ``python benchmarks/front.py`` writes ``results/front.md`` and their plot.

The tables and the picture of docs/explanation/what-a-run-costs.md: by the dated figures alone, on
machines at their dated prices.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fleet.scans import plan_of_size

from tomobatch.cli.shared.front_view import describe, plot_ways
from tomobatch.estimate.estimate import N_DRAWS, Range
from tomobatch.estimate.planner import Home, Way, choose_way, front_of, ways_to_run
from tomobatch.fleet.figures import figures_date, offline_figures
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.prices import offline_prices

RESULTS = Path(__file__).parent / "results" / "front.md"
PLOT = Path(__file__).parents[1] / "docs" / "images" / "front.svg"
SIZE = (1800, 2048, 2048)
QUEUES: tuple[Home, ...] = ("cpu", "gpu", "fargate")
KINDS = tuple((queue, pilots) for queue in QUEUES for pilots in (False, True))


def main() -> None:
    """Play all ways through, and write the page and the plot."""
    ways = ways_to_run(
        [plan_of_size(*SIZE)],
        offline_prices(),
        Fleet(),
        offline_figures(),
        queues=QUEUES,
        n_draws=N_DRAWS,
    )
    plot_ways(ways, choose_way(ways), PLOT)
    RESULTS.write_text(page(ways), encoding="utf-8")


def page(ways: Sequence[Way]) -> str:
    """Return the page."""
    front = ", ".join(f"{way.children} ({way.queue})" for way in front_of(ways))
    lines = [
        "# Ways to run a scan of 2048 x 2048 x 1800 px\n",
        f"`python benchmarks/front.py`: the middle of {N_DRAWS} draws and where four of five lie, "
        f"by the figures of {figures_date()} and the {offline_prices().source}.\n",
        "| most children | CPU, an array a step | CPU, pilots | GPU, an array a step "
        "| GPU, pilots | Fargate, an array a step | Fargate, pilots |",
        "|--:|---|---|---|---|---|---|",
    ]
    for n in dict.fromkeys(way.most_children for way in ways):
        found = {(way.queue, way.pilots): way for way in ways if way.most_children == n}
        lines.append(f"| {n} | {' | '.join(_cell(found[kind]) for kind in KINDS)} |")
    lines += [
        f"\nNo other beats, the cheapest first: {front}.",
        f"\nThe knee: {describe(choose_way(ways))}; without Fargate, "
        f"{describe(choose_way([way for way in ways if way.queue != 'fargate']))}.",
    ]
    return "\n".join(lines) + "\n"


def _cell(way: Way) -> str:
    minutes, usd = way.estimate.elapsed_s, way.estimate.usd
    return f"{_span(minutes, 60, 0)} min, ${_span(usd, 1, 2)}"


def _span(span: Range, unit: float, digits: int) -> str:
    low, likely, high = (f"{each / unit:.{digits}f}" for each in (span.low, span.likely, span.high))
    return f"{likely} ({low}-{high})"


if __name__ == "__main__":
    main()
