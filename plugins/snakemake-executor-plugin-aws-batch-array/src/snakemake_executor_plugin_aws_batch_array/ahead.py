"""What jobs will need that are not ready yet: pilots are as large, if it is not too much."""

from collections import Counter
from contextlib import suppress
from typing import Any

from snakemake_executor_plugin_aws_batch_array.definitions import JobDefinitions
from snakemake_executor_plugin_aws_batch_array.deployment import Deployment
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind
from snakemake_executor_plugin_aws_batch_array.resources import read_resources

_JOBS_ASKED = 5
"""Of one rule; what a job needs may go by its wildcards."""


def kinds_ahead(
    workflow: Any,  # noqa: ANN401 - Snakemake's
    deployment: Deployment,
    definitions: JobDefinitions,
) -> list[Kind]:
    """Return the kinds of pilots that the jobs of a workflow need, as far as is known by now.

    What cannot be told before inputs are there is left out, and so are jobs of another image or
    shared memory, which need pilots of their own.
    """
    asked: Counter[str] = Counter()
    found: set[Kind] = set()
    for job in workflow.dag.needrun_jobs():
        if asked[job.rule.name] >= _JOBS_ASKED or job.is_local:
            continue
        asked[job.rule.name] += 1
        with suppress(Exception):
            # Not by the job, which would keep what is not known yet.
            values = job.rule.expand_resources(
                job.wildcards_dict, job.input, job.attempt, skip_evaluation={"tmpdir"}
            )
            needed = read_resources(dict(values.items()), None)
            if needed.image or needed.shared_memory_mib is not None:
                continue
            queue = deployment.queue(needed.queue, needed.gpus)
            definition = definitions.for_job(queue)
            found.add(Kind(queue, definition, needed.vcpus, needed.memory_mib, needed.gpus))
    return sorted(found, key=lambda kind: (kind.queue, kind.vcpus, kind.memory_mib))
