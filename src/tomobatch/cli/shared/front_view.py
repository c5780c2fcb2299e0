"""The ways to run a scan, as a table and as a plot."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tomobatch.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from tomobatch.estimate.planner import Way

_FEW = 5
"""Ways that are shown where nobody asks for all."""

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def parse_time(text: str, option: str) -> float:
    """Read ``20m``, ``1h30m`` or ``90s`` as seconds.

    Raises
    ------
    UserError
        If it is not of that form.
    """
    if not re.fullmatch(r"(\d+(\.\d+)?[hms])+", text):
        raise UserError(f"{option} {text}: write a time such as 20m, 1h30m or 90s")
    found = re.findall(r"(\d+(?:\.\d+)?)([hms])", text)
    return sum(float(number) * _SECONDS[unit] for number, unit in found)


@dataclass(frozen=True)
class Limits:
    """What a way to run has to keep; None if that was not asked."""

    deadline_s: float | None = None
    budget_usd: float | None = None


def limits_of(deadline: str | None, budget: float | None) -> Limits:
    """Read the options of that."""
    deadline_s = None if deadline is None else parse_time(deadline, "--deadline")
    return Limits(deadline_s, budget)


def show_front(ways: Sequence["Way"], chosen: "Way", *, every: bool) -> None:
    """Print the ways that no other beats: every one, or a few where there is a choice."""
    from rich.console import Console

    from tomobatch.estimate.planner import front_of

    front = front_of(ways)
    if not every and len(front) == 1:
        return
    shown = front if every else few_of(front, chosen)
    Console(soft_wrap=True).print(front_table(shown, chosen))
    if len(shown) < len(front):
        typer.echo(f"({len(shown)} of {len(front)} that no other beats: --front shows all)")
    typer.echo("")


def few_of(front: Sequence["Way"], chosen: "Way", most: int = _FEW) -> list["Way"]:
    """Return the cheapest way, the fastest, the chosen one, and some evenly between."""
    if len(front) <= most:
        return list(front)
    last = len(front) - 1
    taken = {round(last * k / (most - 1)) for k in range(most)}
    wanted = next((k for k, way in enumerate(front) if way is chosen), 0)
    if wanted not in taken:
        taken.remove(min(taken - {0, last}, key=lambda k: abs(k - wanted)))
        taken.add(wanted)
    return [front[k] for k in sorted(taken)]


def describe(way: "Way") -> str:
    """Return a way in a few words."""
    if way.queue == "fargate":
        return f"{way.children}, all on Fargate Spot"
    return f"{way.children}, reconstruction on the {way.queue.upper()} queue"


def front_table(front: Sequence["Way"], chosen: "Way") -> "Table":
    """Return a table of the ways that no other beats, the cheapest first."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, name in enumerate(("children", "queue", "minutes", "10-90 %", "$", "10-90 %")):
        table.add_column(name, justify="left" if number == 1 else "right", no_wrap=True)
    for way in front:
        minutes, usd = way.estimate.elapsed_s, way.estimate.usd
        table.add_row(
            way.children,
            way.queue,
            f"{minutes.likely / 60:.0f}",
            f"{minutes.low / 60:.0f}-{minutes.high / 60:.0f}",
            f"{usd.likely:.2f}",
            f"{usd.low:.2f}-{usd.high:.2f}",
            style="bold" if way is chosen else "",
        )
    return table


def plot_ways(ways: Sequence["Way"], chosen: "Way", path: Path) -> None:
    """Draw every way with its range, and mark the chosen one.

    Raises
    ------
    UserError
        If the name of the file ends in no format of pictures.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for queue, pilots in dict.fromkeys((way.queue, way.pilots) for way in ways):
        alike = [way for way in ways if (way.queue, way.pilots) == (queue, pilots)]
        minutes = [way.elapsed_s / 60 for way in alike]
        usd = [way.usd for way in alike]
        spread = [
            [way.usd - way.estimate.usd.low for way in alike],
            [way.estimate.usd.high - way.usd for way in alike],
        ]
        label = f"{queue} queue, {'pilots' if pilots else 'an array a step'}"
        axes.errorbar(minutes, usd, yerr=spread, marker="o", capsize=3, label=label)
        for way in alike:
            axes.annotate(
                str(way.most_children),
                (way.elapsed_s / 60, way.usd),
                textcoords="offset points",
                xytext=(5, 5),
            )
    axes.scatter([chosen.elapsed_s / 60], [chosen.usd], s=160, facecolors="none", edgecolors="k")
    axes.set(xlabel="minutes", ylabel="dollars", yscale="log")
    axes.set_title("Ways to run, by most children at once; the chosen one has a ring")
    axes.legend()
    try:
        figure.savefig(path)
    except ValueError as error:
        raise UserError(f"--plot {path}: {error}") from None
