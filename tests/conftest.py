"""Fixtures of all tests."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_scan(repository: Path) -> Path:
    """A tooth measured at the Advanced Photon Source; without it a test fails, never skips."""
    default = repository.parent / "shared" / "data" / "tooth.h5"
    path = Path(os.environ.get("TOMOBATCH_REAL_SCAN", default))
    if not path.is_file():
        pytest.fail(
            f"{path} is missing: set TOMOBATCH_REAL_SCAN to a copy of tooth.h5", pytrace=False
        )
    return path
