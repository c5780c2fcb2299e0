"""``tomobatch cost``: what a run has cost."""

import json
import time
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.shared.deployed import RunName, deployment
from tomobatch.cli.shared.options import AsJson
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.aws.pricing import Prices, Use

Offline = Annotated[
    bool, typer.Option("--offline", help="Take the prices of the dated table, and ask nobody.")
]


def run(name: RunName = None, offline: Offline = False, as_json: AsJson = False) -> None:
    """Print what a run has cost by step and machine, reclaimed attempts included, and the waste.

    It counts what the workers recorded, for as long as the records are kept: a week.

    Example: `tomobatch cost tooth-2`
    """
    from tomobatch.aws.pricing import cost_of
    from tomobatch.aws.pricing.records import read_uses
    from tomobatch.aws.runs.find import find_run

    with deployment() as place:
        name, _ = find_run(place, name)
        uses = read_uses(place.store(name), time.time_ns() // 1_000_000)
    if not uses:
        raise UserError(f"run {name} has no records: nothing of it has started, or they expired")
    cost = cost_of(uses, prices_for(uses, offline=offline))
    if as_json:
        typer.echo(json.dumps({"run": name, **cost.to_dict()}, indent=1))
        return
    from rich.console import Console

    from tomobatch.aws.pricing.show import cost_notes, cost_table

    Console(soft_wrap=True).print(cost_table(cost))
    for note in ["", *cost_notes(cost)]:
        typer.echo(note)


def prices_for(uses: "list[Use]", *, offline: bool) -> "Prices":
    """Return the spot prices at the time of the uses; those of the table if AWS states none."""
    from tomobatch.aws.pricing import offline_prices
    from tomobatch.aws.pricing.live import live_prices
    from tomobatch.cli.shared.aws import client_maker

    types = {use.instance_type for use in uses if use.market == "spot" and use.instance_type}
    if offline or not types:
        return offline_prices()
    start_ms = min(use.start_ms for use in uses)
    stop_ms = max(use.stop_ms for use in uses)
    try:
        return live_prices(client_maker(None)("ec2"), types, start_ms, stop_ms)
    except UserError as error:
        typer.echo(f"{error} The offline table serves instead.", err=True)
        return offline_prices()
