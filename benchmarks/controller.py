"""How benchmarks of the executor call Snakemake: an emulated account, a profile, a warm Python."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from warm import warm_image, warm_python

from aws_batch_emulator import Emulator, start

BUCKET = "tomobatch-data"
LATE = {"lists_s": 12.0, "arrays_s": 5.0, "logs_s": 12.0}
"""Seconds by which an account lags that is late by far."""


@contextmanager
def account(lag_s: float = 0.5, slots: int = 2) -> Iterator[tuple[Emulator, Path]]:
    """Start an emulator and a warm Python, and make its user that of this process."""
    with (
        warm_python() as python,
        start(
            bucket=BUCKET, grace_s=5, lag_s=lag_s, slots=slots, variables=warm_image(python)
        ) as emulator,
    ):
        os.environ.update(emulator.environment)
        yield emulator, python


def command(python: Path, run_id: str, prefix: str, *more: str) -> list[str]:
    """Return the command of a controller that goes on where an earlier one was killed."""
    return [
        str(python),
        *("-m", "snakemake", "--executor=aws-batch-array", "--aws-batch-array-stack=tomobatch"),
        f"--aws-batch-array-run-id={run_id}",
        *("--default-storage-provider=s3", f"--default-storage-prefix=s3://{BUCKET}/{prefix}"),
        *(f"--storage-s3-region={os.environ['AWS_REGION']}", "--storage-s3-retries=10"),
        *("--jobs=1000", "--max-jobs-per-timespan=10000/1s", "--seconds-between-status-checks=1"),
        *("--default-resources=mem_mb=100", "--nolock", "--rerun-incomplete"),
        *more,
    ]
