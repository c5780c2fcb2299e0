"""A cost laid out for people: on a terminal, and as a section of a page."""

from html import escape

from rich.table import Table

from tomobatch.aws.pricing.cost import Cost, CostLine
from tomobatch.aws.runs.foretold import Foretold
from tomobatch.fleet.bill import Item

_UNSEEN = {
    "start": "how machines started whose launch is not known,",
    "end": "how long machines linger before AWS Batch ends them,",
    "traffic": "requests, storage and logs,",
}
_LEAST_USD = 0.00005
_COLUMNS = ("step", "machine", "attempts", "reclaimed", "hours", "cost", "lost")


def cost_table(cost: Cost) -> Table:
    """Return a table of what each step cost on each type of machine, and all else."""
    table = Table(box=None, pad_edge=False, collapse_padding=True, header_style="dim")
    for number, column in enumerate(_COLUMNS):
        table.add_column(column, justify="left" if number < 2 else "right", no_wrap=True)
    for line in cost.lines:
        table.add_row(*_cells(line))
    for row in _beside_work(cost):
        table.add_row(*row)
    table.add_row(*_totals(cost), style="bold")
    return table


def cost_notes(cost: Cost) -> list[str]:
    """Return what must be said beside the figures, a line each."""
    notes = [
        f"{cost.wasted_share:.0%} came to nothing: reclaims, failures, and machines that start, "
        "wait or linger.",
        f"Prices: {cost.prices}.",
    ]
    unseen = [
        f"{_UNSEEN[what]} {usd(amount)}"
        for what, amount in cost.unseen.items()
        if amount >= _LEAST_USD
    ]
    if unseen:
        notes.append(f"Not seen, and taken to be as it mostly is: {'; '.join(unseen)}.")
    if cost.unpriced:
        names = ", ".join(name or "unknown machines" for name in cost.unpriced)
        notes.append(f"Not counted, for want of a price: {names}.")
    return notes


def foretold_notes(foretold: Foretold | None) -> list[str]:
    """Return what was foretold, to be held against what came: a line, if there is any."""
    if foretold is None:
        return []
    low, likely, high = foretold.usd
    minutes = foretold.elapsed_s[1] / 60
    return [f"Foretold: {usd(likely)} ({usd(low)} to {usd(high)}), {minutes:.0f} minutes."]


def cost_section(cost: Cost) -> str:
    """Return the same as HTML, for the report of a scan."""
    head = "".join(f"<th>{escape(column)}</th>" for column in _COLUMNS)
    rows = [_cells(line) for line in cost.lines]
    rows += [*_beside_work(cost), _totals(cost)]
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    notes = "".join(f"<p>{escape(note)}</p>" for note in cost_notes(cost))
    return f"<h2>Cost</h2><table><tr>{head}</tr>{body}</table>{notes}"


def usd(value: float) -> str:
    """Return an amount in dollars; cents, or where there are few of them their fractions."""
    return f"${value:.2f}" if value >= 0.1 or value == 0 else f"${value:.4f}"


def _cells(line: CostLine) -> list[str]:
    return [
        line.step,
        _machine(line),
        str(line.n_attempts),
        str(line.n_reclaimed),
        f"{line.machine_h:.3f}",
        usd(line.usd),
        usd(line.lost_usd),
    ]


def _machine(line: CostLine) -> str:
    name = line.instance_type or "unknown"
    return name if line.market == "spot" else f"{name} {line.market}".strip()


def _beside_work(cost: Cost) -> list[list[str]]:
    """Return a row for each item of the bill that is not of a step's work."""
    idle = (Item.START, Item.IDLE, Item.LINGER)
    return [
        [item.value, "", "", "", "", usd(amount), usd(amount) if item in idle else ""]
        for item, amount in cost.bill.items()
        if item is not Item.WORK
    ]


def _totals(cost: Cost) -> list[str]:
    return [
        "all",
        f"{cost.n_machines} machines",
        str(sum(line.n_attempts for line in cost.lines)),
        str(sum(line.n_reclaimed for line in cost.lines)),
        f"{cost.billed_h:.3f}",
        usd(cost.usd),
        usd(cost.wasted_share * cost.usd),
    ]
