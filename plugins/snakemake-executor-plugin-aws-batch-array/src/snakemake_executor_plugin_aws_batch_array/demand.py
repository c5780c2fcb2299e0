"""Why Snakemake wants a job: forced, an input is newer, or an output is missing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.workflow import WorkflowExecutorInterface

from snakemake_executor_plugin_aws_batch_array.identity import output_digests
from snakemake_executor_plugin_aws_batch_array.left import Demand
from snakemake_executor_plugin_aws_batch_array.listing import find_objects

STORAGE_PLUGIN = "snakemake_storage_plugin_s3"


def singles(job: JobExecutorInterface) -> Iterable[Any]:
    """Return the jobs of a group, or the job itself."""
    return job.jobs if job.is_group() else [job]


def digests_of(job: JobExecutorInterface, target: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the digests of all files that a job makes."""
    return output_digests((str(file) for one in singles(job) for file in one.output), target)


def wanted_files(workflow: WorkflowExecutorInterface) -> frozenset[str]:
    """Return the digests of all files that a workflow makes, as far as it is known by now."""
    return frozenset(digest for job in workflow.dag.jobs for digest in digests_of(job))


def find_demands(
    workflow: WorkflowExecutorInterface, jobs: Sequence[JobExecutorInterface]
) -> list[Demand]:
    """Return the demand for each job.

    Snakemake's own reasons do not tell whether what an earlier controller began still serves: it
    knows nothing of it. So the times of inputs and the existence of outputs are looked up anew.
    """
    inputs = [list(_files(job, "input")) for job in jobs]
    outputs = [list(_files(job, "output")) for job in jobs]
    times = _find_times([*(f for each in inputs for f in each), *(f for e in outputs for f in e)])
    demands = []
    for job, read, made in zip(jobs, inputs, outputs, strict=True):
        known = [time for file in read if (time := times.get(file.storage_object.query))]
        demands.append(
            Demand(
                forced=any(_is_forced(workflow, one) for one in singles(job)),
                inputs_s=max(known, default=None),
                has_outputs=all(file.storage_object.query in times for file in made),
            )
        )
    return demands


def _is_forced(workflow: WorkflowExecutorInterface, job: Any) -> bool:  # noqa: ANN401
    """Whether the user forces a single job.

    ``--rerun-incomplete`` forces all that a dead controller began, the very jobs to be taken up.
    """
    dag, asked = workflow.dag, workflow.dag_settings
    if not dag.reason(job).forced:
        return False
    if not asked.force_incomplete or asked.forceall or job.rule in dag.forcerules:
        return True
    if asked.forcetargets and job in dag.targetjobs:
        return True
    made = [f"/{file.storage_object.query if file.is_storage else file}" for file in job.output]
    return any(name.endswith(f"/{file}") for name in made for file in asked.forcerun)


def _files(job: JobExecutorInterface, kind: str) -> Iterator[Any]:
    """Yield the files of a job in storage; not those between the jobs of a group, nor old ones."""
    made = {str(file) for one in singles(job) for file in one.output}
    for one in singles(job):
        for file in getattr(one, kind):
            between = kind == "input" and str(file) in made
            passing = kind == "output" and job.is_group() and file.flags.get("temp")
            ancient = kind == "input" and file.is_ancient
            if file.is_storage and not (between or passing or ancient):
                yield file


def _find_times(files: Iterable[Any]) -> dict[str, float]:
    """Return when each file that exists was last written, by its query."""
    by_bucket: dict[str, dict[str, Any]] = defaultdict(dict)
    times: dict[str, float] = {}
    for file in files:
        item = file.storage_object
        if type(item).__module__ == STORAGE_PLUGIN:
            by_bucket[item.bucket][item.key] = item
        elif item.exists():
            times[item.query] = item.mtime()
    for bucket, items in by_bucket.items():
        client = next(iter(items.values())).provider.s3c.meta.client
        facts = find_objects(client, bucket, items.keys(), whole_folders=True)
        times |= {items[key].query: fact.mtime for key, fact in facts.items()}
    return times
