"""The command line: one module a command, each a function that typer turns into one."""

import os
import sys

import typer

from tomobatch.cli import dag, demo, doctor, inspect, phantom
from tomobatch.jobs import explain

app = typer.Typer(
    help="Reconstruct X-ray tomography scans with Snakemake, on a laptop or on AWS Batch.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.command("phantom")(phantom.run)
app.command("inspect")(inspect.run)
app.command("demo")(demo.run)
app.command("dag")(dag.run)
app.command("doctor")(doctor.run)


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 1."""
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has left, as `head` does; leave quietly too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        typer.echo(f"error: {message}", err=True)
        sys.exit(1)
