"""Calls Snakemake inside this process."""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from snakemake_executor_plugin_aws_batch_array import checkpoint_outputs
from snakemake_executor_plugin_aws_batch_array.targets import read_encoded_targets
from snakemake_executor_plugin_aws_batch_array.worker.uploads import upload_in_large_parts

IMPORTED_LATE = ("graphlib", "smart_open", "snakemake.storage")
"""Modules that Snakemake imports on its way, each time anew in a forked process."""


def warm_up() -> None:
    """Import Snakemake and its plugins, so that forked processes need not."""
    import boto3
    from snakemake.cli import get_argument_parser

    read_encoded_targets()
    get_argument_parser()
    for name in IMPORTED_LATE:
        import_module(name)
    # Loads the description of S3 into the default session.
    boto3.resource("s3", region_name="us-east-1")
    _leave_retries_to_the_controller()
    _measure_local_copies()
    _store_files_alone()
    upload_in_large_parts()
    checkpoint_outputs.fetch_for(lambda workflow: True)


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


def _measure_local_copies() -> None:
    """Let the size of a file be that of its local copy, where there is one.

    Snakemake asks the storage, even for the output that `ensure` looks at before it is uploaded.
    """
    from snakemake.io import _IOFile

    ask = _IOFile.size

    async def size(file: Any) -> int:  # noqa: ANN401 - Snakemake's file
        return int(await (file.size_local() if Path(file).is_file() else ask(file)))

    _IOFile.size = size


def _store_files_alone() -> None:
    """Upload neither pipes, whose end would be waited for without end, nor sockets of services.

    They pass between the jobs of one group, which is one command.
    """
    from snakemake.io import _IOFile

    store = _IOFile.store_in_storage

    async def store_in_storage(file: Any) -> None:  # noqa: ANN401 - Snakemake's file
        if not (file.flags.get("pipe") or file.flags.get("service")):
            await store(file)

    _IOFile.store_in_storage = store_in_storage


def _leave_retries_to_the_controller() -> None:
    """Make the directive ``retries`` of a rule mean nothing in here.

    ``--retries 0`` does not overrule it, and a retry in the same container would not have the
    memory that its higher `attempt` asks for.
    """
    from snakemake.rules import Rule

    Rule.restart_times = property(lambda rule: 0, lambda rule, retries: None)
