"""How an estimate looks in a terminal: its steps, its bill, and what both rest on."""

from typing import TYPE_CHECKING

import typer

from tomobatch.words import counted

if TYPE_CHECKING:
    from rich.table import Table

    from tomobatch.estimate.estimate import Estimate


def show_estimate(estimate: "Estimate") -> None:
    """Print all of an estimate but its summary."""
    from rich.console import Console

    console = Console(soft_wrap=True)
    console.print(step_table(estimate))
    show_bill(estimate)
    typer.echo("")
    for assumption in estimate.assumptions:
        typer.echo(f"- {assumption}")


def show_bill(estimate: "Estimate") -> None:
    """Print the bill, and what it will cost afterwards to keep the results and to fetch them."""
    from rich.console import Console

    from tomobatch.aws.pricing.show import usd

    typer.echo("")
    Console(soft_wrap=True).print(bill_table(estimate))
    later = estimate.afterwards
    typer.echo(
        f"Not in it: keeping {later.kept_gb:,.1f} GB, {usd(later.storage_usd_month)} a month; "
        f"fetching {later.fetched_gb:,.1f} GB, {usd(later.egress_usd)} beyond the free 100 GB a "
        "month."
    )


def step_table(estimate: "Estimate") -> "Table":
    """Return a table of the steps."""
    from rich.table import Table

    from tomobatch.estimate.estimate import spell_time

    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, column in enumerate(("step", "queue", "jobs", "moves", "a job", "takes")):
        table.add_column(column, justify="left" if number < 2 else "right", no_wrap=True)
    for step in estimate.steps:
        table.add_row(
            step.step,
            step.queue,
            str(step.n_jobs),
            f"{step.moved_mb / 1000:,.2f} GB",
            f"{step.job_s:.0f} s",
            spell_time(step.elapsed_s.likely),
        )
    n_jobs = sum(step.n_jobs for step in estimate.steps)
    moved_gb = sum(step.moved_mb for step in estimate.steps) / 1000
    total = spell_time(estimate.elapsed_s.likely)
    table.add_row("all", "", str(n_jobs), f"{moved_gb:,.2f} GB", "", total, style="bold")
    return table


def bill_table(estimate: "Estimate") -> "Table":
    """Return a table of the bill's items, each as the middle of the draws and their range."""
    from rich.table import Table

    from tomobatch.aws.pricing.show import usd

    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, column in enumerate(("item", "likely", "10 %", "90 %")):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    for item, span in estimate.bill.items():
        table.add_row(item.value, *map(usd, (span.likely, span.low, span.high)))
    span, hours, worked = estimate.usd, estimate.billed_h.likely, estimate.worked_h.likely
    machines = counted(round(estimate.machines.likely), "machine")
    name = f"all: {machines}, {hours:.1f} h, {worked:.1f} h at work"
    table.add_row(name, *map(usd, (span.likely, span.low, span.high)), style="bold")
    return table
