"""What jobs will need that are not ready yet: pilots are as large, if it is worth it."""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from snakemake_executor_plugin_aws_batch_array.definitions import JobDefinitions
from snakemake_executor_plugin_aws_batch_array.deployment import Deployment
from snakemake_executor_plugin_aws_batch_array.fargate import fit
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind
from snakemake_executor_plugin_aws_batch_array.pilots.sizes import Ahead
from snakemake_executor_plugin_aws_batch_array.resources import read_resources

_JOBS_ASKED = 5
"""Of one rule; what a job needs may go by its wildcards."""


def kinds_ahead(
    workflow: Any,  # noqa: ANN401 - Snakemake's
    deployment: Deployment,
    definitions: JobDefinitions,
) -> list[Ahead]:
    """Return what the rules of a workflow need of their machines, as far as is known by now.

    Nothing is known of what cannot be told before inputs are there. Jobs of another image or shared
    memory are left out, for they need pilots of their own.
    """
    n_jobs: Counter[str] = Counter()
    found: dict[str, dict[Kind | None, list[float | None]]] = {}
    for job in workflow.dag.needrun_jobs():
        rule = job.rule.name
        n_jobs[rule] += not job.is_local
        if n_jobs[rule] > _JOBS_ASKED or job.is_local:
            continue
        kind = work_s = None
        with suppress(Exception):
            # Not by the job, which would keep what is not known yet.
            values = job.rule.expand_resources(
                job.wildcards_dict, job.input, job.attempt, skip_evaluation={"tmpdir"}
            )
            needed = read_resources(dict(values.items()), None)
            if needed.image or needed.shared_memory_mib is not None:
                continue
            queue = deployment.queue(needed.queue, needed.gpus)
            if deployment.is_fargate(queue):
                needed = fit(needed)
            definition = definitions.for_job(queue)
            kind = Kind(queue, definition, needed.vcpus, needed.memory_mib, needed.gpus)
            work_s = needed.work_s
        found.setdefault(rule, {}).setdefault(kind, []).append(work_s)
    return [each for rule, kinds in found.items() for each in _shares(n_jobs[rule], kinds)]


def _shares(n_jobs: int, kinds: dict[Kind | None, list[float | None]]) -> Iterator[Ahead]:
    """Yield what all jobs of a rule need, each kind for its share of those that were asked."""
    n_asked = sum(map(len, kinds.values()))
    for kind, works_s in kinds.items():
        n_alike = math.ceil(n_jobs * len(works_s) / n_asked)
        known = [work_s for work_s in works_s if work_s is not None]
        whole = len(known) == len(works_s)
        yield Ahead(kind, n_alike, n_alike * sum(known) / len(known) if whole else None)
