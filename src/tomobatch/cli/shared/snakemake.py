"""Running Snakemake as a user would, from a study folder or a clone."""

import contextlib
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import typer

from tomobatch.errors import UserError


def snakemake_command(arguments: Sequence[str]) -> list[str]:
    """Return the command, with the Snakemake of this environment.

    Raises
    ------
    UserError
        Where there is no Snakefile.
    """
    if not Path("Snakefile").is_file():
        raise UserError(
            f"no Snakefile in {Path.cwd()}; `tomobatch init DIR SCAN...` makes a folder that runs"
        )
    return [sys.executable, "-m", "snakemake", *arguments]


def run_snakemake(
    arguments: Sequence[str], started: Callable[[int], object] = lambda pid: None
) -> None:
    """Print the command, run it with its output on the terminal, and exit as it exits.

    Parameters
    ----------
    arguments
        What ``snakemake`` is told.
    started
        Called with the id of its process.
    """
    command = snakemake_command(arguments)
    typer.echo(show_command(arguments))
    with subprocess.Popen(command) as process:
        is_told, returncode = False, None
        while returncode is None:
            # Ctrl-C reached Snakemake as well: it is given the time to end its jobs.
            with contextlib.suppress(KeyboardInterrupt):
                if not is_told:
                    started(process.pid)
                    is_told = True
                returncode = process.wait()
    if returncode:
        raise typer.Exit(returncode)


def show_command(arguments: Sequence[str]) -> str:
    """Return the command as a user would type it."""
    return f"$ snakemake {shlex.join(arguments)}"


def snakemake_output(arguments: Sequence[str]) -> str:
    """Run a command quietly and return what it prints; its own words if it fails."""
    done = subprocess.run(snakemake_command(arguments), check=False, capture_output=True, text=True)
    if done.returncode:
        typer.echo(done.stderr, err=True)
        raise typer.Exit(done.returncode)
    return done.stdout
