"""Entry point of the container: read the list, run this child's slice (decision 64)."""

import os
import sys
import tempfile
from pathlib import Path

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from snakemake_executor_plugin_aws_batch_array.aws import make_client, may_pass
from snakemake_executor_plugin_aws_batch_array.command_list import UnreadableListError
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.pilots.channel import StoreChannel
from snakemake_executor_plugin_aws_batch_array.store import ChangedListError, RunStore
from snakemake_executor_plugin_aws_batch_array.submission import TRY_AGAIN_EXIT_CODE
from snakemake_executor_plugin_aws_batch_array.versions import installed_versions, mismatches
from snakemake_executor_plugin_aws_batch_array.worker.assignment import read_assignment
from snakemake_executor_plugin_aws_batch_array.worker.host import find_host
from snakemake_executor_plugin_aws_batch_array.worker.pilot import PilotWork
from snakemake_executor_plugin_aws_batch_array.worker.process import ProcessRunner
from snakemake_executor_plugin_aws_batch_array.worker.say import say
from snakemake_executor_plugin_aws_batch_array.worker.snakemake_call import (
    call_snakemake,
    warm_up,
)
from snakemake_executor_plugin_aws_batch_array.worker.work import Work

REFUSED_EXIT_CODE = 78
"""The worker cannot start at all (``EX_CONFIG``): wrong versions, changed list."""


def main() -> int:
    """Run this child's slice and return the exit code."""
    runner = ProcessRunner()
    assignment = read_assignment(os.environ)
    store = RunStore(make_client("s3"), assignment.run_root)
    command_list = store.get_list(assignment.list_name, assignment.list_checksum)
    differences = mismatches(command_list.versions, installed_versions(command_list.versions))
    if differences:
        raise UserError(
            f"Build the image with the controller's versions: {'; '.join(differences)}."
        )
    warm_up()
    with tempfile.TemporaryDirectory(prefix="aws-batch-array-") as folder:
        os.chdir(folder)
        host = find_host()
        try:
            if command_list.is_of_pilots:
                channel = StoreChannel(store)
                return PilotWork(
                    assignment, command_list, store, channel, runner, call_snakemake, host
                ).run()
            return Work(assignment, command_list, store, runner, call_snakemake, host).run()
        finally:
            os.chdir(Path(folder).parent)


def run() -> int:
    """Run `main`; what is known to go wrong is one line and an exit code."""
    try:
        return main()
    except (UserError, ChangedListError, UnreadableListError) as error:
        say(str(error))
        return REFUSED_EXIT_CODE
    except (ClientError, HTTPClientError, NoConnectionError) as error:
        if not may_pass(error):
            raise
        say(f"AWS is too busy or out of reach; another attempt may do better: {error}")
        return TRY_AGAIN_EXIT_CODE


if __name__ == "__main__":
    sys.exit(run())
