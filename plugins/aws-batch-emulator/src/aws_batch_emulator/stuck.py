"""Jobs that can't start as things are, what Batch says of it, and when it has them wait no more."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial

from aws_batch_emulator.jobs import Job
from aws_batch_emulator.states import Status
from aws_batch_emulator.timers import Timers


def can_go_on(waiting: Sequence[Job]) -> bool:
    """Tell whether the job at the head of a queue can start; one that can't blocks the others."""
    if not waiting:
        return False
    return waiting[0].spec.obstacle is None or waiting[0].status is not Status.RUNNABLE


class StuckJobs:
    """Tells the reason of the job at the head of each queue alone, as Batch does.

    User guide, "Job queue blocked events": only the job at the head of the queue is looked at. API
    reference, JobStateTimeLimitAction: after so long with a reason there, the job is cancelled.

    Parameters
    ----------
    timers, scale
        What waits, and a factor on how long.
    cancel
        Ends a job that has waited long enough, with a reason.
    """

    def __init__(self, timers: Timers, scale: float, cancel: Callable[[Job, str], None]) -> None:
        self._timers = timers
        self._scale = scale
        self._cancel = cancel
        self._by_queue: dict[str, dict[Job, str]] = defaultdict(dict)

    def add(self, job: Job, reason: str) -> None:
        """Take in a job that is stuck; the reason may be empty."""
        self._by_queue[job.spec.queue_name][job] = reason
        self._point_out(job.spec.queue_name)

    def remove(self, job: Job) -> None:
        """Take out a job that is not stuck any more, whatever became of it."""
        queue = job.spec.queue_name
        if self._by_queue[queue].pop(job, None) is not None:
            self._point_out(queue)

    def _point_out(self, queue: str) -> None:
        for job, reason in self._by_queue[queue].items():
            job.status_reason = reason or None
            for beginning, seconds in job.spec.waiting_limits_s.items():
                if reason.startswith(beginning):
                    self._timers.add(seconds * self._scale, partial(self._end, job, beginning))
            return

    def _end(self, job: Job, reason: str) -> None:
        if job.status is Status.RUNNABLE and (job.status_reason or "").startswith(reason):
            self._cancel(job, reason)
