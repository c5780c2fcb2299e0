"""``tomobatch clean``: less to store on S3."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.shared.ask import confirm
from tomobatch.cli.shared.deployed import Yes, deployment
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from rich.table import Table

    from tomobatch.aws.runs.clean import Leftover

_GB = 1e9


def run(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN]...", help="Names of runs; by default all that are finished."),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option("--everything", help="The volumes and reports of the named runs too."),
    ] = False,
    yes: Yes = False,
) -> None:
    """Delete on S3 what runs keep between their steps, after showing what, and what it costs there.

    Volumes, reports and scans stay. Runs that are under way are left alone.

    Example: `tomobatch clean`
    """
    from rich.console import Console

    from tomobatch.aws.runs.clean import leftover, remove
    from tomobatch.aws.runs.find import all_runs, find_run

    if everything and not runs:
        raise UserError("which runs? --everything deletes volumes for good: name each of its runs")
    console = Console(highlight=False)
    with deployment() as place:
        asked = [find_run(place, name)[0] for name in runs or ()]
        names = asked or sorted(name for name, record in all_runs(place).items() if record)
        found = [leftover(place, name, everything=everything) for name in dict.fromkeys(names)]
        for each in found:
            if each.run in asked and not each.may_go:
                console.print(_kept(each))
        going = [each for each in found if each.may_go]
        if not asked:
            going = [each for each in going if not each.is_needed_to_go_on]
        if not going:
            typer.echo("There is nothing to delete")
            return
        console.print(_table(going))
        if not confirm(_question(going, everything=everything), yes=yes):
            raise UserError("nothing was deleted")
        for each in going:
            remove(place, each)
    typer.echo(f"Deleted {sum(each.n_bytes for each in going) / _GB:.2f} GB")


def _kept(each: "Leftover") -> str:
    if not each.keys:
        return f"Run {each.run} has nothing of the kind"
    return f"Run {each.run} is {each.phase.value}, and is left alone: `tomobatch stop` ends it"


def _question(going: "Sequence[Leftover]", *, everything: bool) -> str:
    what = "all results of these runs" if everything else "what lies between the steps"
    anew = [each.run for each in going if each.is_needed_to_go_on]
    warning = f" {', '.join(anew)} would begin anew." if anew and not everything else ""
    return f"Delete {what} for good?{warning}"


def _table(going: "Sequence[Leftover]") -> "Table":
    """Return a table of what would go, and of what it costs to keep."""
    from rich.table import Table

    from tomobatch.fleet.prices import offline_prices

    month = offline_prices().beside.storage_gb_month
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("run", "state", "objects", "GB", "$ a month"):
        table.add_column(column, justify="left" if column in ("run", "state") else "right")
    for each in going:
        gb = each.n_bytes / _GB
        table.add_row(
            each.run, each.phase.value, f"{len(each.keys):,}", f"{gb:.2f}", f"{gb * month:.2f}"
        )
    return table
