"""The executor: takes jobs, hands them to the dispatcher, tells how they ended (decision 60)."""

import asyncio
import time
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path

from snakemake.common import get_container_image
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.jobs import JobExecutorInterface
from snakemake_interface_executor_plugins.logging import LoggerExecutorInterface
from snakemake_interface_executor_plugins.workflow import WorkflowExecutorInterface

from snakemake_executor_plugin_aws_batch_array import checkpoint_outputs, failures
from snakemake_executor_plugin_aws_batch_array.ahead import kinds_ahead
from snakemake_executor_plugin_aws_batch_array.arrays import ArrayGroup
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.definitions import JobDefinitions
from snakemake_executor_plugin_aws_batch_array.demand import find_demands, singles, wanted_files
from snakemake_executor_plugin_aws_batch_array.deployment import resolve_deployment
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.identity import default_run_id, safe_name
from snakemake_executor_plugin_aws_batch_array.outputs import Outputs
from snakemake_executor_plugin_aws_batch_array.pace import Pace
from snakemake_executor_plugin_aws_batch_array.preparing import Preparation, ReadyJob, parcel_of
from snakemake_executor_plugin_aws_batch_array.rule_logs import rule_log_tails
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings, check_settings
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.tracked import Ticket
from snakemake_executor_plugin_aws_batch_array.verdicts import MAX_LOGS, Verdict
from snakemake_executor_plugin_aws_batch_array.wiring import make_dispatcher
from snakemake_executor_plugin_aws_batch_array.words import counted


