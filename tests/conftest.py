"""Fixtures of all tests."""

from pathlib import Path

import pytest
from tests.real_scan import LEFT_OUT, UnusableError, find_real_scan


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_scan() -> Path:
    """A tooth measured at the Advanced Photon Source; tests of it are left out without it."""
    try:
        path = find_real_scan()
    except UnusableError as error:
        pytest.fail(str(error), pytrace=False)
    if path is None:
        pytest.skip(LEFT_OUT)
    return path
