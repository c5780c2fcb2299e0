"""Questions to a user, who is asked only where there is a terminal to answer on."""

import sys

import typer

from tomobatch.errors import UserError


def confirm(question: str, *, yes: bool, default: bool = False) -> bool:
    """Return the answer; ``yes`` answers without asking.

    Raises
    ------
    UserError
        If there is no terminal.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UserError(f"{question} Nobody is there to answer: add --yes to go on without asking")
    return typer.confirm(question, default=default)
