"""Outputs of jobs on S3, as the controller's storage plugin sees them.

Works round three things of snakemake-storage-plugin-s3 0.3:

- For every output Snakemake asks whether it exists (twice), when it was written, and, as input of
  the next job, whether it exists and how large it is: six requests. The outputs of a scatter are
  neighbours, so that one listing of 1,000 keys knows all of it. Of others one request does.
- An output that is missing ends the whole run with an exception, when it should fail its job.
- A folder that was not there when the plugin first looked is never there for it, so that a
  directory output made by a job is reported as missing.

Decision 65.
"""

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface

from snakemake_executor_plugin_aws_batch_array.demand import STORAGE_PLUGIN, singles
from snakemake_executor_plugin_aws_batch_array.listing import ObjectFact, find_objects

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
            for _, _, item in _stored_outputs(job):
                if _is_on_s3(item):
                    self._forget(item)

    def find(self, jobs: Sequence[JobExecutorInterface]) -> list[list[str]]:
        """Look for the outputs of jobs that have succeeded.

        Returns
        -------
        list of list of str
            Of each job, the addresses of the outputs that are missing.
        """
        made = [list(_needed_outputs(job)) for job in jobs]
        alike: dict[tuple[str, int, str], list[Any]] = defaultdict(list)
        for (rule, position), item in (each for of_job in made for each in of_job):
            if _is_on_s3(item):
                item._is_dir = None
                alike[rule, position, item.bucket].append(item)
        there = set()
        for (_, _, bucket), items in alike.items():
            self._attach(type(items[0]))
            client = items[0].provider.s3c.meta.client
            facts = find_objects(client, bucket, {item.key for item in items})
            there |= {(bucket, key) for key in facts}
            self._facts |= {
                (bucket, key): fact for key, fact in facts.items() if not fact.is_folder
            }
        return [
            [
                item.query
                for _, item in of_job
                if not ((item.bucket, item.key) in there if _is_on_s3(item) else item.exists())
            ]
            for of_job in made
        ]

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


def _is_on_s3(item: Any) -> bool:  # noqa: ANN401 - an object of any storage plugin
    return type(item).__module__ == STORAGE_PLUGIN


def _stored_outputs(job: JobExecutorInterface) -> Iterator[tuple[tuple[str, int], Any, Any]]:
    """Yield rule and position of each output in storage, the file and its storage object."""
    for single in singles(job):
        benchmark = [single.benchmark] if single.benchmark else []
        for position, file in enumerate([*single.output, *benchmark]):
            if file.is_storage:
                yield (single.rule.name, position), file, file.storage_object


def _needed_outputs(job: JobExecutorInterface) -> Iterator[tuple[tuple[str, int], Any]]:
    """Yield the outputs that must be there when a job has succeeded.

    Those that only other jobs of its group need are gone by then.
    """
    for where, file, item in _stored_outputs(job):
        flags = file.flags
        passing = job.is_group() and (flags.get("temp") or flags.get("nodelocal"))
        if not (passing or flags.get("pipe") or flags.get("service")):
            yield where, item
