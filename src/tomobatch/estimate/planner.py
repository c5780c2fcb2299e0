"""Which way to run: how many children, an array a step or pilots for all of them, on which queue.

For a deadline, a budget, or the knee of the two.

Every way is played through under the same days (``estimate_run``), so that their differences are
those of the ways. Of them the front is kept: what is neither slower nor dearer than another.
"""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tomobatch.errors import UserError
from tomobatch.estimate.estimate import Estimate, estimate_run
from tomobatch.fleet.figures import Figures
from tomobatch.fleet.machines import Fleet
from tomobatch.fleet.prices import Prices
from tomobatch.plan import ScanPlan
from tomobatch.steps import Queue

Home = Literal["cpu", "gpu", "fargate"]
"""Where slices are reconstructed: on the machines of a queue, or with all else on Fargate."""

CHILDREN = (1, 2, 4, 8, 16, 32, 64, 100)
N_DRAWS = 30
_OF_TEN = "in nine of ten runs"


@dataclass(frozen=True)
class Way:
    """One way to run: most children at once, the queue of reconstruction, and what is foretold.

    With pilots the children stay for the whole run.
    """

    most_children: int
    queue: Home
    estimate: Estimate
    pilots: bool = False

    @property
    def children(self) -> str:
        """How many children of which kind."""
        if not self.pilots:
            return f"{self.most_children} a step"
        return f"{self.most_children} pilot{'s' if self.most_children > 1 else ''}"

    def fleet(self, fleet: Fleet) -> Fleet:
        """Return a fleet as this way has it."""
        return _with_children(fleet, self.most_children, self.queue, pilots=self.pilots)

    @property
    def device(self) -> Queue:
        """What computes slices, and the queue of the estimate."""
        return device_of(self.queue)

    @property
    def elapsed_s(self) -> float:
        """The middle of its draws."""
        return self.estimate.elapsed_s.likely

    @property
    def usd(self) -> float:
        """The middle of its draws."""
        return self.estimate.usd.likely


def device_of(home: Home) -> Queue:
    """Return what computes slices there."""
    return "gpu" if home == "gpu" else "cpu"


def _with_children(fleet: Fleet, n: int, home: Home, *, pilots: bool) -> Fleet:
    return replace(fleet, most_children=n, pilots=n if pilots else None, tasks=home == "fargate")


def counts_up_to(most: int) -> list[int]:
    """Return how many children are tried, up to a most."""
    return [*(n for n in CHILDREN if n < most), most]


def ways_to_run(
    plans: Sequence[ScanPlan],
    prices: Prices,
    fleet: Fleet,
    figures: Figures,
    *,
    counts: Sequence[int] = CHILDREN,
    queues: Iterable[Home] = ("cpu", "gpu"),
    pilots: Iterable[bool] = (False, True),
    detached: bool = False,
    n_draws: int = N_DRAWS,
) -> list[Way]:
    """Return the estimate of every way to run some scans, by so many children at once."""
    ways = []
    for queue, piloted, n in itertools.product(queues, pilots, counts):
        estimate = estimate_run(
            plans,
            prices,
            _with_children(fleet, n, queue, pilots=piloted),
            figures,
            queue=device_of(queue),
            device=device_of(queue),
            detached=detached,
            n_draws=n_draws,
        )
        ways.append(Way(n, queue, estimate, piloted))
    return ways


def front_of(ways: Iterable[Way]) -> list[Way]:
    """Return the ways that no other beats in time and money, the cheapest first."""
    front: list[Way] = []
    for way in sorted(ways, key=lambda each: (each.usd, each.elapsed_s)):
        if not front or way.elapsed_s < front[-1].elapsed_s:
            front.append(way)
    return front


def choose_way(
    ways: Sequence[Way], deadline_s: float | None = None, budget_usd: float | None = None
) -> Way:
    """Choose a way.

    Parameters
    ----------
    ways
        Those there are.
    deadline_s, budget_usd
        What nine of ten runs must keep. With a deadline, the cheapest way that keeps it; with a
        budget, the fastest; with both, the cheapest that keeps both. With neither, the knee: that
        of the least product of minutes and dollars.

    Raises
    ------
    UserError
        If no way keeps them; it names the one that comes closest.
    """
    if deadline_s is None and budget_usd is None:
        return min(ways, key=lambda way: way.elapsed_s * way.usd)
    left = [
        way
        for way in ways
        if (deadline_s is None or way.estimate.elapsed_s.high <= deadline_s)
        and (budget_usd is None or way.estimate.usd.high <= budget_usd)
    ]
    if not left:
        raise UserError(_none(ways, deadline_s, budget_usd))
    if deadline_s is None:
        return min(left, key=lambda way: way.elapsed_s)
    return min(left, key=lambda way: way.usd)


def why_chosen(deadline_s: float | None = None, budget_usd: float | None = None) -> str:
    """Return in a few words by what ``choose_way`` chose."""
    if deadline_s is None and budget_usd is None:
        return "the knee: the least product of minutes and dollars"
    asked = _asked(deadline_s, budget_usd)
    return f"the {'fastest' if deadline_s is None else 'cheapest'} that keeps {asked} {_OF_TEN}"


def _asked(deadline_s: float | None, budget_usd: float | None) -> str:
    asked = [] if deadline_s is None else [f"{deadline_s / 60:.0f} minutes"]
    asked += [] if budget_usd is None else [f"${budget_usd:.2f}"]
    return " and ".join(asked)


def _none(ways: Sequence[Way], deadline_s: float | None, budget_usd: float | None) -> str:
    fastest = min(ways, key=lambda way: way.estimate.elapsed_s.high)
    cheapest = min(ways, key=lambda way: way.estimate.usd.high)
    return (
        f"no way to run keeps {_asked(deadline_s, budget_usd)} {_OF_TEN}; "
        f"the fastest takes {_at_most(fastest)}, the cheapest {_at_most(cheapest)} "
        "(--deadline, --budget)"
    )


def _at_most(way: Way) -> str:
    high_s, high_usd = way.estimate.elapsed_s.high, way.estimate.usd.high
    return f"{high_s / 60:.0f} minutes for ${high_usd:.2f}"