class Executor(RemoteExecutor):
    """Runs Snakemake's jobs as AWS Batch array jobs."""

    def __init__(
        self, workflow: WorkflowExecutorInterface, logger: LoggerExecutorInterface
    ) -> None:
        # The thread that polls starts before `__post_init__`.
        self._pace = Pace()
        self._reported: dict[Ticket, JobExecutorInterface] = {}
        super().__init__(workflow, logger)

    def __post_init__(self) -> None:
        """Resolve settings; whatever is wrong with them is said before any job starts."""
        remote = self.workflow.remote_execution_settings
        if remote.immediate_submit or remote.precommand:
            raise UserError(
                "--immediate-submit and --precommand do not work with the aws-batch-array "
                "executor: take them out, and put into the image what the precommand does."
            )
        self._pace.usual_s = remote.seconds_between_status_checks
        settings: ExecutorSettings = self.workflow.executor_settings
        check_settings(settings)
        storage = self.workflow.storage_settings
        self._settings = settings
        deployment = resolve_deployment(
            settings,
            storage.default_storage_prefix,
            lambda: make_client("cloudformation", settings.region),
        )
        client = make_client("batch", settings.region)
        image = remote.container_image
        self._definitions = JobDefinitions(
            client, deployment, settings, image, "" if image == get_container_image() else image
        )
        self._run_id = safe_name(settings.run_id or "", 40) or default_run_id(
            Path.cwd().name, str(self.get_snakefile()), storage.default_storage_prefix or ""
        )
        store = RunStore(make_client("s3", settings.region), deployment.lists / self._run_id)
        self._preparation = Preparation(
            self, settings, deployment, self._run_id, client.meta.region_name, store
        )
        self._dispatcher = make_dispatcher(
            settings,
            store,
            deployment,
            partial(kinds_ahead, self.workflow, deployment, self._definitions),
            self.logger.warning,
        )
        self._outputs = Outputs()
        self._taken_up: dict[Ticket, tuple[ReadyJob, SubmittedJobInfo]] = {}
        self._again: dict[JobExecutorInterface, SubmittedJobInfo] = {}
        self.logger.info(f"AWS Batch run {self._run_id}, lists and outcomes: {store.root}")

    def run_job(self, job: JobExecutorInterface) -> None:
        """Submit a single job."""
        self.run_jobs([job])

    def run_jobs(self, jobs: list[JobExecutorInterface]) -> None:
        """Submit all jobs that are ready, those alike as one array.

        Each job is submitted or reported as an error; an exception would cancel the whole run.
        """
        prepared = []
        self._outputs.will_change(jobs)
        for job in jobs:
            self.run_job_pre(job)
            try:
                prepared.append(self._preparation.prepare(job))
            except Exception as error:
                self._refuse(job, error)
        try:
            ready = self._take_up(prepared)
        except Exception as error:
            for item in prepared:
                self._refuse(item.job, error)
            return
        for group in self._preparation.group(ready):
            self._submit(group)
        self._pace.hurry()

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncGenerator[SubmittedJobInfo, None]:
        """Report the jobs that ended and yield the others; no exception leaves this method."""
        self._settle_what_is_recorded()
        if not active_jobs:
            return
        moved = False
        async with self.status_rate_limiter:
            try:
                moved = self._dispatcher.poll(time.monotonic())
            except Exception as error:
                self.logger.warning(f"AWS could not be asked for the state of jobs: {error}")
        decided = self._decide(active_jobs)
        # Without a pause between them, so that the scheduler offers what follows in one go.
        for info, verdict in decided:
            if verdict is not None and verdict.succeeded:
                self._reported[info.aux["ticket"]] = info.job
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
            self._taken_up.pop(info.aux["ticket"], None)
        self._pace.after_poll(moved=moved)

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """End all jobs of this run; Snakemake's own list is empty while a poll is under way."""
        self.logger.info("Ending all AWS Batch jobs of this run...")
        self._pace.wake()
        try:
            self._inherit_at_last()
            left = self._dispatcher.cancel("Snakemake was interrupted")
        except BaseException as error:
            self._say_what_may_run(self._dispatcher.may_run(), repr(error))
            if not isinstance(error, Exception):
                raise
            return
        self._say_what_may_run(left, "AWS did not take the call")
        strangers = self._dispatcher.left_alone()
        if strangers:
            self.logger.warning(
                "These jobs of the run make files of another workflow or configuration and were "
                f"left alone: {', '.join(strangers)}"
            )

    def shutdown(self) -> None:
        """Stop polling and close what is decided."""
        with self.lock:
            self.wait = False
        self._pace.wake()
        super().shutdown()
        self._outputs.detach()
        self._settle_what_is_recorded()
        self._dispatcher.close_decided({ticket.list_name for ticket in self._reported})
        self._say_what_may_run(self._dispatcher.dismiss(), "AWS did not take the call")

    async def sleep(self) -> None:
        """Pause between two polls, unless something wakes this executor up."""
        await asyncio.to_thread(self._pace.wait)
        if self.wait:
            self._pace.rest()

    def _submit(self, group: ArrayGroup[ReadyJob]) -> None:
        first = group.jobs[0]
        try:
            definition = self._definitions.for_job(
                first.queue, first.resources.image, first.resources.shared_memory_mib
            )
            parcel = parcel_of(group, definition)
            tickets = self._dispatcher.submit(self._preparation.run, parcel)
        except Exception as error:
            for item in group.jobs:
                self._refuse(item.job, error)
            return
        for item, ticket in zip(group.jobs, tickets, strict=True):
            self._report_submission(item.job, ticket)
        children = counted(group.n_children, "AWS Batch child", "AWS Batch children")
        who = self._dispatcher.pilots_of(tickets[0]) or f"as {children}"
        self.logger.info(
            f"Submitted {counted(len(group.jobs), 'job')} of {first.rule} to {first.queue} {who}: "
            f"{tickets[0].list_name}"
        )

    def _inherit(self) -> None:
        for complaint in self._dispatcher.inherit(wanted_files(self.workflow)):
            self.logger.warning(complaint)

    def _inherit_at_last(self) -> None:
        """Look for what an earlier controller left, if nobody has yet, or say that it may run."""
        try:
            self._inherit()
        except BaseException as error:
            self.logger.error(failures.unseen_message(self._run_id, repr(error)))
            if not isinstance(error, Exception):
                raise

    def _take_up(self, prepared: list[ReadyJob]) -> list[ReadyJob]:
        """Take up what an earlier controller left, and return what is to be submitted."""
        self._inherit()
        candidates = [item for item in prepared if self._dispatcher.has_left(item.command)]
        demands = find_demands(self.workflow, [item.job for item in candidates])
        ready = [item for item in prepared if item not in candidates]
        for item, demand in zip(candidates, demands, strict=True):
            ticket = self._dispatcher.claim(item.command, demand)
            if ticket is None:
                ready.append(item)
            else:
                info = self._report_submission(item.job, ticket)
                self._taken_up[ticket] = (item, info)
        for ticket in self._dispatcher.end_refused():
            item, info = self._taken_up.pop(ticket)
            self._again[item.job] = info
            ready.append(item)
        return ready

    def _report_submission(self, job: JobExecutorInterface, ticket: Ticket) -> SubmittedJobInfo:
        external_id = self._dispatcher.external_id(ticket)
        info = self._again.pop(job, None)
        if info is None:
            info = SubmittedJobInfo(job, external_id, {"ticket": ticket})
            self.report_job_submission(info)
        else:
            # Snakemake takes it for the job that it was told of before.
            info.external_jobid, info.aux = external_id, {"ticket": ticket}
        return info

    def _decide(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> list[tuple[SubmittedJobInfo, Verdict | None]]:
        """Return the verdict on each job; success only where all that it was to make is there."""
        verdicts = [
            info.aux.get("refused") or self._dispatcher.verdict(info.aux["ticket"])
            for info in active_jobs
        ]
        decided = dict(zip(range(len(active_jobs)), verdicts, strict=True))
        succeeded = [i for i, verdict in decided.items() if verdict and verdict.succeeded]
        jobs = [active_jobs[i].job for i in succeeded]
        try:
            missing = self._outputs.find(jobs)
            checkpoint_outputs.forget(jobs)
        except Exception as error:
            self.logger.warning(f"S3 could not be asked for outputs, it is asked again: {error}")
            missing = []
            decided |= dict.fromkeys(succeeded)
        for i, names in zip(succeeded, missing, strict=False):
            if names:
                decided[i] = Verdict(failures.missing_outputs_message(names))
        return [(info, decided[i]) for i, info in enumerate(active_jobs)]

    def _settle_what_is_recorded(self) -> None:
        """Settle the successes that Snakemake has written down since it was told of them.

        Until then a controller that is killed leaves outputs that the next one takes for
        incomplete, unless it finds out from an open list that they are right.
        """
        for ticket, job in list(self._reported.items()):
            if all(self.workflow.dag.finished(single) for single in singles(job)):
                del self._reported[ticket]
                self._dispatcher.settle(ticket)

    def _say_what_may_run(self, names: list[str], why: str) -> None:
        if names:
            self.logger.error(failures.may_run_message(self._run_id, names, why))

    def _refuse(self, job: JobExecutorInterface, error: Exception) -> None:
        message = f"Not submitted to AWS Batch: {error}"
        info = self._again.pop(job, None)
        if info is None:
            self._report_failure(SubmittedJobInfo(job), message)
        else:
            info.aux["refused"] = Verdict(message)

    def _report_failure(self, info: SubmittedJobInfo, message: str) -> None:
        if info.job.is_group():
            # Snakemake shows no message for a group.
            self.logger.error(message)
        self.report_job_error(info, msg=f"{message}\n")
