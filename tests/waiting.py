"""Waits for the thing itself, with a limit that no machine under load reaches."""

import time
from collections.abc import Callable

LIMIT_S = 400.0


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    until_s = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < until_s, f"waited for {LIMIT_S:g} s"
        time.sleep(0.05)
