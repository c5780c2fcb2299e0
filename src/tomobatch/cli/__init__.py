"""The command line: one module a command, each a function that typer turns into one.

Decision 94.
"""

import os
import sys
from typing import Annotated

import typer

from tomobatch import __version__
from tomobatch.cli import (
    attach,
    calibrate_fleet,
    clean,
    cost,
    dag,
    demo,
    diff,
    doctor,
    estimate,
    export,
    fetch,
    init,
    inspect,
    logs,
    outputs,
    phantom,
    preview,
    push,
    rerun,
    resume,
    run,
    runs,
    series,
    setup,
    stack,
    status,
    stop,
    teardown,
    view,
    watch,
)
from tomobatch.cli import open as open_
from tomobatch.records.job import explain

app = typer.Typer(
    help="Reconstruct X-ray tomography scans with Snakemake, on a laptop or on AWS Batch.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"tomobatch {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None: ...


app.command("phantom")(phantom.run)
app.command("inspect")(inspect.run)
app.command("preview")(preview.run)
app.command("demo")(demo.run)
app.command("dag")(dag.run)
app.command("doctor")(doctor.run)
app.command("init")(init.run)
app.command("setup")(setup.run)
app.command("teardown")(teardown.run)
app.command("push")(push.run)
app.command("outputs")(outputs.run)
app.command("estimate")(estimate.run)
app.command("calibrate-fleet")(calibrate_fleet.run)
app.command("cost")(cost.run)
app.command("run")(run.run)
app.command("watch")(watch.run)
app.command("runs")(runs.run)
app.command("status")(status.run)
app.command("attach")(attach.run)
app.command("logs")(logs.run)
app.command("stop")(stop.run)
app.command("resume")(resume.run)
app.command("fetch")(fetch.run)
app.command("open")(open_.run)
app.command("view")(view.run)
app.command("export")(export.run)
app.command("clean")(clean.run)
app.command("series")(series.run)
app.command("stack")(stack.run)
app.command("rerun")(rerun.run)
app.command("diff")(diff.run)


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
