"""An emulated AWS without any stack, reached over HTTP."""

import pytest
from tests.infrastructure.resolved import EVERYONE
from tests.infrastructure.templates import Template

from aws_batch_emulator.client import start


@pytest.fixture(scope="session")
def emulator():
    """Start an emulator for all tests: each makes stacks of its own prefix."""
    with start(stack=None, children="instant") as emulator:
        yield emulator


@pytest.fixture
def aws(emulator, monkeypatch):
    """Point this process's AWS clients at the emulator, as the account's administrator."""
    for name, value in emulator.administrator.items():
        monkeypatch.setenv(name, value)
    return emulator


@pytest.fixture(scope="session")
def batch():
    return Template("batch", NoticeEmail="lab@example.org")


@pytest.fixture(scope="session")
def iam():
    return Template("iam", **EVERYONE)
