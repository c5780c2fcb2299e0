"""What the children of a big array do here: report as the worker does, inside the emulator."""

import time
from dataclasses import replace

from moto.s3.models import s3_backends

from snakemake_executor_plugin_aws_batch_array.command_list import Attempt, ChildOutcomes
from snakemake_executor_plugin_aws_batch_array.store import S3Path

ACCOUNT = "123456789012"


def report(command, environment):
    """Write the start and the outcomes of one child, and succeed."""
    list_path = S3Path.parse(environment["LIST_FILE_S3_PATH"])
    root, name = list_path.key.removesuffix(".json").split("/lists/")
    child = environment.get("AWS_BATCH_JOB_ARRAY_INDEX", "0")
    now_ms = time.time_ns() // 1_000_000
    machine = ("i-0123456789abcdef0", "c7a.2xlarge", "eu-central-1a", "spot")
    started = Attempt(1, now_ms, *machine)
    bucket = s3_backends[ACCOUNT]["aws"]
    for attempt in (started, replace(started, stopped_ms=now_ms + 1000, finished=True)):
        key = f"{root}/attempts/{name}/{child}_{attempt.to_key()}"
        bucket.put_object(list_path.bucket, key, b"")
    outcomes = ChildOutcomes(int(child)).to_bytes()
    bucket.put_object(list_path.bucket, f"{root}/outcomes/{name}/{child}.json", outcomes)
    return 0
