"""One line to the log of the job."""

import sys


def say(line: str) -> None:
    """Write a line to the standard error, at once."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
