"""The states of a Batch job."""

from enum import StrEnum


class Status(StrEnum):
    """The states of a Batch job, in the order it goes through them."""

    SUBMITTED = "SUBMITTED"
    PENDING = "PENDING"
    RUNNABLE = "RUNNABLE"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether a job in this state stays there."""
        return self in (Status.SUCCEEDED, Status.FAILED)

    @property
    def is_waiting(self) -> bool:
        """Whether a job in this state holds no machine yet, so that CancelJob ends it."""
        return self in (Status.SUBMITTED, Status.PENDING, Status.RUNNABLE)
