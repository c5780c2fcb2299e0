"""Tests of what not every machine has are left out with a line; in the whole pass, none is."""

import os
from typing import NoReturn

import pytest

VARIABLE = "TOMOBATCH_LEAVE_NOTHING_OUT"


def leave_out(reason: str) -> NoReturn:
    """End a test that this machine can't run: skipped, or failed where nothing may be left out."""
    if os.environ.get(VARIABLE):
        pytest.fail(f"left out in spite of {VARIABLE}: {reason}", pytrace=False)
    pytest.skip(reason)
