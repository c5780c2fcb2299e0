"""Pilots in a simulated run: children that start once, stay, and take the jobs of step after step.

How many and how large they are, and which step gets an array of its own beside them, is decided by
the executor's own functions; what becomes of them here is what it does with them.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import numpy as np

from snakemake_executor_plugin_aws_batch_array.fargate import fit_pilots
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind
from snakemake_executor_plugin_aws_batch_array.pilots.flight import MOST_REST_S
from snakemake_executor_plugin_aws_batch_array.pilots.sizes import (
    Ahead,
    number_of_pilots,
    size_of_pilots,
)
from tomobatch.fleet.pool import Child, Machine
from tomobatch.fleet.stages import Stage
from tomobatch.fleet.weather import Weather

_ALONE, _PORTIONS = 4, 4
"""Jobs a pilot that are played through one by one, and portions of the others."""


class Play(Protocol):
    """The run that is played through, as far as pilots need it."""

    now_s: float
    weather: Weather
    speed: float

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let something happen later."""

    def leave(self, machine: Machine, child: Child) -> None:
        """Let a child end."""

    def end_job(self, stage: int) -> None:
        """Count a job, or a child that carried several out, as done."""


@dataclass(eq=False)
class Pilot(Child):
    """A child that stays; it works while it has a job.

    Attributes
    ----------
    crew
        The array it is of.
    job
        Stage and seconds of the one under way.
    job_began_s, rests_since_s
        Since when it has one; since when it has none.
    done_s
        What its jobs took on the machine it has.
    """

    crew: "Crew" = field(kw_only=True)
    job: tuple[int, float] | None = None
    job_began_s: float = 0.0
    rests_since_s: float = 0.0
    done_s: float = 0.0

    @property
    def is_wanted(self) -> bool:
        """Whether there may be jobs for it."""
        return not self.crew.is_closed

    def worked_s(self, now_s: float) -> float:
        """Return the time of its jobs, not of its rests."""
        return self.done_s + (0.0 if self.job is None else now_s - self.job_began_s)

    def cut_off(self, after_s: float) -> None:
        """Leave its job to whoever comes first."""
        del after_s
        self.crew.lose(self)


class Crew:
    """An array of pilots, and the jobs that are offered to it.

    Parameters
    ----------
    play
        The run.
    kind
        What each has of its machine.
    n_pilots
        How many.
    start_s
        What each takes before its first job.

    Attributes
    ----------
    is_new, is_closed
        Whether it has had no jobs yet; whether there will be no more.
    puts, gets
        Requests by which they learn of their jobs and begin them.
    """

    def __init__(self, play: Play, kind: Kind, n_pilots: int, start_s: float) -> None:
        self.kind = kind
        self.pilots = [
            Pilot(-1, kind.vcpus, kind.memory_mib, start_s, np.zeros(0), crew=self)
            for _ in range(n_pilots)
        ]
        self.is_new, self.is_closed = True, False
        self.puts, self.gets = 0.0, 0.0
        self._play = play
        self._jobs: deque[tuple[int, float]] = deque()
        self._resting: dict[Pilot, Machine] = {}

    @property
    def is_idle(self) -> bool:
        """Whether all jobs it was offered are done."""
        return not self._jobs and all(pilot.job is None for pilot in self.pilots)

    def offer(self, stage: int, seconds: np.ndarray) -> int:
        """Offer the jobs of a stage, and return in how many portions.

        For each job a claim is written, and for each pilot there is a listing.
        """
        self.is_new = False
        self.puts += len(seconds) + len(self.pilots)
        self.gets += len(seconds)
        portions = in_portions(seconds, len(self.pilots))
        self._jobs.extend((stage, each) for each in portions)
        self._wake()
        return len(portions)

    def join(self, pilot: Pilot, machine: Machine) -> None:
        """Let a pilot begin, on a machine that it has got."""
        if machine.lives:
            pilot.done_s = 0.0
            self._play.after(pilot.start_s, partial(self._go_on, pilot, machine))

    def lose(self, pilot: Pilot) -> None:
        """Take note of a pilot whose machine is gone: its job is for whoever comes first."""
        self._stop_resting(pilot)
        if pilot.job is not None:
            self._jobs.appendleft(pilot.job)
            pilot.job = None
        # Also where it had no job yet, and was on its way to one.
        self._wake()

    def close(self) -> None:
        """Let them end, each when it looks for the next time."""
        self.is_closed = True
        self._wake()

    def _wake(self) -> None:
        """Let those that rest look, each when its rest is over: the first find the jobs."""
        n = len(self._resting)
        rests_s = sorted(self._play.weather.rng.uniform(0.0, MOST_REST_S, n).tolist())
        n_find = n if self.is_closed else len(self._jobs)
        for rest_s, (pilot, machine) in zip(
            rests_s[:n_find], list(self._resting.items()), strict=False
        ):
            self._stop_resting(pilot)
            self._play.after(rest_s, partial(self._go_on, pilot, machine))

    def _stop_resting(self, pilot: Pilot) -> None:
        if self._resting.pop(pilot, None) is not None:
            self.gets += 1 + (self._play.now_s - pilot.rests_since_s) / MOST_REST_S

    def _go_on(self, pilot: Pilot, machine: Machine) -> None:
        """Let a pilot take the next job; without one it rests, or ends."""
        if not machine.lives:
            return
        if self._jobs:
            pilot.job, pilot.job_began_s = self._jobs.popleft(), self._play.now_s
            self._play.after(pilot.job[1], partial(self._end_job, pilot, machine))
        elif self.is_closed:
            self._play.leave(machine, pilot)
        else:
            self._resting[pilot], pilot.rests_since_s = machine, self._play.now_s

    def _end_job(self, pilot: Pilot, machine: Machine) -> None:
        if not machine.lives or pilot.job is None:
            return
        stage, seconds = pilot.job
        pilot.job = None
        pilot.done_s += seconds
        self._play.end_job(stage)
        self._go_on(pilot, machine)


