"""``tomobatch inspect``: what scans are, and what is odd about them."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.shared.one_thread import take_one_thread
from tomobatch.cli.shared.scans import find_scans, read_config
from tomobatch.errors import UserError
from tomobatch.words import counted

if TYPE_CHECKING:
    from tomobatch.config.schema import Config
    from tomobatch.scan.inspection import Inspection

Scans = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[SCAN]...",
        help="File, folder or s3:// address of a scan, or its name in config.yaml; all of that by"
        " default.",
    ),
]


def run(
    scan: Scans = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Print what was understood of scans, and what is odd about them.

    The exit code is 1 if one of them cannot be reconstructed; several that cannot are named at the
    end.

    Example: `tomobatch inspect scans/demo.h5`
    """
    take_one_thread()
    # Libraries that take a second to import are left to the commands that need them.
    from tomobatch.config.schema import load_config
    from tomobatch.scan.inspection import render

    config = read_config()
    scans = find_scans(scan or [], config)
    if not scans:
        raise UserError(
            "no scan given, and none in config.yaml; try `tomobatch inspect path/to/scan`"
        )
    checked = load_config({**config, "scans": scans})
    found = {name: _look(checked, name) for name in scans}
    if as_json:
        values = {name: each.to_dict() for name, each in found.items()}
        typer.echo(json.dumps(values if len(values) > 1 else next(iter(values.values())), indent=1))
    else:
        typer.echo("\n\n".join(map(render, found.values())))
    bad = [name for name, each in found.items() if each.problems]
    if len(found) > 1 and not as_json:
        odd = [name for name, each in found.items() if each.oddities and not each.problems]
        typer.echo(f"\n{counted(len(found), 'scan')}, {len(odd)} odd: {', '.join(odd) or 'none'}")
        typer.echo(f"{len(bad)} cannot be reconstructed: {', '.join(bad) or 'none'}")
    if bad:
        raise typer.Exit(1)


def _look(config: "Config", name: str) -> "Inspection":
    """Look at one scan with its settings; what cannot be opened has a problem and no facts."""
    from tomobatch.plan_scan import read_plan
    from tomobatch.scan.inspection import Inspection, inspect

    entry = config.scans[name]
    try:
        found = inspect(entry.path, entry.datasets, entry.normalise)
        if not found.problems:
            read_plan(config, name, entry.path)
    except UserError as error:
        return Inspection({"scan": entry.path}, (str(error),), ())
    return found
