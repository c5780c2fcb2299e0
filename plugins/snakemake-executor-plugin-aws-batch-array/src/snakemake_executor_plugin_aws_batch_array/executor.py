"""The executor: takes Snakemake's jobs, hands them to the dispatcher, reports how they ended.

Decision 60.
"""

from __future__ import annotations

import asyncio
import getpass
import random
import shlex
import threading
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.logging import LoggerExecutorInterface
from snakemake_interface_executor_plugins.utils import encode_target_jobs_cli_args, join_cli_args
from snakemake_interface_executor_plugins.workflow import WorkflowExecutorInterface

from snakemake_executor_plugin_aws_batch_array.arrays import ArrayGroup, group_into_arrays
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.batch import BatchClient
from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.definitions import JobDefinitions
from snakemake_executor_plugin_aws_batch_array.deployment import resolve_deployment
from snakemake_executor_plugin_aws_batch_array.dispatch import Dispatcher, Parcel, Run, Ticket
from snakemake_executor_plugin_aws_batch_array.environment import left_behind, passed_variables
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.identity import (
    default_run_id,
    job_identity,
    result_options,
    safe_name,
    sources_fingerprint,
)
from snakemake_executor_plugin_aws_batch_array.logs import log_tail
from snakemake_executor_plugin_aws_batch_array.outputs import Outputs
from snakemake_executor_plugin_aws_batch_array.resources import JobResources, read_resources
from snakemake_executor_plugin_aws_batch_array.rule_logs import rule_log_tails
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings, check_settings
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.versions import PLUGIN, installed_versions
from snakemake_executor_plugin_aws_batch_array.watch import MAX_LOGS, Watcher

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0
"""Pause between two polls, as shares of ``--seconds-between-status-checks``."""

_MIN_PAUSE_S = 0.1


@dataclass(frozen=True)
class _ReadyJob:
    """A job with what it asks for, ready to be claimed or submitted."""

    job: JobExecutorInterface
    rule: str
    queue: str
    resources: JobResources
    command: Command

    @property
    def likeness(self) -> tuple[str, str, JobResources]:
        """Equal for jobs that may share an array."""
        return self.rule, self.queue, self.resources


class Executor(RemoteExecutor):
    """Runs Snakemake's jobs as AWS Batch array jobs."""

    def __init__(
        self, workflow: WorkflowExecutorInterface, logger: LoggerExecutorInterface
    ) -> None:
        # The thread that polls starts before `__post_init__`.
        self._wake = threading.Event()
        self._pause_s = 1.0
        super().__init__(workflow, logger)

    def __post_init__(self) -> None:
        """Resolve settings; whatever is wrong with them is said before any job starts."""
        remote = self.workflow.remote_execution_settings
        if remote.immediate_submit or remote.precommand:
            raise UserError(
                "--immediate-submit and --precommand do not work with the aws-batch-array "
                "executor: take them out, and put into the image what the precommand does."
            )
        settings: ExecutorSettings = self.workflow.executor_settings
        check_settings(settings)
        storage = self.workflow.storage_settings
        self._settings = settings
        self._deployment = resolve_deployment(
            settings,
            storage.default_storage_prefix,
            lambda: make_client("cloudformation", settings.region),
        )
        client = make_client("batch", settings.region)
        self._definitions = JobDefinitions(
            client, self._deployment, settings, remote.container_image
        )
        self._region = client.meta.region_name
        self._run_id = safe_name(settings.run_id or "", 40) or default_run_id(
            Path.cwd().name, str(self.get_snakefile()), storage.default_storage_prefix or ""
        )
        store = RunStore(make_client("s3", settings.region), self._deployment.lists / self._run_id)
        batch = BatchClient(settings.region)
        logs = partial(log_tail, make_client("logs", settings.region))
        watcher = Watcher(batch, store, logs, self._deployment.log_group, settings.stuck_after)
        self._dispatcher = Dispatcher(batch, store, watcher)
        self._outputs = Outputs()
        self.logger.info(f"AWS Batch run {self._run_id}, lists and outcomes: {store.root}")

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submit a single job."""
        self.run_jobs([job])

    def run_jobs(self, jobs: list[JobExecutorInterface]) -> None:
        """Submit all jobs that are ready, those alike as one array.

        Each job is submitted or reported as an error; an exception would cancel the whole run.
        """
        ready = []
        self._outputs.will_change(jobs)
        for job in jobs:
            self.run_job_pre(job)
            try:
                prepared = self._prepare(job)
                ticket = self._dispatcher.claim(prepared.command)
            except Exception as error:
                self._refuse(job, error)
                continue
            if ticket is None:
                ready.append(prepared)
            else:
                self._report_submission(job, ticket)
        groups = group_into_arrays(ready, lambda item: item.likeness, self._settings.size)
        for group in groups:
            self._submit(group)
        self._hurry()

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report the jobs that ended and yield the others; no exception leaves this method."""
        if not active_jobs:
            return
        moved = False
        async with self.status_rate_limiter:
            try:
                moved = self._dispatcher.poll(time.monotonic())
            except Exception as error:
                self.logger.warning(f"AWS could not be asked for the state of jobs: {error}")
        verdicts = [self._dispatcher.verdict(info.aux["ticket"]) for info in active_jobs]
        decided = list(zip(active_jobs, verdicts, strict=True))
        succeeded = [info for info, verdict in decided if verdict is not None and verdict.succeeded]
        self._note_outputs(succeeded)
        # Without a pause between them, so that the scheduler offers what follows in one go.
        for info in succeeded:
            self.report_job_success(info)
        n_logs = 0
        for info, verdict in decided:
            if verdict is None:
                yield info
                continue
            if not verdict.succeeded:
                logs = rule_log_tails(info.job) if n_logs < MAX_LOGS else []
                n_logs += len(logs)
                self._report_failure(info, "\n".join([verdict.message, *logs]))
            self._dispatcher.settle(info.aux["ticket"])
        self._pace(moved)

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """End all jobs of this run; Snakemake's own list is empty while a poll is under way."""
        self.logger.info("Ending all AWS Batch jobs of this run...")
        self._wake.set()
        try:
            self._dispatcher.cancel("Snakemake was interrupted")
        except Exception as error:
            self.logger.error(
                f"Some AWS Batch jobs of run {self._run_id} could not be ended: {error}"
            )

    def shutdown(self) -> None:
        """Stop polling and close what is decided."""
        with self.lock:
            self.wait = False
        self._wake.set()
        super().shutdown()
        self._outputs.detach()
        self._dispatcher.close_decided()

    async def sleep(self) -> None:
        """Pause between two polls, unless something wakes this executor up."""
        jitter = random.uniform(0.8, 1.2)  # noqa: S311
        await asyncio.to_thread(self._wake.wait, self._pause_s * jitter)
        if self.wait:
            self._wake.clear()

    def _hurry(self) -> None:
        """Poll at the shortest pause again: new jobs have come."""
        self._pace(moved=True)
        self._wake.set()

    def _pace(self, moved: bool) -> None:
        """Poll often while jobs end, ever more rarely while nothing happens."""
        usual_s = self.workflow.remote_execution_settings.seconds_between_status_checks
        shortest_s = max(_MIN_PAUSE_S, usual_s * _SHORTEST_PAUSE)
        longest_s = max(_MIN_PAUSE_S, usual_s * _LONGEST_PAUSE)
        self._pause_s = shortest_s if moved else min(longest_s, self._pause_s * 1.5)

    def _prepare(self, job: JobExecutorInterface) -> _ReadyJob:
        resources = read_resources(dict(job.resources.items()), self._settings.task_timeout)
        rules = "-".join(sorted(set(job.rules)))
        target = tuple(sorted(encode_target_jobs_cli_args(job.get_target_spec())))
        command = Command(
            target=target,
            arguments=tuple(shlex.split(self.get_job_args(job))),
            identity=job_identity(self._sources, self._result_options, target),
        )
        queue = self._deployment.queue(resources.queue, resources.gpus)
        return _ReadyJob(job, rules, queue, resources, command)

    def _submit(self, group: ArrayGroup[_ReadyJob]) -> None:
        first = group.jobs[0]
        try:
            parcel = Parcel(
                rule=first.rule,
                queue=first.queue,
                definition=self._definitions.for_queue(first.queue),
                vcpus=first.resources.vcpus,
                memory_mib=first.resources.memory_mib,
                gpus=first.resources.gpus,
                command_timeout_s=first.resources.timeout_s,
                commands=tuple(item.command for item in group.jobs),
                n_children=group.n_children,
            )
            tickets = self._dispatcher.submit(self._run, parcel)
        except Exception as error:
            for item in group.jobs:
                self._refuse(item.job, error)
            return
        for item, ticket in zip(group.jobs, tickets, strict=True):
            self._report_submission(item.job, ticket)
        self.logger.info(
            f"Submitted {len(group.jobs)} jobs of {first.rule} to {first.queue} as "
            f"{group.n_children} AWS Batch children: {tickets[0].list_name}"
        )

    def _report_submission(self, job: JobExecutorInterface, ticket: Ticket) -> None:
        external_id = self._dispatcher.external_id(ticket)
        self.report_job_submission(SubmittedJobInfo(job, external_id, {"ticket": ticket}))

    def _note_outputs(self, succeeded: list[SubmittedJobInfo]) -> None:
        try:
            self._outputs.have_changed(info.job for info in succeeded)
        except (BotoCoreError, ClientError) as error:
            self.logger.debug(f"Outputs could not be listed, they are asked for singly: {error}")

    def _refuse(self, job: JobExecutorInterface, error: Exception) -> None:
        self._report_failure(SubmittedJobInfo(job), f"Not submitted to AWS Batch: {error}")

    def _report_failure(self, info: SubmittedJobInfo, message: str) -> None:
        if info.job.is_group():
            # Snakemake shows no message for a group.
            self.logger.error(message)
        self.report_job_error(info, msg=f"{message}\n")

    @cached_property
    def _run(self) -> Run:
        declared = self.envvars()
        named = [name.strip() for name in (self._settings.pass_envvars or "").split(",")]
        environment = passed_variables(declared, named)
        missing = left_behind(declared, environment)
        if missing:
            self.logger.warning(
                f"The jobs do not get the environment variables {', '.join(missing)} from here: "
                "put them into the job definition, as secrets if they are, or name them in "
                "--aws-batch-array-pass-envvars."
            )
        storage = self.workflow.storage_settings.default_storage_provider
        return Run(
            run_id=self._run_id,
            region=self._region,
            attempts=self._settings.attempts,
            tags={
                **(self._settings.tags or {}),
                "snakemake-run": self._run_id,
                "snakemake-user": safe_name(getpass.getuser(), 128),
            },
            versions=installed_versions(
                ["snakemake", PLUGIN, f"snakemake-storage-plugin-{storage}"]
            ),
            environment=environment,
            deploy=self._deploy_arguments,
            arguments=self._shared_arguments,
        )

    @cached_property
    def _shared_arguments(self) -> tuple[str, ...]:
        general = self.workflow.spawned_job_args_factory.general_args(
            executor_common_settings=self.common_settings
        )
        more = [
            *("--snakefile", self.get_snakefile()),
            *("--mode", self.get_exec_mode().item_to_choice()),
        ]
        return (*shlex.split(join_cli_args([general, *self.additional_general_args()])), *more)

    @cached_property
    def _deploy_arguments(self) -> tuple[str, ...]:
        precommand = self.workflow.spawned_job_args_factory.precommand(
            executor_common_settings=self.common_settings
        )
        # python -m snakemake --deploy-sources ...
        return tuple(shlex.split(precommand)[3:])

    @cached_property
    def _sources(self) -> str:
        return sources_fingerprint(self.workflow.dag.get_sources())

    @cached_property
    def _result_options(self) -> list[str]:
        return result_options(self._shared_arguments)
