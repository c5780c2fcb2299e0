"""Faults on demand: what goes wrong, where, and how often.

A fault is data. Job faults strike children by job name; call faults strike AWS calls by
service and action. The `FaultBook` hands each out as often as its `count` allows.
"""

import dataclasses
import random
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class FaultKind(StrEnum):
    """What can go wrong."""

    RECLAIM = "reclaim"
    HANG = "hang"
    OUT_OF_MEMORY = "out-of-memory"
    CANNOT_PULL = "cannot-pull"
    SLOW_START = "slow-start"
    FORGET = "forget"
    THROTTLE = "throttle"
    LOST_REPLY = "lost-reply"

    @property
    def strikes_calls(self) -> bool:
        """Whether this fault is about AWS calls rather than about jobs."""
        return self in (FaultKind.THROTTLE, FaultKind.LOST_REPLY)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that shall go wrong.

    Parameters
    ----------
    kind
        What goes wrong.
    match
        Job faults: a glob on the job name. Call faults: a glob on `service:Action`, for
        example `batch:SubmitJob` or `s3:*`.
    count
        How many times it strikes; a job fault strikes the same job id once. None: no limit.
    index
        Job faults: only the child with this array index.
    after_s
        reclaim, hang, out-of-memory: seconds after the attempt started. Call faults:
        seconds after the fault was set.
    duration_s
        slow-start: how long the child stays RUNNABLE. Other faults: how long after being
        set the fault can strike. None: for ever (slow-start: until the job is ended).
    rate
        Call faults: the share of matching calls that is struck, 0 to 1.
    origin
        Call faults: only calls made by the `user` or by a `job`. None: both.
    reason
        slow-start: what Batch says of the job while it is at the head of its queue, for example
        `UNDETERMINED`; empty for nothing. None: that no machine is large enough.
    """

    kind: FaultKind
    match: str = "*"
    count: int | None = 1
    index: int | None = None
    after_s: float = 0.0
    duration_s: float | None = None
    rate: float = 1.0
    origin: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        """Check the fields, so that a mistyped fault is refused and not ignored."""
        object.__setattr__(self, "kind", FaultKind(self.kind))
        if self.count is not None and self.count < 1:
            raise ValueError(f"count must be at least 1, got {self.count}")
        if self.after_s < 0 or (self.duration_s is not None and self.duration_s < 0):
            raise ValueError("after_s and duration_s must not be negative")
        if not 0 < self.rate <= 1:
            raise ValueError(f"rate must be above 0 and at most 1, got {self.rate}")
        if self.origin not in (None, "user", "job"):
            raise ValueError(f"origin must be 'user' or 'job', got {self.origin!r}")
        if self.kind.strikes_calls and ":" not in self.match and self.match != "*":
            raise ValueError(f"a call is matched as service:Action, got {self.match!r}")

    def to_json(self) -> dict[str, Any]:
        """Return the fault as a JSON object."""
        return dataclasses.asdict(self)


@dataclass(slots=True)
class _Entry:
    fault: Fault
    set_at: float
    struck: int
    jobs: set[str]

    def is_live(self, now: float) -> bool:
        fault = self.fault
        if fault.count is not None and self.struck >= fault.count:
            return False
        if fault.kind is FaultKind.SLOW_START or fault.duration_s is None:
            return True
        return now - self.set_at <= fault.duration_s

    def fits(self, name: str, job_id: str) -> bool:
        """Whether this fault is for this job and has not struck it yet."""
        index = self.fault.index
        if index is not None and not job_id.endswith(f":{index}"):
            return False
        return job_id not in self.jobs and fnmatchcase(name, self.fault.match)


class FaultBook:
    """The faults that are set, safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[_Entry] = []
        self._random = random.Random(0)  # noqa: S311 - a fixed seed: the same calls are struck

    def add(self, fault: Fault) -> None:
        """Set a fault."""
        with self._lock:
            self._entries = [*self._entries, _Entry(fault, time.monotonic(), 0, set())]

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._entries = []

    def listing(self) -> list[dict[str, Any]]:
        """Return every fault with how often it struck."""
        with self._lock:
            return [{**entry.fault.to_json(), "struck": entry.struck} for entry in self._entries]

    def matching(self, kind: FaultKind, name: str, job_id: str) -> list[Fault]:
        """Return the faults of this kind that could strike a job, without using them up."""
        if not self._entries:
            return []
        with self._lock:
            return [e.fault for e in self._live(kind) if e.fits(name, job_id)]

    def take_for_job(self, kind: FaultKind, name: str, job_id: str) -> Fault | None:
        """Use up one strike of a fault of this kind on a job, if there is one for it."""
        if not self._entries:
            return None
        with self._lock:
            for entry in self._live(kind):
                if entry.fits(name, job_id):
                    entry.jobs.add(job_id)
                    entry.struck += 1
                    return entry.fault
        return None

    def forgets(self, name: str, job_id: str) -> bool:
        """Whether one DescribeJobs reply shall leave a job out; counts per reply, not per job."""
        if not self._entries:
            return False
        with self._lock:
            for entry in self._live(FaultKind.FORGET):
                if fnmatchcase(name, entry.fault.match) or fnmatchcase(job_id, entry.fault.match):
                    entry.struck += 1
                    return True
        return False

    def take_for_call(self, kind: FaultKind, call: str, origin: str) -> Fault | None:
        """Use up one strike of a fault of this kind on an AWS call, if there is one for it."""
        if not self._entries:
            return None
        with self._lock:
            for entry in self._live(kind):
                fault = entry.fault
                if time.monotonic() - entry.set_at < fault.after_s:
                    continue
                if fault.origin not in (None, origin) or not fnmatchcase(call, fault.match):
                    continue
                if fault.rate < 1 and self._random.random() >= fault.rate:
                    continue
                entry.struck += 1
                return fault
        return None

    def _live(self, kind: FaultKind) -> list[_Entry]:
        now = time.monotonic()
        return [e for e in self._entries if e.fault.kind is kind and e.is_live(now)]
