"""Why the jobs of a run wait: in Batch's words, or for a quota of which Batch has none.

Batch tells its reason of the job at the head of a queue alone, and none at all where the account
may start no machine (user guide, "Jobs stuck in a RUNNABLE status").
"""

from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.region import find_region
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, is_waiting
from tomobatch.aws.account.quotas import starved_machines
from tomobatch.aws.runs.place import Place
from tomobatch.aws.runs.submitted import Submitted

_KINDS = {"CpuJobQueue": "CPU", "GpuJobQueue": "GPU", "FargateJobQueue": "Fargate"}
_TRIES = 2


class Waiting:
    """Asks why jobs wait; for the quotas of a kind of machines once only."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._starved = cache(_starved_machines)

    def reasons(self, submitted: Sequence[Submitted], head: JobDetail | None) -> tuple[str, ...]:
        """Return a line for each reason for which jobs of a run wait, and none of them moves on.

        Parameters
        ----------
        submitted
            The run's lists.
        head
            The job that runs Snakemake; None if there is none.
        """
        waiting = [
            (each.commands.rule, each.commands.queue, each.detail)
            for each in submitted
            if each.detail is not None
        ]
        if head is not None:
            queue = self._place.outputs.get("CpuJobQueue", "")
            waiting.append(("the controller", queue, head))
        lines: dict[str, None] = {}
        for what, queue, detail in waiting:
            if not is_waiting(detail):
                continue
            lines |= dict.fromkeys(self._starved(self._kind_of.get(_name(queue), "")))
            if reason := self._reason(detail):
                lines[f"{what} waits for a machine: {reason}"] = None
        return tuple(lines)

    @cached_property
    def _kind_of(self) -> dict[str, str]:
        outputs = self._place.outputs
        return {_name(outputs[key]): kind for key, kind in _KINDS.items() if key in outputs}

    def _reason(self, detail: JobDetail) -> str:
        """Return what Batch says of a job, or of a child of it."""
        if detail.status_reason or not detail.children:
            return detail.status_reason
        children = self._place.batch_calls.list_jobs(
            arrayJobId=detail.job_id, jobStatus="RUNNABLE"
        )["jobSummaryList"]
        return next((each["statusReason"] for each in children if each.get("statusReason")), "")


def _name(queue: str) -> str:
    """Return the name of a queue that is told by name or ARN."""
    return queue.rpartition("/")[2]


def _starved_machines(kind: str) -> tuple[str, ...]:
    def client(service: str) -> Any:  # noqa: ANN401 - as boto3 has it
        return make_client(service, max_attempts=_TRIES)

    return tuple(starved_machines(client, find_region(), [kind])) if kind else ()
