"""Outputs of jobs on S3, as the controller's storage plugin sees them.

Works round two things of snakemake-storage-plugin-s3 0.3: it asks S3 six times about every
output (see `listing`), and a folder that was not there when it first looked is never there for
it, so that a directory output made by a job is reported as missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from snakemake_executor_plugin_aws_batch_array.listing import KnownObjects


class Outputs:
    """Keeps the storage plugin up to date about the outputs of jobs."""

    def __init__(self) -> None:
        self._known: KnownObjects | None = None

    def will_change(self, jobs: Iterable[JobExecutorInterface]) -> None:
        """Forget the outputs of jobs that are about to run."""
        if self._known is not None:
            objects = (item for job in jobs for _, item in _stored_outputs(job))
            self._known.forget((item.bucket, item.key) for item in objects)

    def have_changed(self, jobs: Iterable[JobExecutorInterface]) -> None:
        """Take note of the outputs of jobs that have succeeded."""
        alike: dict[tuple[str, int, str], list[str]] = defaultdict(list)
        for job in jobs:
            for (rule, position), item in _stored_outputs(job):
                item._is_dir = None
                alike[rule, position, item.bucket].append(item.key)
                if self._known is None:
                    self._known = KnownObjects(item.provider.s3c.meta.client)
        for (_, _, bucket), keys in alike.items():
            if self._known is not None:
                self._known.learn(bucket, keys)


def _stored_outputs(job: JobExecutorInterface) -> Iterator[tuple[tuple[str, int], Any]]:
    """Yield rule and position of each output, and its object of the S3 storage plugin."""
    for single in job.jobs if job.is_group() else [job]:
        for position, file in enumerate(single.output):
            item = file.storage_object if file.is_storage else None
            if type(item).__module__ == "snakemake_storage_plugin_s3":
                yield (single.rule.name, position), item
