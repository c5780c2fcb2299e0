"""The real scan that some tests measure against: where it is published, and what it must be."""

import hashlib
import os
from pathlib import Path

VARIABLE = "TOMOBATCH_REAL_SCAN"
PUBLISHED = "https://github.com/tomopy/tomopy/raw/master/source/tomopy/data/tooth.h5"
SIZE = 1_043_312
SHA256 = "ab1d9bd073b7fb1beae4defa991c2a2626605c5cf1f4be0d0203656bc47b6489"
LEFT_OUT = (
    f"the real scan is left out: set {VARIABLE} to a copy of {PUBLISHED} "
    f"({SIZE} bytes, sha256 {SHA256})"
)


class UnusableError(Exception):
    """The scan that the variable names is not there, or is another."""


def find_real_scan() -> Path | None:
    """Return the scan that the variable names; None where it is not set.

    Raises
    ------
    UnusableError
        If the variable is set, and what it names is not that scan.
    """
    told = os.environ.get(VARIABLE)
    if told is None:
        return None
    try:
        content = Path(told).read_bytes()
    except OSError as error:
        raise UnusableError(f"{VARIABLE}={told}: {error.strerror}; {PUBLISHED} holds it") from None
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise UnusableError(
            f"{VARIABLE}={told}: {len(content)} bytes with sha256 {found}, where {PUBLISHED} has "
            f"{SIZE} bytes with {SHA256}"
        )
    return Path(told)
