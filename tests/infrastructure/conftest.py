"""An emulated AWS that is empty, reached over HTTP."""

import pytest

from aws_batch_emulator.client import start


@pytest.fixture
def aws(monkeypatch):
    """Start an emulator without any stack, and point this process's AWS clients at it."""
    with start(stack=None, children="instant") as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator
