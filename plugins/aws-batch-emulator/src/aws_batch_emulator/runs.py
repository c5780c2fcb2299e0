"""One attempt while it holds a machine."""

import time
from collections.abc import Callable

from aws_batch_emulator import endings
from aws_batch_emulator.endings import Ending
from aws_batch_emulator.faults import FaultKind
from aws_batch_emulator.jobs import Attempt, Job
from aws_batch_emulator.processes import Process
from aws_batch_emulator.timers import Timers

RUN_FAULTS = (FaultKind.RECLAIM, FaultKind.HANG, FaultKind.OUT_OF_MEMORY)


class Run:
    """An attempt's process, and who ends it how; used with the scheduler's lock held."""

    def __init__(self, job: Job, attempt: Attempt, timers: Timers, grace_s: float) -> None:
        self.job = job
        self.attempt = attempt
        self.process: Process | None = None
        self.machine_lost = False
        self.over = False
        self._timers = timers
        self._grace_s = grace_s
        self._forced_ending: Callable[[int], Ending] | None = None

    @property
    def is_ending(self) -> bool:
        """Whether the attempt is over, or on its way there from outside."""
        return self.over or self._forced_ending is not None

    @property
    def age_s(self) -> float:
        """How long ago the attempt started."""
        started_ms = self.attempt.started_ms
        return 0.0 if started_ms is None else time.time() - started_ms / 1000

    def began(self, process: Process) -> None:
        """Take the process of the attempt, which someone may have ended before it was there."""
        self.process = process
        if self.is_ending:
            self._terminate()

    def stop(self, reason: str) -> None:
        """End the attempt for good: SIGTERM, and SIGKILL after the time of grace."""
        if not self.is_ending:
            self._forced_ending = lambda exit_code: endings.stopped(exit_code, reason)
            self._terminate()

    def strike(self, kind: FaultKind) -> None:
        """Let a fault happen to the running attempt."""
        if self.process is None:
            return
        if kind is FaultKind.HANG:
            self.process.freeze()
            return
        if kind is FaultKind.RECLAIM and self.job.spec.is_fargate:
            # ECS developer guide, "Fargate Spot termination notices": SIGTERM, and SIGKILL later.
            self._forced_ending = endings.interrupted
            self._terminate()
            return
        if kind is FaultKind.RECLAIM:
            self.machine_lost = True
            ending = endings.reclaimed(self.attempt.machine.instance_id)
        else:
            ending = endings.out_of_memory()
        self._forced_ending = lambda _exit_code: ending
        self.process.kill()

    def kill(self) -> None:
        """Kill the process, if it still runs."""
        if self.process is not None and not self.over:
            self.process.kill()

    def ending(self, exit_code: int) -> Ending:
        """Return how the attempt ended, its process being over with this exit code."""
        force = self._forced_ending
        return endings.exited(exit_code) if force is None else force(exit_code)

    def _terminate(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self._timers.add(self._grace_s, self.kill)
