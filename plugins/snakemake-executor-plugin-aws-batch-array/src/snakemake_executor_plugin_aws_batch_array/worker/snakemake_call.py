"""Calls Snakemake inside this process."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

_IMPORTED_LATE = ("graphlib", "smart_open", "snakemake.storage")
"""Modules that Snakemake imports on its way, each time anew in a forked process."""


def warm_up() -> None:
    """Import Snakemake and its plugins, so that forked processes need not."""
    import boto3
    from snakemake.cli import get_argument_parser

    get_argument_parser()
    for name in _IMPORTED_LATE:
        import_module(name)
    # Loads the description of S3 into the default session.
    boto3.resource("s3", region_name="us-east-1")
    _leave_retries_to_the_controller()


def call_snakemake(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run ``snakemake`` with arguments and additional environment; return its exit code."""
    from snakemake.cli import main

    os.environ.update(environment)
    sys.argv = ["snakemake", *arguments]
    try:
        main(list(arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _leave_retries_to_the_controller() -> None:
    """Make the directive ``retries`` of a rule mean nothing in here.

    ``--retries 0`` does not overrule it, and a retry in the same container would not have the
    memory that its higher `attempt` asks for.
    """
    from snakemake.rules import Rule

    Rule.restart_times = property(lambda rule: 0, lambda rule, retries: None)
