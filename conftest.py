"""What holds for the tests of all three distributions."""

from collections.abc import Iterator

import boto3
import pytest


@pytest.fixture(autouse=True)
def no_session_of_another_test() -> Iterator[None]:
    """Have boto3 forget whose keys a test had: each emulator knows its own alone."""
    boto3.DEFAULT_SESSION = None
    yield
    boto3.DEFAULT_SESSION = None
