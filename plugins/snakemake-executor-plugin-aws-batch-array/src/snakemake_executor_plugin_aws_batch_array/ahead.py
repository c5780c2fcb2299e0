"""What jobs will need that are not ready yet: pilots are as large, if it is worth it."""

from collections import Counter
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
    found: dict[tuple[str, Kind | None], None] = {}
    for job in workflow.dag.needrun_jobs():
        rule = job.rule.name
        n_jobs[rule] += not job.is_local
        if n_jobs[rule] > _JOBS_ASKED or job.is_local:
            continue
        kind = None
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
        found[rule, kind] = None
    return [Ahead(kind, n_jobs[rule]) for rule, kind in found]
