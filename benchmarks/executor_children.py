"""Children that only write the outputs of their jobs, called inside the emulator.

So that a benchmark of the controller is not one of the children. Serves the commands of both
plugins: a list on S3, and a command line with ``--target-jobs``.
"""

import functools
import json
import re
import shlex
import urllib.request

import boto3

from snakemake_executor_plugin_aws_batch_array.slices import balanced_slice
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.worker.assignment import read_assignment

BUCKET = "tomobatch-data"
PREFIX = "x"


def write_outputs(command: list[str], environment: dict[str, str]) -> int:
    """Write ``x/a/{i}.txt`` for each job ``a:i=...`` of the command, and return 0."""
    s3 = _client(environment)
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


_CLIENTS = []


def _client(environment: dict[str, str]):
    """Return a client with the role of the first child, which is the role of all."""
    if not _CLIENTS:
        address = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        with urllib.request.urlopen(address) as reply:  # noqa: S310 - the emulator's own
            keys = json.loads(reply.read())
        _CLIENTS.append(
            boto3.client(
                "s3",
                endpoint_url=environment["AWS_ENDPOINT_URL"],
                region_name=environment["AWS_REGION"],
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["Token"],
            )
        )
    return _CLIENTS[0]
