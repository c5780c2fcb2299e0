"""Outputs of jobs on S3, as the controller's storage plugin sees them.

Works round two things of snakemake-storage-plugin-s3 0.3:

- For every output Snakemake asks whether it exists (twice), when it was written, and, as input of
  the next job, whether it exists and how large it is: six requests. The outputs of a scatter are
  neighbours, so that one listing of 1,000 keys knows all of it. What is not known is asked as ever.
- A folder that was not there when the plugin first looked is never there for it, so that a
  directory output made by a job is reported as missing.

Decision 65.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from snakemake_executor_plugin_aws_batch_array.listing import ObjectFact, list_objects

MIN_NEIGHBOURS = 8
"""Fewer outputs than this are left to single requests."""

_STORAGE_PLUGIN = "snakemake_storage_plugin_s3"

Answer = Callable[[ObjectFact], Any]


class Outputs:
    """Answers the storage plugin about outputs that were listed after their jobs ended."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str], ObjectFact] = {}
        self._replaced: dict[str, Any] = {}
        self._storage_class: type | None = None

    def will_change(self, jobs: Iterable[JobExecutorInterface]) -> None:
        """Forget the outputs of jobs that are about to run."""
        for job in jobs:
            for _, item in _stored_outputs(job):
                self._forget(item)

    def have_changed(self, jobs: Iterable[JobExecutorInterface]) -> None:
        """Take note of the outputs of jobs that have succeeded."""
        alike: dict[tuple[str, int, str], list[Any]] = defaultdict(list)
        for job in jobs:
            for (rule, position), item in _stored_outputs(job):
                item._is_dir = None
                alike[rule, position, item.bucket].append(item)
        for (_, _, bucket), items in alike.items():
            if len(items) >= MIN_NEIGHBOURS:
                self._attach(type(items[0]))
                client = items[0].provider.s3c.meta.client
                facts = list_objects(client, bucket, [item.key for item in items])
                self._facts.update({(bucket, key): fact for key, fact in facts.items()})

    def detach(self) -> None:
        """Give the storage plugin its own methods back."""
        if self._storage_class is not None:
            for name, method in self._replaced.items():
                setattr(self._storage_class, name, method)
            self._storage_class = None

    def _attach(self, storage_class: type) -> None:
        if self._storage_class is not None:
            return
        self._storage_class = storage_class
        self._answer("exists", lambda fact: True)
        self._answer("is_dir", lambda fact: False)
        self._answer("size", lambda fact: fact.size)
        self._answer("mtime", lambda fact: fact.mtime)
        for name in ("remove", "store_object"):
            self._replace(name, self._forget)

    def _answer(self, name: str, answer: Answer) -> None:
        def look_up(item: Any) -> Any:  # noqa: ANN401
            fact = self._facts.get((item.bucket, item.key))
            return None if fact is None else answer(fact)

        self._replace(name, look_up)

    def _replace(self, name: str, instead: Callable[[Any], Any]) -> None:
        """Replace a method: what `instead` returns counts unless it is None."""
        original = getattr(self._storage_class, name)

        @functools.wraps(original)
        def method(item: Any) -> Any:  # noqa: ANN401
            found = instead(item)
            return original(item) if found is None else found

        self._replaced[name] = original
        setattr(self._storage_class, name, method)

    def _forget(self, item: Any) -> None:  # noqa: ANN401
        self._facts.pop((item.bucket, item.key), None)


def _stored_outputs(job: JobExecutorInterface) -> Iterator[tuple[tuple[str, int], Any]]:
    """Yield rule and position of each output, and its object of the S3 storage plugin."""
    for single in job.jobs if job.is_group() else [job]:
        for position, file in enumerate(single.output):
            item = file.storage_object if file.is_storage else None
            if type(item).__module__ == _STORAGE_PLUGIN:
                yield (single.rule.name, position), item
