"""Lists of commands on S3 and their jobs, as the executor makes them."""

import time

from tests.deployed import BUCKET

from snakemake_executor_plugin_aws_batch_array.command_list import Command, CommandList
from snakemake_executor_plugin_aws_batch_array.submission import Submission
from snakemake_executor_plugin_aws_batch_array.worker.assignment import submission_environment


def command_list(
    rule, n_commands, n_children=None, *, run="big", queue="tomobatch-cpu", submitted_ms=None
):
    commands = tuple(
        Command((f"{rule}:scan=demo,k={k}",), ("--target-jobs", f"{rule}:scan=demo,k={k}"), "0")
        for k in range(n_commands)
    )
    now_ms = time.time_ns() // 1_000_000 if submitted_ms is None else submitted_ms
    return CommandList(
        name=f"{run}-{rule}-{now_ms:012d}",
        run=run,
        rule=rule,
        queue=queue,
        submitted_ms=now_ms,
        n_children=n_commands if n_children is None else n_children,
        vcpus=2,
        command_timeout_s=None,
        versions={},
        environment={},
        sources="",
        arguments=("--default-storage-prefix", f"s3://{BUCKET}/runs"),
        commands=commands,
    )


def submit(place, commands):
    """Put a list on S3 and submit its job; return the job's id."""
    store = place.store(commands.run)
    checksum = store.put_list(commands)
    return place.batch.submit(
        Submission(
            name=commands.name,
            queue=commands.queue,
            definition=place.output("CpuJobDefinition"),
            n_children=commands.n_children,
            command=("sleep", "600"),
            environment=submission_environment(
                store.list_path(commands.name), checksum, commands.n_children
            ),
            vcpus=commands.vcpus,
            memory_mib=500,
            gpus=0,
            timeout_s=None,
            attempts=1,
            tags={},
        )
    )
