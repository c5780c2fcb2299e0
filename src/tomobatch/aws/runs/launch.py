"""Starts a run: what Snakemake is told, and the job that runs it while the laptop is closed.

Decision 96.
"""

import getpass
import hashlib
import itertools
import time
from collections.abc import Sequence
from dataclasses import replace

from snakemake_executor_plugin_aws_batch_array.identity import tag_value
from snakemake_executor_plugin_aws_batch_array.store import S3Path
from snakemake_executor_plugin_aws_batch_array.submission import Submission
from tomobatch.aws.runs.observe import HEAD
from tomobatch.aws.runs.place import Place
from tomobatch.aws.runs.record import Controller, RunRecord, put_record
from tomobatch.errors import UserError

# As the stacks define the head job: reading the plan of large scans needs memory, not cores.
_VCPUS = 1
_MEMORY_MIB = 3500
_ATTEMPTS = 10
"""A controller that lost its machine is started again and takes up what runs."""


def snakemake_arguments(record: RunRecord, sheet: str) -> list[str]:
    """Return what ``snakemake`` is told to carry out a run.

    Results lie on S3, where a lock of this folder protects nothing; controllers of one run share
    its lists instead.
    """
    folder = record.results.rsplit("/", 1)[1]
    said: dict[str, int | None] = {"size": record.size, "pilots": record.pilots}
    if any(n is not None for n in said.values()):
        # A plan is whole: what it does not say, the profile must not add.
        said |= {"pilots": record.pilots or 0, "child-minutes": 0}
    children = [(f"--aws-batch-array-{name}", str(n)) for name, n in said.items() if n is not None]
    return [
        "--profile",
        record.profile,
        "--aws-batch-array-run-id",
        record.name,
        *itertools.chain(*children),
        "--nolock",
        "--rerun-incomplete",
        "--config",
        f"scans={sheet}",
        f"results={folder}",
    ]


def sheet_of(record: RunRecord) -> str:
    """Return the sheet of a run's scans, in the folder of the Snakefile."""
    return f"results-aws/{record.name}.tsv"


def submit_head(
    place: Place, record: RunRecord, sources: S3Path, checksum: str, arguments: Sequence[str]
) -> RunRecord:
    """Submit the controller as a job, note it in the record, and return the record."""
    now_ms = time.time_ns() // 1_000_000
    digest = hashlib.sha256(f"{now_ms}{checksum}".encode()).hexdigest()[:12]
    submission = Submission(
        name=f"{record.name}-{HEAD}-{digest}",
        queue=place.output("CpuJobQueue"),
        definition=place.output("HeadJobDefinition"),
        n_children=1,
        command=("python", "-m", "tomobatch.aws.runs.head", str(sources), checksum, *arguments),
        environment=_environment(place),
        vcpus=_VCPUS,
        memory_mib=_MEMORY_MIB,
        gpus=0,
        timeout_s=None,
        attempts=_ATTEMPTS,
        tags={
            "snakemake-run": record.name,
            "snakemake-rule": HEAD,
            "snakemake-user": tag_value(getpass.getuser()),
        },
        share=place.share,
    )
    job_id = place.batch.submit(submission)
    started = replace(record, detached=True, controller=Controller(job_id=job_id))
    try:
        put_record(place, started)
    except Exception as error:
        _end_unrecorded(place, job_id, error)
        raise
    return started


def _end_unrecorded(place: Place, job_id: str, why: Exception) -> None:
    """End a controller that has no record, by which alone a run is found and stopped."""
    try:
        place.batch.terminate(job_id, "its record could not be written")
    except Exception as error:
        raise UserError(
            f"a run was started, and its record could not be written ({why}): end Batch job "
            f"{job_id} in the console of AWS Batch, which could not be ended either ({error})"
        ) from error


def _environment(place: Place) -> dict[str, str]:
    """Return what the controller is told of its deployment, and whose share its jobs count for."""
    environment = {"TOMOBATCH_STACK": place.stack, "TOMOBATCH_BUCKET": place.bucket}
    # The jobs get the image that the controller has, whatever is deployed before it starts.
    definitions = {
        queue: place.outputs[name]
        for queue in ("cpu", "gpu", "fargate")
        if (name := f"{queue.capitalize()}JobDefinition") in place.outputs
    }
    environment["SNAKEMAKE_AWS_BATCH_ARRAY_JOB_DEFINITIONS"] = ",".join(
        f"{queue}={definition}" for queue, definition in definitions.items()
    )
    if place.share:
        environment["SNAKEMAKE_AWS_BATCH_ARRAY_SHARE_IDENTIFIER"] = place.share
    return environment
