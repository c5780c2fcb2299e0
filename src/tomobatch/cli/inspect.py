"""``tomobatch inspect``: what a scan is, and what is odd about it."""

import json
from typing import Annotated

import typer


def run(
    scan: Annotated[str, typer.Argument(help="File, folder or s3:// address of the scan.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Print what was understood of a scan, and what is odd about it.

    Example: `tomobatch inspect scans/demo.h5`
    """
    # Libraries that take a second to import are left to the commands that need them.
    from tomobatch.scan.inspection import inspect, render

    inspection = inspect(scan)
    typer.echo(json.dumps(inspection.to_dict(), indent=1) if as_json else render(inspection))
