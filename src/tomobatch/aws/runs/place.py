"""Where the runs of a deployment lie on S3, and the clients to ask about them.

::

    s3://<bucket>/scans/<file>               scans, as they were uploaded
    s3://<bucket>/runs/<run>/run.json        what was asked for, and who controls it
    s3://<bucket>/runs/<run>/sources.tar.gz  the workflow as it was then
    s3://<bucket>/runs/<run>/<scan>/...      results
    s3://<bucket>/scratch/<run>/...          lists of commands and their outcomes, which expire

Decision 98.
"""

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.batch import BatchClient
from snakemake_executor_plugin_aws_batch_array.deployment import share_in, stack_outputs
from snakemake_executor_plugin_aws_batch_array.region import find_region, region_environment
from snakemake_executor_plugin_aws_batch_array.store import RunStore, S3Path
from tomobatch.errors import UserError
from tomobatch.s3.listing import RemoteFile, list_sizes

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient as Boto3BatchClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client

DEFAULT_STACK = "tomobatch"

_TRIES = 4
"""Of one call: a user waits, so that what is down for longer than seconds is told."""


@dataclass(frozen=True)
class Place:
    """One deployment: its stacks and its bucket."""

    stack: str
    bucket: str

    @property
    def scans(self) -> S3Path:
        """Folder of the scans."""
        return S3Path(self.bucket, "scans")

    @property
    def runs(self) -> S3Path:
        """Folder of all results."""
        return S3Path(self.bucket, "runs")

    @property
    def scratch(self) -> S3Path:
        """Folder of all lists."""
        return S3Path(self.bucket, "scratch")

    def store(self, run: str) -> RunStore:
        """Return the lists of a run."""
        return RunStore(self.s3, self.scratch / run)

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return make_client("s3", max_attempts=_TRIES)

    @cached_property
    def batch(self) -> BatchClient:
        """AWS Batch, in the words of the executor."""
        return BatchClient()

    @cached_property
    def batch_calls(self) -> "Boto3BatchClient":
        """AWS Batch, for the calls that the executor does not need."""
        return make_client("batch", max_attempts=_TRIES)

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """CloudWatch Logs."""
        return make_client("logs", max_attempts=_TRIES)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """What the deployed stacks say: queues, job definitions, log group."""
        return stack_outputs(_cloudformation(), self.stack)

    @property
    def share(self) -> str:
        """Share identifier of this user's jobs; empty where the queues want none."""
        return share_in(self.outputs)

    def output(self, name: str) -> str:
        """Return one output of the stacks.

        Raises
        ------
        UserError
            If the stacks have no such output.
        """
        if name not in self.outputs:
            raise UserError(
                f"the stacks {self.stack}-* have no output {name}: they are half-deployed; "
                "run `tomobatch setup`"
            )
        return self.outputs[name]

    def files(self, folder: S3Path) -> list[RemoteFile]:
        """List the objects below a folder, named relative to it."""
        return list(list_sizes(str(folder)))

    def folders(self, folder: S3Path) -> list[str]:
        """Return the names of the folders in a folder."""
        prefix = f"{folder.key}/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=folder.bucket, Prefix=prefix, Delimiter="/"
        )
        return [
            item["Prefix"].removeprefix(prefix).rstrip("/")
            for page in pages
            for item in page.get("CommonPrefixes", [])
        ]


def find_place() -> Place:
    """Return the deployment that ``TOMOBATCH_STACK`` and ``TOMOBATCH_BUCKET`` name.

    What is not set comes from the outputs of the stacks, and is set for the Snakemake that may run
    next, whose profile reads both, and the Region.

    Raises
    ------
    UserError
        If there are no such stacks.
    """
    os.environ.update(region_environment(find_region()))
    stack = os.environ.setdefault("TOMOBATCH_STACK", DEFAULT_STACK)
    if "TOMOBATCH_BUCKET" not in os.environ:
        outputs = stack_outputs(_cloudformation(), stack)
        if "DataBucket" not in outputs:
            raise UserError(
                f"the stacks {stack}-* have no output DataBucket: they are half-deployed; "
                "run `tomobatch setup`"
            )
        os.environ["TOMOBATCH_BUCKET"] = outputs["DataBucket"]
    return Place(stack, os.environ["TOMOBATCH_BUCKET"])


def _cloudformation() -> "CloudFormationClient":
    return make_client("cloudformation", max_attempts=_TRIES)
