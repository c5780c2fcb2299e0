"""Why a job gets no instance: what AWS Batch says of it, or of those before it in its queue.

Batch writes a reason on the job at the head of a queue alone, at times that it does not know one,
and none at all where the account's quota of vCPUs is 0.
"""

from dataclasses import dataclass

from snakemake_executor_plugin_aws_batch_array.batch import DESCRIBE_LIMIT, BatchApi
from snakemake_executor_plugin_aws_batch_array.status import (
    JobDetail,
    Status,
    is_waiting,
    waits_for_capacity,
    will_never_start,
)
from snakemake_executor_plugin_aws_batch_array.watched import Watched


@dataclass(frozen=True)
class Wait:
    """What is known of a wait.

    Attributes
    ----------
    item
        What waits.
    reason
        In the words of AWS Batch; empty if it gives none.
    behind
        Job of somebody else on which the reason stands; empty if it stands on one of ours.
    is_busy
        Whether other jobs of the queue run or start, so that waiting is nothing unusual.
    """

    item: Watched
    reason: str
    behind: str = ""
    is_busy: bool = False

    @property
    def is_endless(self) -> bool:
        """Whether the job itself never starts as things are."""
        return not self.behind and will_never_start(self.reason)

    def warning(self, waited_s: float) -> str:
        """Return what the user should know; nothing if there is nothing unusual."""
        job, queue = self.item.job_id, self.item.commands.queue
        waits = f"AWS Batch job {job} has waited {waited_s:.0f} s for an instance"
        if self.behind and will_never_start(self.reason):
            return (
                f"{waits}, behind job {self.behind} at the head of queue {queue}, which never "
                f"starts: {self.reason}. End that job."
            )
        if waits_for_capacity(self.reason):
            return f"{waits} and goes on waiting, as long as queue {queue} allows: {self.reason}"
        if self.reason or self.is_busy:
            return ""
        return (
            f"{waits}, nothing runs in queue {queue}, and AWS Batch gives no reason. A quota of 0 "
            "vCPUs is one that it never names: look at the quotas of Amazon EC2 in Service Quotas, "
            "and at the queue's compute environments."
        )


def why_it_waits(batch: BatchApi, item: Watched, detail: JobDetail) -> Wait:
    """Find the reason for which a job waits: its own, a child's, or that of its queue's head."""
    reason = _reason_of(batch, detail)
    if reason:
        return Wait(item, reason)
    front = batch.front(item.commands.queue)
    others = [each for each in front if each.job_id != item.job_id]
    if any(_is_at_work(each) for each in others):
        return Wait(item, "", is_busy=True)
    for each in others:
        reason = _reason_of(batch, each) if is_waiting(each) else ""
        if reason:
            return Wait(item, reason, each.job_id)
    return Wait(item, "")


def _reason_of(batch: BatchApi, detail: JobDetail) -> str:
    if not detail.children:
        return detail.status_reason
    runnable = batch.children(detail.job_id, Status.RUNNABLE)[:DESCRIBE_LIMIT]
    described = batch.describe([f"{detail.job_id}:{child}" for child in runnable])
    return next((each.status_reason for each in described.values() if each.status_reason), "")


def _is_at_work(detail: JobDetail) -> bool:
    states = {detail.status, *(status for status, count in detail.children.items() if count)}
    return not states.isdisjoint({Status.STARTING, Status.RUNNING})
