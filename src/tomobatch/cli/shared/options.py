"""Options that several commands share."""

from typing import Annotated, Literal

import typer

Prefix = Annotated[
    str,
    typer.Option(envvar="TOMOBATCH_STACK", help="First part of the names of the stacks."),
]
Region = Annotated[
    str | None, typer.Option(help="AWS Region; by default that of your AWS configuration.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Print all that Snakemake says.")]
Force = Annotated[bool, typer.Option("--force", help="Write anew what is there already.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Deadline = Annotated[
    str | None, typer.Option(help="Take the cheapest way within a time such as 20m or 1h30m.")
]
Budget = Annotated[
    float | None, typer.Option(min=0, help="Take the fastest way for so many dollars.")
]
Machines = Annotated[
    int | None, typer.Option(min=1, max=10_000, help="Start at most so many children a step.")
]
OnQueue = Annotated[
    Literal["cpu", "gpu", "fargate"] | None,
    typer.Option(help="Where slices are reconstructed; fargate: where all of the run is."),
]
Pilots = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=10_000,
        help="Start so many children once that stay and take the jobs of all steps.",
    ),
]

DEFAULT_PREFIX = "tomobatch"
