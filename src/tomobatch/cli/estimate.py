"""``tomobatch estimate``: what a scan will take, before anything runs."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.cost import Offline
from tomobatch.cli.shared.options import AsJson, Region
from tomobatch.cli.shared.scans import find_scans, plan_scans, read_config
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from tomobatch.aws.pricing import Prices
    from tomobatch.estimate.estimate import Estimate
    from tomobatch.estimate.fleet import Fleet

_DAY_MS = 86_400_000


def run(
    scan: Annotated[str, typer.Argument(help="Path, s3:// address, or name in config.yaml.")],
    machines: Annotated[
        int, typer.Option(min=1, help="Most children of a step at once: aws-batch-array-size.")
    ] = 100,
    cpu: Annotated[bool, typer.Option("--cpu", help="Reconstruct on the CPU queue too.")] = False,
    region: Region = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Say how many jobs, bytes, hours and dollars a scan will take on AWS, with config.yaml if any.

    Example: `tomobatch estimate scans/tooth.h5`
    """
    # Libraries that take seconds to import are left to the commands that need them.
    from rich.console import Console

    from tomobatch.estimate.estimate import estimate_scan
    from tomobatch.estimate.fleet import Fleet
    from tomobatch.steps import Queue

    fleet = Fleet(most_children=machines)
    config = read_config()
    (plan,) = plan_scans(find_scans([scan], config), config).good.values()
    prices = current_prices(fleet, region, offline=offline)
    where: Queue = "cpu" if cpu else "gpu"
    estimate = estimate_scan(plan, prices, fleet, queue=where, device=where)
    if as_json:
        typer.echo(json.dumps(estimate.to_dict(), indent=1))
        return
    Console(soft_wrap=True).print(estimate_table(estimate))
    typer.echo("")
    for assumption in estimate.assumptions:
        typer.echo(f"- {assumption}")
    typer.echo(f"\n{estimate.summary}")


def current_prices(fleet: "Fleet", region: str | None, *, offline: bool) -> "Prices":
    """Return today's spot prices; those of the dated table if AWS can't be asked."""
    from tomobatch.aws.pricing import offline_prices

    if offline:
        return offline_prices()
    from tomobatch.aws.pricing.live import live_prices
    from tomobatch.cli.shared.aws import client_maker

    now_ms = time.time_ns() // 1_000_000
    types = (*fleet.cpu_types, *fleet.gpu_types)
    try:
        return live_prices(client_maker(region)("ec2"), types, now_ms - _DAY_MS, now_ms)
    except UserError as error:
        typer.echo(f"{error} The offline table serves instead.", err=True)
        return offline_prices()


def estimate_table(estimate: "Estimate") -> "Table":
    """Return a table of the steps."""
    from rich.table import Table

    from tomobatch.aws.pricing.show import usd
    from tomobatch.estimate.estimate import spell_time

    table = Table(box=None, pad_edge=False, header_style="dim")
    for number, column in enumerate(("step", "queue", "jobs", "moves", "a job", "takes", "costs")):
        table.add_column(column, justify="left" if number < 2 else "right", no_wrap=True)
    for step in estimate.steps:
        table.add_row(
            step.step,
            step.queue,
            str(step.n_jobs),
            f"{(step.read_mb + step.write_mb) / 1000:,.2f} GB",
            f"{step.job_s:.0f} s",
            spell_time(step.elapsed_s),
            usd(step.usd.likely),
        )
    table.add_row("waiting", "", "", "", "", "", usd(estimate.waiting_usd.likely))
    n_jobs = sum(step.n_jobs for step in estimate.steps)
    moved_gb = sum(step.read_mb + step.write_mb for step in estimate.steps) / 1000
    total = spell_time(estimate.elapsed_s.likely)
    likely = usd(estimate.usd.likely)
    table.add_row("all", "", str(n_jobs), f"{moved_gb:,.2f} GB", "", total, likely, style="bold")
    return table
