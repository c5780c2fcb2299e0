"""Calls the command line in this process, as ``main`` does."""

from dataclasses import dataclass

from typer.testing import CliRunner

from tomobatch.cli import app
from tomobatch.records.job import explain


@dataclass(frozen=True)
class Said:
    """What a command said, and its exit code; a user's mistake is the last line of ``err``."""

    code: int
    out: str
    err: str


def tomobatch(*arguments: str) -> Said:
    """Run a command without a terminal."""
    result = CliRunner().invoke(app, list(arguments))
    err = result.stderr
    error = result.exception
    if error is not None and not isinstance(error, SystemExit):
        message = explain(error)
        if message is None:
            raise error
        err += f"error: {message}"
    return Said(result.exit_code, result.stdout, err)