def in_portions(seconds: np.ndarray, n_pilots: int) -> list[float]:
    """Return the times of jobs, those of many put together so that hundreds of scans stay quick.

    Only the last of them tell who ends when; those stay as they are.
    """
    n_early, n_portions = len(seconds) - _ALONE * n_pilots, _PORTIONS * n_pilots
    if n_early <= n_portions:
        return [float(each) for each in seconds]
    early = np.array_split(seconds[:n_early], n_portions)
    return [*(float(each.sum()) for each in early), *(float(each) for each in seconds[n_early:])]


@dataclass
class Crews:
    """All arrays of pilots of a run.

    Attributes
    ----------
    most
        How many pilots of a kind at most; None for none.
    tasks
        Whether they are tasks on Fargate.
    """

    play: Play
    stages: Sequence[Stage]
    most: int | None
    tasks: bool
    all: list[Crew] = field(default_factory=list)

    def find(self, number: int) -> Crew | None:
        """Return the crew that is to run a stage, perhaps a new one; None if an array is."""
        if self.most is None:
            return None
        stage, kind = self.stages[number], _kind_of(self.stages[number])
        for crew in self.open(kind.queue):
            if not crew.kind.holds(kind):
                return None
            if len(crew.pilots) >= min(self.most, stage.n_jobs):
                return crew
        ahead = [Ahead(_kind_of(each), each.n_jobs) for each in self.stages[number:]]
        n_pilots = number_of_pilots(self.most, kind, stage.n_jobs, ahead)
        kind = size_of_pilots(kind, ahead)
        kind = fit_pilots(kind) if self.tasks else kind
        crew = Crew(self.play, kind, n_pilots, stage.start_s / self.play.speed)
        self.all.append(crew)
        return crew

    def open(self, queue: str) -> Iterable[Crew]:
        """Walk the crews of a queue that take jobs, the newest first."""
        return (crew for crew in self.all[::-1] if crew.kind.queue == queue and not crew.is_closed)


def _kind_of(stage: Stage) -> Kind:
    gpus = 1 if stage.queue == "gpu" else 0
    return Kind(stage.queue, "", stage.vcpus, round(stage.memory_mib), gpus)
