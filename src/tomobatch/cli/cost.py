"""``tomobatch cost``: what a run has cost."""

import json
from dataclasses import asdict
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
    """Print the bill of a run: its work by step and machine, and all else that AWS bills.

    It counts what the workers recorded, for as long as the records are kept: a week. What nobody
    saw is taken to be as it mostly is, and named with its size.

    Example: `tomobatch cost tooth-2`
    """
    from tomobatch.aws.pricing.tell import tell_cost
    from tomobatch.aws.pricing.uses import read_uses

    with observed(name) as observer:
        look = observer.look()
        uses = read_uses(look, observer.reader)
    if not uses:
        raise UserError(
            f"run {observer.run} has no records: nothing of it has started, or they expired"
        )
    prices, complaint = prices_for(uses, offline=offline)
    if complaint:
        typer.echo(f"{complaint} The offline table serves instead.", err=True)
    cost = tell_cost(look, uses, prices)
    foretold = look.state.foretold
    if as_json:
        told = {"foretold": foretold and asdict(foretold)}
        typer.echo(json.dumps({"run": observer.run, **cost.to_dict(), **told}, indent=1))
        return
    from rich.console import Console

    from tomobatch.aws.pricing.show import cost_notes, cost_table, foretold_notes

    Console(soft_wrap=True).print(cost_table(cost))
    for note in ["", *cost_notes(cost), *foretold_notes(foretold)]:
        typer.echo(note)
