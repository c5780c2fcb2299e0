"""What a rehearsal is made of: days of an account, its machines and their prices, its children."""

import math
import random
from dataclasses import dataclass, field

LIST_PRICES = {"c6i": 0.0425, "c6a": 0.03825, "c7i": 0.044625, "m6i": 0.048, "c7a": 0.05132}
"""Dollars a vCPU and hour of CPU families, on-demand, us-east-1."""
GPU_PRICES = {"g4dn.xlarge": 0.526, "g5.xlarge": 1.006, "g6.xlarge": 0.8048}
GIB_HOUR = 0.08 / 730
MB_S_HOUR = 0.04 / 730
ADDRESS_HOUR = 0.005
WRITE, READ = 0.005 / 1000, 0.0004 / 1000
TASK_VCPU, TASK_GIB, TASK_DISK_GIB = 0.04048, 0.004445, 0.000111
"""Dollars an hour of a task on Fargate, on-demand, us-east-1."""
TASK_DISK_FREE_GIB = 20
TASKS_AT_ONCE, TASKS_A_SECOND = 100, 20
"""How many tasks an account may start: a burst, then so many a second."""


@dataclass
class Day:
    """What AWS is like on one day; seconds, and shares of the list price."""

    look_every: float
    launch: float
    boot: float
    gpu_boot: float
    container: float
    reuse: float
    stays: float
    reclaim_hours: float
    spot: float
    gpu_spot: float
    speed: float
    mb_s: float
    task_start: float = 30.0
    task_spot: float = 0.33
    task_speed: float = 0.85

    @classmethod
    def draw(cls, rng: random.Random) -> "Day":
        """Draw a day."""
        return cls(
            look_every=rng.uniform(20, 90),
            launch=rng.gauss(20, 3),
            boot=max(25.0, rng.gauss(50, 7)),
            gpu_boot=max(15.0, rng.gauss(45, 12)),
            container=rng.uniform(10, 25),
            reuse=rng.uniform(6, 24),
            stays=rng.uniform(120, 420),
            reclaim_hours=1 / rng.uniform(0.001, 0.02),
            spot=min(0.6, max(0.3, rng.gauss(0.42, 0.04))),
            gpu_spot=min(0.6, max(0.3, rng.gauss(0.43, 0.04))),
            speed=rng.uniform(0.85, 1.4),
            mb_s=rng.uniform(65, 120),
            task_start=rng.uniform(15, 50),
            task_spot=min(0.45, max(0.28, rng.gauss(0.34, 0.03))),
            task_speed=rng.uniform(0.7, 1.05),
        )


@dataclass(eq=False)
class Host:
    """A machine; its prices are those of the moment at which it started."""

    number: int
    kind: str
    cores: int
    mib: float
    usd_hour: float
    asked: float
    running: float
    usable: float
    doomed: float
    tasks: "list[Task]" = field(default_factory=list)
    idle_from: float | None = None
    stopped: float | None = None
    first_task: float | None = None


@dataclass(eq=False)
class Task:
    """A child: the durations of its commands, and how many of them are done."""

    cores: int
    mib: float
    durations: list[float]
    queued: float
    begins: float = 0.0
    host: Host | None = None
    tries: int = 0

    @property
    def ends(self) -> float:
        """When it ends if nothing happens."""
        return self.begins + sum(self.durations)

    @property
    def is_over(self) -> bool:
        """Whether it has nothing more to do."""
        return not self.durations

    def end(self) -> None:
        """Have nothing more to do."""
        self.durations.clear()

    def cut(self, now: float) -> None:
        """Drop the commands that were over by now."""
        at = self.begins
        while self.durations and at + self.durations[0] <= now:
            at += self.durations.pop(0)


@dataclass(eq=False)
class Crew:
    """Children that stay, and the commands that they are to carry out between them."""

    queue: str
    commands: list[float] = field(default_factory=list)
    left: int = 0
    dismissed: bool = False
    looks: int = 0


@dataclass(eq=False)
class Resident(Task):
    """A child that stays: it looks for a command every few seconds, and carries it out."""

    crew: Crew = field(kw_only=True)
    command: float | None = None
    free_at: float = math.inf
    leaves: float = math.inf

    @property
    def ends(self) -> float:
        """When it ends: as soon as it has seen that it may."""
        return self.leaves

    @property
    def is_over(self) -> bool:
        """Whether it has been let go."""
        return self.crew.dismissed

    def end(self) -> None:
        """End; what it was started with does not matter."""

    def act(self, now: float, rest: float) -> None:
        """Go on up to a moment; without a command it rests so long before it looks again."""
        if self.command is None and self.free_at == math.inf:
            self.free_at = self.begins + sum(self.durations)
        while self.free_at <= now and self.leaves == math.inf:
            if self.command is not None:
                self.command = None
                self.crew.left -= 1
            if self.crew.commands:
                self.command = self.crew.commands.pop(0)
                self.free_at += self.command
            elif self.crew.dismissed:
                self.leaves = now
            else:
                self.crew.looks += 1
                self.free_at = now + rest

    def cut(self, now: float) -> None:
        """Leave its command to the others."""
        del now
        if self.command is not None:
            self.crew.commands.insert(0, self.command)
        self.command, self.free_at = None, math.inf
