"""``tomobatch doctor``: is there a device to reconstruct on, and are its results right."""

from typing import Annotated, Literal

import typer

from tomobatch.doctor import examine, render
from tomobatch.errors import UserError


def run(
    device: Annotated[
        Literal["auto", "gpu", "cpu"], typer.Option(help="Which device must be there.")
    ] = "auto",
) -> None:
    """List the OpenCL devices, check every kernel on the one to use, and measure it.

    Example: `tomobatch doctor --device gpu`
    """
    report = examine(device)
    if not report.chosen:
        raise UserError(report.problem)
    typer.echo(render(report))
    if not report.ok:
        raise typer.Exit(1)
