"""Watches submitted lists until every command of them is decided."""

from collections.abc import Callable, Iterable, Mapping

from snakemake_executor_plugin_aws_batch_array.batch import BatchApi
from snakemake_executor_plugin_aws_batch_array.failures import failure_message
from snakemake_executor_plugin_aws_batch_array.logs import LogTail
from snakemake_executor_plugin_aws_batch_array.pilots.watch import PilotWatcher
from snakemake_executor_plugin_aws_batch_array.status import (
    JobDetail,
    Status,
    is_waiting,
    newly_final,
)
from snakemake_executor_plugin_aws_batch_array.verdicts import (
    MAX_LOGS,
    SUCCESS,
    OutcomeReader,
    Verdict,
    Verdicts,
)
from snakemake_executor_plugin_aws_batch_array.waiting import why_it_waits
from snakemake_executor_plugin_aws_batch_array.watched import Watched

MISSING_S = 60.0
"""How long AWS Batch may not know a job before that is an error: it may be so just after it took
it."""


class Watcher:
    """Turns what Batch and S3 say into one verdict for each command.

    Parameters
    ----------
    batch
        AWS Batch.
    outcomes
        Where children report.
    log_tail
        Reads the last lines of a log stream.
    log_group
        Overrides the group the job definition names, if not empty.
    stuck_after_s
        How long a job may wait for an instance with a reason that lasts for ever.
    warn
        Told of jobs that have waited as long for a reason that may pass.
    pilots
        Watches the lists that pilots work on.
    """

    def __init__(
        self,
        batch: BatchApi,
        outcomes: OutcomeReader,
        log_tail: LogTail,
        log_group: str,
        stuck_after_s: float,
        warn: Callable[[str], object],
        pilots: PilotWatcher,
    ) -> None:
        self._batch = batch
        self._outcomes = outcomes
        self._log_tail = log_tail
        self._log_group = log_group
        self._stuck_after_s = stuck_after_s
        self._warn = warn
        self._pilots = pilots

    def poll(self, watched: Iterable[Watched], now_s: float) -> list[tuple[Watched, Verdicts]]:
        """Ask once about all jobs and return the new verdicts.

        One DescribeJobs call for every 100 jobs; children are listed only where a count moved,
        and outcomes read only of children that failed or that work on several commands.
        """
        active = [item for item in watched if item.undecided and item.job_id]
        details = self._batch.describe(list(dict.fromkeys(item.job_id for item in active)))
        news = []
        for item in active:
            verdicts = self._look_at(item, details.get(item.job_id), now_s)
            new = {index: verdicts[index] for index in verdicts if index in item.undecided}
            item.undecided.difference_update(new)
            if new:
                news.append((item, new))
        return news

    def _look_at(self, item: Watched, detail: JobDetail | None, now_s: float) -> Verdicts:
        if detail is None:
            if item.missing_since_s is None:
                item.missing_since_s = now_s
            return self._vanished(item) if now_s - item.missing_since_s >= MISSING_S else {}
        item.missing_since_s = None
        if item.is_piloted:
            verdicts = self._pilots.look_at(item, detail, now_s)
            return verdicts or self._of_stuck(item, detail, now_s)
        moved = item.seen is None or detail.fingerprint != item.seen.fingerprint
        before = item.seen.children if item.seen is not None else {}
        if moved:
            verdicts = self._of_final_children(item, detail, before)
        else:
            verdicts = self._of_stuck(item, detail, now_s)
        if not verdicts and not detail.status.is_final:
            verdicts = self._of_running_children(item)
        if moved:
            item.waiting_since_s = None
        # Only now, and only if the listings have caught up with the counts: else the next poll asks
        # again.
        if len(item.final_children) >= sum(
            detail.children.get(status, 0) for status in (Status.SUCCEEDED, Status.FAILED)
        ):
            item.seen = detail
        return verdicts

    def _of_final_children(
        self, item: Watched, detail: JobDetail, before: Mapping[Status, int]
    ) -> Verdicts:
        if detail.status is Status.SUCCEEDED:
            item.final_children.update(range(item.n_children))
            return dict.fromkeys(item.undecided, SUCCESS)
        if item.n_children == 1:
            return self._of_failed(item, {0: detail}) if detail.status is Status.FAILED else {}
        verdicts: Verdicts = {}
        for status in newly_final(before, detail.children):
            children = set(self._batch.children(item.job_id, status)) - item.final_children
            if status is Status.SUCCEEDED:
                for child in children:
                    verdicts.update(dict.fromkeys(item.slice_of(child), SUCCESS))
            elif children:
                verdicts.update(self._of_failed(item, self._describe_children(item, children)))
            item.final_children.update(children)
        if detail.status is Status.FAILED:
            # What no listing showed yet, or an array that ended before it had children.
            children = {item.child_of(index) for index in item.undecided - verdicts.keys()}
            known = self._describe_children(item, children, detail)
            done = {child for child in known if known[child].status is Status.SUCCEEDED}
            for child in done:
                verdicts.update(dict.fromkeys(item.slice_of(child), SUCCESS))
            failed = {
                child: known[child] if known[child].status.is_final else detail
                for child in known.keys() - done
            }
            verdicts.update(self._of_failed(item, failed))
            item.final_children.update(range(item.n_children))
        return verdicts

    def _describe_children(
        self, item: Watched, children: set[int], instead: JobDetail | None = None
    ) -> dict[int, JobDetail]:
        by_id = self._batch.describe([item.child_id(child) for child in sorted(children)])
        missing = instead or JobDetail(item.job_id, item.commands.name, Status.FAILED)
        return {child: by_id.get(item.child_id(child), missing) for child in children}

    def _of_failed(self, item: Watched, details: Mapping[int, JobDetail]) -> Verdicts:
        verdicts: Verdicts = {}
        n_logs = 0
        for child, detail in sorted(details.items()):
            outcomes = self._outcomes.get_outcomes(item.commands.name, child)
            for index in item.slice_of(child):
                if outcomes.succeeded(index):
                    verdicts[index] = SUCCESS
                elif index in item.undecided:
                    n_logs += 1
                    verdicts[index] = Verdict(
                        failure_message(
                            detail,
                            outcomes.by_command.get(index),
                            item.commands.command_timeout_s,
                            self._log_group,
                            self._log_tail if n_logs <= MAX_LOGS else None,
                        )
                    )
        return verdicts

    def _of_running_children(self, item: Watched) -> Verdicts:
        """Take in what children report before they end, if they have several commands each."""
        if len(item.commands.commands) == item.n_children:
            return {}
        verdicts: Verdicts = {}
        for child, tag in self._outcomes.outcome_tags(item.commands.name).items():
            if item.tags.get(child) == tag or child in item.final_children:
                continue
            outcomes = self._outcomes.get_outcomes(item.commands.name, child)
            verdicts.update(
                {index: SUCCESS for index in outcomes.by_command if outcomes.succeeded(index)}
            )
            item.tags[child] = tag
        return verdicts

    def _of_stuck(self, item: Watched, detail: JobDetail, now_s: float) -> Verdicts:
        if not is_waiting(detail):
            item.waiting_since_s = None
            return {}
        if item.waiting_since_s is None:
            item.waiting_since_s = now_s
        if now_s - item.waiting_since_s < self._stuck_after_s:
            return {}
        wait = why_it_waits(self._batch, item, detail)
        if not wait.is_endless:
            warning = wait.warning(self._stuck_after_s)
            if warning and not item.is_told_to_wait:
                item.is_told_to_wait = True
                self._warn(warning)
            item.waiting_since_s = now_s
            return {}
        self._batch.terminate(item.job_id, "no instance can be had for this job")
        message = (
            f"AWS Batch job {item.job_id} waited {self._stuck_after_s:.0f} s for an instance and "
            f"was given up: {wait.reason}. Ask for less in the rule's resources, or correct the "
            f"compute environments of queue {item.commands.queue}."
        )
        return dict.fromkeys(item.undecided, Verdict(message))

    def _vanished(self, item: Watched) -> Verdicts:
        # It may still run although Batch does not show it: then nobody would end it.
        self._batch.terminate(item.job_id, "AWS Batch lost sight of this job")
        if item.is_piloted:
            return self._pilots.at_last(item)
        verdicts: Verdicts = {}
        for child in {item.child_of(index) for index in item.undecided}:
            outcomes = self._outcomes.get_outcomes(item.commands.name, child)
            for index in item.slice_of(child):
                verdicts[index] = (
                    SUCCESS
                    if outcomes.succeeded(index)
                    else Verdict(f"AWS Batch knows no job {item.child_id(child)} any more.")
                )
        return verdicts
