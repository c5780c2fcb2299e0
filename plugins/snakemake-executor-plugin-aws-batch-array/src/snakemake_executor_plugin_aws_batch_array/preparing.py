"""From a job of Snakemake to a command: what it is told, what it asks for, what identifies it."""

import getpass
import json
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.utils import join_cli_args

from snakemake_executor_plugin_aws_batch_array.arrays import ArrayGroup, group_into_arrays
from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.demand import digests_of, singles
from snakemake_executor_plugin_aws_batch_array.deployment import Deployment
from snakemake_executor_plugin_aws_batch_array.environment import left_behind, passed_variables
from snakemake_executor_plugin_aws_batch_array.fargate import fit
from snakemake_executor_plugin_aws_batch_array.identity import (
    job_identity,
    result_options,
    sources_fingerprint,
    tag_value,
)
from snakemake_executor_plugin_aws_batch_array.parcels import Parcel, Run
from snakemake_executor_plugin_aws_batch_array.resources import JobResources, read_resources
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings
from snakemake_executor_plugin_aws_batch_array.source_archive import pack, shipped
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.targets import encode_targets, split_exactly
from snakemake_executor_plugin_aws_batch_array.versions import PLUGIN, installed_versions


@dataclass(frozen=True)
class ReadyJob:
    """A job with what it asks for, ready to be claimed or submitted."""

    job: JobExecutorInterface
    rule: str
    queue: str
    resources: JobResources
    command: Command

    @property
    def likeness(self) -> Hashable:
        """Equal for jobs that may share an array."""
        return self.rule, self.queue, self.resources.likeness


def parcel_of(group: ArrayGroup[ReadyJob], definition: str) -> Parcel:
    """Return what is submitted of a group of jobs that are alike: the largest amounts of any."""
    first, asked = group.jobs[0], [item.resources for item in group.jobs]
    times = (each.timeout_s for each in asked)
    return Parcel(
        rule=first.rule,
        queue=first.queue,
        definition=definition,
        vcpus=first.resources.vcpus,
        memory_mib=max(each.memory_mib for each in asked),
        gpus=first.resources.gpus,
        command_timeout_s=max((time for time in times if time is not None), default=None),
        commands=tuple(item.command for item in group.jobs),
        n_children=group.n_children,
    )


@dataclass
class Preparation:
    """Prepares the jobs of one run.

    Attributes
    ----------
    executor
        Knows the workflow.
    settings, deployment
        What the user and the stacks say.
    run_id, region
        Of the run.
    store
        Where the sources go.
    """

    executor: RemoteExecutor
    settings: ExecutorSettings
    deployment: Deployment
    run_id: str
    region: str
    store: RunStore

    def prepare(self, job: JobExecutorInterface) -> ReadyJob:
        """Prepare a job.

        Raises
        ------
        UserError
            If its resources cannot be had.
        """
        resources = read_resources(dict(job.resources.items()), self.settings.task_timeout)
        rules = "-".join(sorted(set(job.rules)))
        targets = encode_targets(job.get_target_spec())
        target = tuple(sorted(targets))
        command = Command(
            target=target,
            arguments=("--target-jobs", *targets, *self._other_arguments(job, resources.vcpus)),
            identity=job_identity(self._sources, self._result_options, target, [*_details(job)]),
            outputs=digests_of(job, target),
        )
        queue = self.deployment.queue(resources.queue, resources.gpus)
        if self.deployment.is_fargate(queue):
            resources = fit(resources)
        return ReadyJob(job, rules, queue, resources, command)

    def group(self, ready: Iterable[ReadyJob]) -> list[ArrayGroup[ReadyJob]]:
        """Return what is to be submitted together, and as how many children."""
        return group_into_arrays(
            ready,
            lambda item: item.likeness,
            self.settings.size,
            self.settings.by_work,
            lambda item: item.resources.work_s,
        )

    @cached_property
    def run(self) -> Run:
        """What all submissions have in common; the sources lie on S3 then."""
        workflow = self.executor.workflow
        declared = self.executor.envvars()
        named = [name.strip() for name in (self.settings.pass_envvars or "").split(",")]
        environment = passed_variables(declared, named)
        missing = left_behind(declared, environment)
        if missing:
            self.executor.logger.warning(
                f"The jobs do not get the environment variables {', '.join(missing)} from here: "
                "put them into the job definition, as secrets if they are, or name them in "
                "--aws-batch-array-pass-envvars."
            )
        storage = workflow.storage_settings.default_storage_provider
        return Run(
            run_id=self.run_id,
            region=self.region,
            attempts=self.settings.attempts,
            tags={
                **(self.settings.tags or {}),
                "snakemake-run": self.run_id,
                "snakemake-user": tag_value(getpass.getuser()),
            },
            versions=installed_versions(
                ["snakemake", PLUGIN, f"snakemake-storage-plugin-{storage}"]
            ),
            environment=environment,
            sources=self._put_sources(),
            arguments=self._shared_arguments,
            share=self.deployment.share,
            priority=self.settings.priority,
        )

    def _other_arguments(self, job: JobExecutorInterface, vcpus: int) -> tuple[str, ...]:
        """Return what Snakemake tells a job beside its targets, which come first.

        A group has the cores that are reserved for it: its jobs on both ends of a pipe must run at
        once, and would wait for ever on a machine that shows fewer.
        """
        arguments = split_exactly(lambda: self.executor.get_job_args(job))
        others = list(arguments[1 + len(job.get_target_spec()) :])
        if job.is_group():
            others[others.index("--cores") + 1] = str(vcpus)
        return tuple(others)

    def _put_sources(self) -> str:
        return self.store.put_sources(pack(self._shipped))

    @cached_property
    def _shared_arguments(self) -> tuple[str, ...]:
        executor = self.executor

        def line() -> str:
            general = executor.workflow.spawned_job_args_factory.general_args(
                executor_common_settings=executor.common_settings
            )
            return str(join_cli_args([general, *executor.additional_general_args()]))

        return (
            *split_exactly(line),
            *("--snakefile", executor.get_snakefile()),
            *("--mode", executor.get_exec_mode().item_to_choice()),
        )

    @cached_property
    def _shipped(self) -> list[str]:
        sources = self.executor.workflow.dag.get_sources()
        return shipped(sources, self.settings.leave_out or (), self.executor.logger)

    @cached_property
    def _sources(self) -> str:
        return sources_fingerprint(self._shipped)

    @cached_property
    def _result_options(self) -> list[str]:
        return result_options(self._shared_arguments)


def _details(job: JobExecutorInterface) -> Iterator[str]:
    """Yield what else determines a job's result: names of inputs, values of parameters."""
    for one in singles(job):
        yield from (str(file) for file in one.input)
        for name, value in [*one.params.items(), *enumerate(one.params)]:
            yield json.dumps([name, value], sort_keys=True, default=lambda each: str(type(each)))
