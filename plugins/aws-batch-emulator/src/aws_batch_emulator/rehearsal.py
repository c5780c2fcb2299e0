"""An account whose clock runs as fast as it can be computed: machines, their moods, and the bill.

The emulator proper runs jobs; this runs their durations, to see what AWS would bill for them. Time
goes by the second. What a day is like (how often Batch looks at its queues, how long machines take
and stay) is drawn from distributions of its own, which a foreteller must not know.

Everything is billed as AWS does: machines by the second from `running` to their end, 60 s at least,
at the zone's price of that day; volumes and public addresses for the same seconds; requests.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

LIST_PRICES = {"c6i": 0.0425, "c6a": 0.03825, "c7i": 0.044625, "m6i": 0.048, "c7a": 0.05132}
"""Dollars a vCPU and hour of CPU families, on-demand, us-east-1."""
GPU_PRICES = {"g4dn.xlarge": 0.526, "g5.xlarge": 1.006, "g6.xlarge": 0.8048}
GIB_HOUR = 0.08 / 730
MB_S_HOUR = 0.04 / 730
ADDRESS_HOUR = 0.005
WRITE, READ = 0.005 / 1000, 0.0004 / 1000


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

    def cut(self, now: float) -> None:
        """Drop the commands that were over by now."""
        at = self.begins
        while self.durations and at + self.durations[0] <= now:
            at += self.durations.pop(0)


class Rehearsal:
    """One account, with a CPU and a GPU queue."""

    def __init__(
        self,
        seed: int,
        *,
        day: Day | None = None,
        most_cores: int = 400,
        reclaims: float = 1.0,
        volume_gib: float = 100,
        volume_mb_s: float = 250,
    ) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - no secrets
        self.day = day or Day.draw(self._rng)
        self.now = 0.0
        self.hosts: dict[str, list[Host]] = {"cpu": [], "gpu": []}
        self.writes = self.reads = 0
        self.reclaimed = 0
        self.starts: list[tuple[Task, Host, float, float]] = []
        """Each start of a child: where, when, and until when it was to last."""
        self._most_cores = most_cores
        self._reclaims = reclaims
        self._disk_hour = volume_gib * GIB_HOUR + max(0, volume_mb_s - 125) * MB_S_HOUR
        self._queued: dict[str, list[Task]] = {"cpu": [], "gpu": []}
        self._next_look = {queue: self._rng.uniform(0, self.day.look_every) for queue in self.hosts}

    def run_array(
        self, queue: str, cores: int, mib: float, children: Sequence[Sequence[float]]
    ) -> None:
        """Submit an array and let time go by until every child has ended."""
        queued = self.now + self._rng.uniform(1, 6)
        tasks = [Task(cores, mib, list(each), queued) for each in children]
        self._queued[queue] += tasks
        while any(task.durations for task in tasks):
            self.wait(1)

    def wait(self, seconds: float) -> None:
        """Let some seconds go by."""
        for _ in range(max(1, round(seconds))):
            self.now += 1
            for queue in self.hosts:
                self._tick(queue)

    def wind_down(self) -> None:
        """Let time go by until no machine is left."""
        while any(host.stopped is None for hosts in self.hosts.values() for host in hosts):
            self.wait(1)

    def bill(self) -> dict[str, float]:
        """Return what is billed, in dollars."""
        seconds = machines = 0.0
        for host in (host for hosts in self.hosts.values() for host in hosts):
            stopped = self.now if host.stopped is None else host.stopped
            billed = max(60, math.ceil(stopped - host.running))
            seconds += billed
            machines += billed / 3600 * host.usd_hour
        return {
            "machines": machines,
            "volumes": seconds / 3600 * self._disk_hour,
            "addresses": seconds / 3600 * ADDRESS_HOUR,
            "requests": self.writes * WRITE + self.reads * READ,
        }

    # --- one second -----------------------------------------------------------------------

    def _tick(self, queue: str) -> None:
        living = [host for host in self.hosts[queue] if host.stopped is None]
        for host in living:
            self._end_tasks(host)
            if self.now >= host.doomed and host.usable <= self.now:
                self._take_back(queue, host)
            elif host.idle_from is not None and self.now - host.idle_from >= self.day.stays:
                host.stopped = self.now
        waiting = [task for task in self._queued[queue] if task.queued <= self.now]
        for task in waiting:
            self._start(queue, task, living)
        if self.now >= self._next_look[queue]:
            self._next_look[queue] += self.day.look_every
            self._scale(queue, living)

    def _end_tasks(self, host: Host) -> None:
        for task in [task for task in host.tasks if task.ends <= self.now]:
            task.durations.clear()
            host.tasks.remove(task)
            if not host.tasks:
                host.idle_from = self.now
        if not host.tasks and host.idle_from is None and self.now >= host.usable:
            host.idle_from = self.now

    def _start(self, queue: str, task: Task, living: Sequence[Host]) -> None:
        for host in living:
            if host.stopped is None and host.usable <= self.now and _has_room(queue, host, task):
                used = host.first_task is not None
                task.begins = self.now + (self._about(self.day.reuse) if used else 1)
                host.first_task = host.first_task or task.begins
                host.tasks.append(task)
                host.idle_from = None
                self._queued[queue].remove(task)
                self.starts.append((task, host, task.begins, task.ends))
                return

    def _scale(self, queue: str, living: Sequence[Host]) -> None:
        """Ask for what the queued children need beyond the machines that are on their way."""
        coming = sum(host.cores for host in living if host.usable > self.now)
        queued = [task for task in self._queued[queue] if task.queued <= self.now]
        wanted = sum(4 if queue == "gpu" else task.cores for task in queued) - coming
        room = self._most_cores - sum(host.cores for host in living)
        while wanted > 0 and room >= 4:
            host = self._launch(queue, min(wanted, room), max(task.mib for task in queued))
            wanted -= host.cores
            room -= host.cores

    def _launch(self, queue: str, cores: int, mib: float) -> Host:
        day, rng = self.day, self._rng
        if queue == "gpu":
            kind = rng.choices(list(GPU_PRICES), (3, 1, 2))[0]
            size, price, gib = 4, GPU_PRICES[kind] * day.gpu_spot, 4.0
        else:
            family = rng.choice(list(LIST_PRICES))
            size = rng.choice([each for each in (4, 8, 16) if each <= max(4, cores)])
            gib = 4.0 if family == "m6i" else 2.0
            kind, price = f"{family}.{size // 4}xlarge", LIST_PRICES[family] * size * day.spot
        running = self.now + max(5.0, rng.gauss(day.launch, 2))
        usable = running + self._about(day.boot) + self._about(day.container)
        usable += self._about(day.gpu_boot) if queue == "gpu" else 0
        life = rng.expovariate(self._reclaims / day.reclaim_hours) if self._reclaims else math.inf
        host = Host(
            len(self.hosts[queue]),
            kind,
            size,
            1024 * (gib * size - 0.6),
            price,
            self.now,
            running,
            usable,
            running + 3600 * life,
        )
        self.hosts[queue].append(host)
        return host

    def _take_back(self, queue: str, host: Host) -> None:
        host.stopped = self.now
        self.reclaimed += bool(host.tasks)
        for task in host.tasks:
            task.cut(self.now)
            task.tries += 1
            task.queued = self.now + self._rng.uniform(1, 6)
            if task.durations:
                self._queued[queue].append(task)
        host.tasks = []

    def _about(self, seconds: float) -> float:
        return seconds * self._rng.uniform(0.75, 1.25)


def _has_room(queue: str, host: Host, task: Task) -> bool:
    if queue == "gpu":
        return not host.tasks
    cores = sum(each.cores for each in host.tasks) + task.cores
    mib = sum(each.mib for each in host.tasks) + task.mib
    return cores <= host.cores and mib <= host.mib
