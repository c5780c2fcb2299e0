"""Children that only write the outputs of their jobs, called inside the emulator.

So that a benchmark of the controller is not one of the children. Serves the commands of both
plugins: a list on S3, and a command line with ``--target-jobs``.
"""

import functools
import re
import shlex

import boto3

from aws_batch_emulator.environment import JOB_KEY_ID
from snakemake_executor_plugin_aws_batch_array.slices import balanced_slice
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.worker.assignment import read_assignment

BUCKET = "tomobatch-data"
PREFIX = "x"


def write_outputs(command: list[str], environment: dict[str, str]) -> int:
    """Write ``x/a/{i}.txt`` for each job ``a:i=...`` of the command, and return 0."""
    s3 = _client(environment["AWS_ENDPOINT_URL"], environment["AWS_DEFAULT_REGION"])
    for target in _targets(command, environment, s3):
        rule, _, wildcards = target.partition(":")
        name = f"{rule}/{wildcards.removeprefix('i=')}.txt" if wildcards else f"{rule}.txt"
        s3.put_object(Bucket=BUCKET, Key=f"{PREFIX}/{name}", Body=b"x")
    return 0


def _targets(command: list[str], environment: dict[str, str], s3) -> list[str]:
    if "LIST_FILE_S3_PATH" not in environment:
        (target,) = re.findall(r"--target-jobs (\S+)", command[-1])
        return shlex.split(target)
    assignment = read_assignment(environment)
    commands = _list(s3, assignment.run_root, assignment.list_name)
    part = balanced_slice(len(commands), assignment.n_children, assignment.child)
    return [target for index in part for target in commands[index].target]


@functools.lru_cache(maxsize=4)
def _list(s3, root, name):
    return RunStore(s3, root).get_list(name).commands


@functools.lru_cache(maxsize=1)
def _client(endpoint_url: str, region: str):
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=region,
        aws_access_key_id=JOB_KEY_ID,
        aws_secret_access_key="emulated",  # noqa: S106
    )
