"""What AWS Batch says about a job, as values, and what follows from it, as pure functions.

Decision 63.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from snakemake_executor_plugin_aws_batch_array.words import counted


class Status(StrEnum):
    """State of a job, in the words of AWS Batch."""

    SUBMITTED = "SUBMITTED"
    PENDING = "PENDING"
    RUNNABLE = "RUNNABLE"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether the job is over."""
        return self in (Status.SUCCEEDED, Status.FAILED)


@dataclass(frozen=True)
class Attempt:
    """One attempt of a job; missing figures are None or empty."""

    exit_code: int | None = None
    reason: str = ""
    status_reason: str = ""
    log_stream: str = ""


@dataclass(frozen=True)
class JobDetail:
    """A job as DescribeJobs shows it.

    Attributes
    ----------
    job_id, name, status, status_reason
        As AWS Batch says.
    attempts
        The attempts that ended, oldest first.
    log_group
        CloudWatch log group; empty if the job definition names none.
    children
        Number of children by state; empty for a job that is no array.
    is_ended
        Whether somebody ended it by TerminateJob or CancelJob.
    n_ended
        How many attempts have ended; as long as the first one runs, `attempts` tells of that.
    log_stream
        Of the attempt that runs, or ran last.
    """

    job_id: str
    name: str
    status: Status
    status_reason: str = ""
    attempts: tuple[Attempt, ...] = ()
    log_group: str = ""
    children: Mapping[Status, int] = field(default_factory=dict)
    is_ended: bool = False
    n_ended: int = 0
    log_stream: str = ""

    @property
    def last_attempt(self) -> Attempt:
        """The attempt that decided; an empty one if there was none."""
        return self.attempts[-1] if self.attempts else Attempt()

    @property
    def fingerprint(self) -> tuple[Status, tuple[tuple[Status, int], ...]]:
        """Changes when the job or one of its children moved."""
        return self.status, tuple(sorted(self.children.items()))


class Cause(StrEnum):
    """Why a job failed."""

    OUT_OF_MEMORY = "was killed for want of memory"
    SPOT_RECLAIM = "lost its instance to a spot reclaim in every attempt"
    TIMED_OUT = "ran into its time limit"
    TERMINATED = "was terminated"
    NOT_STARTED = "could not be started"
    NOT_PLACED = "waited for an instance longer than its queue allows"
    COMMAND = "ended with an error"
    UNKNOWN = "failed"


SPOT_SIGNATURES = ("Host EC2", "Your Spot Task was interrupted")
"""How the status reason of an attempt begins whose instance went away, of EC2 and of Fargate."""

STUCK_SIGNATURE = "MISCONFIGURATION:"
"""How the status reason of a RUNNABLE job begins that will never start as things are."""

WAITING_SIGNATURES = ("CAPACITY:", "UNDETERMINED")
"""The same of one that waits for what others have; how long is for its queue to say."""

_SIGKILL_EXIT_CODE = 137


def cause_of_failure(detail: JobDetail) -> Cause:
    """Tell why a failed job failed.

    A reclaimed instance leaves a status reason on the attempt and no exit code; the kernel's kill
    for memory leaves exit code 137 or the reason ``OutOfMemoryError``. A job that somebody ended
    was killed too, and its reason is whatever the caller wrote. A queue that limits how long jobs
    may wait (``JobStateTimeLimitActions``) leaves the reason for which one waited.
    """
    attempt = detail.last_attempt
    reason = detail.status_reason
    if not detail.attempts and (will_never_start(reason) or waits_for_capacity(reason)):
        return Cause.NOT_PLACED
    if detail.is_ended:
        return Cause.TERMINATED
    if "OutOfMemory" in attempt.reason:
        return Cause.OUT_OF_MEMORY
    if attempt.status_reason.startswith(SPOT_SIGNATURES):
        return Cause.SPOT_RECLAIM
    reasons = f"{detail.status_reason} {attempt.status_reason}"
    if "exceeded timeout" in reasons:
        return Cause.TIMED_OUT
    if attempt.exit_code == _SIGKILL_EXIT_CODE:
        return Cause.OUT_OF_MEMORY
    if attempt.exit_code is not None:
        return Cause.COMMAND
    if attempt.reason.startswith("CannotPull") or "failed to start" in reasons:
        return Cause.NOT_STARTED
    return Cause.UNKNOWN


def describe_failure(detail: JobDetail) -> str:
    """Return one line: the cause, the reasons AWS gives, exit code and number of attempts."""
    attempt = detail.last_attempt
    reasons = [
        reason
        for reason in dict.fromkeys((attempt.reason, attempt.status_reason, detail.status_reason))
        if reason
    ]
    cause = cause_of_failure(detail)
    n_attempts = len(detail.attempts) or (0 if cause is Cause.NOT_PLACED else 1)
    facts = [
        f"exit code {attempt.exit_code}" if attempt.exit_code is not None else "no exit code",
        counted(n_attempts, "attempt"),
    ]
    line = f"AWS Batch job {detail.job_id} {cause} ({', '.join(facts)})"
    return f"{line}: {'; '.join(reasons)}" if reasons else line


def will_never_start(status_reason: str) -> bool:
    """Whether a RUNNABLE job names a reason for which it waits for ever.

    While a compute environment grows from zero such a reason can appear and go again, so it means
    something only after it has stayed for a while.
    """
    return status_reason.startswith(STUCK_SIGNATURE)


def waits_for_capacity(status_reason: str) -> bool:
    """Whether a RUNNABLE job names a reason that passes when machines are to be had again."""
    return status_reason.startswith(WAITING_SIGNATURES)


def newly_final(before: Mapping[Status, int], now: Mapping[Status, int]) -> list[Status]:
    """Return the final states that more children are in than before."""
    return [
        status
        for status in (Status.SUCCEEDED, Status.FAILED)
        if now.get(status, 0) > before.get(status, 0)
    ]


def is_waiting(detail: JobDetail) -> bool:
    """Whether a job, or some child of an array while no other moves, waits for an instance."""
    if detail.children:
        moving = (Status.STARTING, Status.RUNNING)
        return detail.children.get(Status.RUNNABLE, 0) > 0 and not any(
            detail.children.get(status, 0) for status in moving
        )
    return detail.status is Status.RUNNABLE
