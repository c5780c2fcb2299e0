"""``tomobatch cost``: what a run has cost."""

import json
from typing import Annotated

import typer

from tomobatch.cli.shared.deployed import RunName, observed
from tomobatch.cli.shared.options import AsJson
from tomobatch.cli.shared.prices import prices_for
from tomobatch.errors import UserError

Offline = Annotated[
    bool, typer.Option("--offline", help="Take the prices of the dated table, and ask nobody.")
]


def run(name: RunName = None, offline: Offline = False, as_json: AsJson = False) -> None:
    """Print what a run has cost by step and machine, reclaimed attempts included, and the waste.

    It counts what the workers recorded, for as long as the records are kept: a week.

    Example: `tomobatch cost tooth-2`
    """
    from tomobatch.aws.pricing import cost_of
    from tomobatch.aws.pricing.uses import read_uses

    with observed(name) as observer:
        uses = read_uses(observer.look(), observer.reader)
    if not uses:
        raise UserError(
            f"run {observer.run} has no records: nothing of it has started, or they expired"
        )
    prices, complaint = prices_for(uses, offline=offline)
    if complaint:
        typer.echo(f"{complaint} The offline table serves instead.", err=True)
    cost = cost_of(uses, prices)
    if as_json:
        typer.echo(json.dumps({"run": observer.run, **cost.to_dict()}, indent=1))
        return
    from rich.console import Console

    from tomobatch.aws.pricing.show import cost_notes, cost_table

    Console(soft_wrap=True).print(cost_table(cost))
    for note in ["", *cost_notes(cost)]:
        typer.echo(note)
