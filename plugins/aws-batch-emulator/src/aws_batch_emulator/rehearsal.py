"""An account whose clock runs as fast as it can be computed: machines, their moods, and the bill.

The emulator proper runs jobs; this runs their durations, to see what AWS would bill for them. Time
goes by the second. What a day is like (how often Batch looks at its queues, how long machines take
and stay) is drawn from distributions of its own, which a foreteller must not know.

Everything is billed as AWS does: machines by the second from `running` to their end, 60 s at least,
at the zone's price of that day; volumes and public addresses for the same seconds; tasks on Fargate
alike, from when they fetch their image; requests.
"""

import math
import random
from collections.abc import Sequence

from aws_batch_emulator.rehearsal_world import (
    ADDRESS_HOUR,
    GIB_HOUR,
    GPU_PRICES,
    LIST_PRICES,
    MB_S_HOUR,
    READ,
    TASK_DISK_FREE_GIB,
    TASK_DISK_GIB,
    TASK_GIB,
    TASK_VCPU,
    TASKS_A_SECOND,
    TASKS_AT_ONCE,
    WRITE,
    Crew,
    Day,
    Host,
    Resident,
    Task,
)

FARGATE = "fargate"


class Rehearsal:
    """One account, with a queue of CPU machines, one of GPU machines, and one on Fargate."""

    def __init__(
        self,
        seed: int,
        *,
        day: Day | None = None,
        most_cores: int = 400,
        reclaims: float = 1.0,
        volume_gib: float = 100,
        volume_mb_s: float = 250,
        task_gib: float = 30,
    ) -> None:
        self._rng = random.Random(seed)  # noqa: S311 - no secrets
        self.day = day or Day.draw(self._rng)
        self.now = 0.0
        self.hosts: dict[str, list[Host]] = {"cpu": [], "gpu": [], FARGATE: []}
        self.writes = self.reads = 0
        self.reclaimed = 0
        self.starts: list[tuple[Task, Host, float, float]] = []
        """Each start of a child: where, when, and until when it was to last."""
        self._most_cores = most_cores
        self._reclaims = reclaims
        self._disk_hour = volume_gib * GIB_HOUR + max(0, volume_mb_s - 125) * MB_S_HOUR
        self._task_disk_hour = max(0, task_gib - TASK_DISK_FREE_GIB) * TASK_DISK_GIB
        self._tasks_free: float = TASKS_AT_ONCE
        self._queued: dict[str, list[Task]] = {queue: [] for queue in self.hosts}
        self._next_look = {queue: self._rng.uniform(0, self.day.look_every) for queue in self.hosts}

    def run_array(
        self, queue: str, cores: int, mib: float, children: Sequence[Sequence[float]]
    ) -> None:
        """Submit an array and let time go by until every child has ended."""
        self.wait_for(self.submit_array(queue, cores, mib, children))

    def submit_array(
        self, queue: str, cores: int, mib: float, children: Sequence[Sequence[float]]
    ) -> list[Task]:
        """Submit an array and return its children."""
        queued = self.now + self._rng.uniform(1, 6)
        tasks = [Task(cores, mib, list(each), queued) for each in children]
        self._queued[queue] += tasks
        return tasks

    def wait_for(self, tasks: Sequence[Task]) -> None:
        """Let time go by until some children have ended."""
        while not all(task.is_over for task in tasks):
            self.wait(1)

    def start_crew(self, queue: str, cores: int, mib: float, n: int, start: float) -> Crew:
        """Submit children that stay; each takes a while before its first command."""
        crew, queued = Crew(queue), self.now + self._rng.uniform(1, 6)
        self._queued[queue] += [Resident(cores, mib, [start], queued, crew=crew) for _ in range(n)]
        return crew

    def run_commands(self, crew: Crew, commands: Sequence[float]) -> None:
        """Give commands to children that stay, and let time go by until all are done."""
        crew.commands += commands
        crew.left += len(commands)
        while crew.left:
            self.wait(1)

    def dismiss(self, crew: Crew) -> None:
        """Let children that stay end when they look for the next time; who waits never starts."""
        crew.dismissed = True
        queued = self._queued[crew.queue]
        self._queued[crew.queue] = [
            task for task in queued if not (isinstance(task, Resident) and task.crew is crew)
        ]

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
        billed = {
            queue: [self._billed(host) for host in hosts] for queue, hosts in self.hosts.items()
        }
        hosts = [host for hosts in self.hosts.values() for host in hosts]
        on_tasks = sum(billed[FARGATE])
        hours = sum(map(sum, billed.values()))
        return {
            "machines": sum(self._billed(host) * host.usd_hour for host in hosts),
            "volumes": (hours - on_tasks) * self._disk_hour + on_tasks * self._task_disk_hour,
            "addresses": hours * ADDRESS_HOUR,
            "requests": self.writes * WRITE + self.reads * READ,
        }

    def _billed(self, host: Host) -> float:
        """Return the hours of a machine that are billed."""
        stopped = self.now if host.stopped is None else host.stopped
        return max(60, math.ceil(stopped - host.running)) / 3600

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
        if queue == FARGATE:
            for host in (each for each in living if each.usable <= self.now and not each.tasks):
                host.stopped = self.now
            self._start_tasks(living)
        elif self.now >= self._next_look[queue]:
            self._next_look[queue] += self.day.look_every
            self._scale(queue, living)

    def _end_tasks(self, host: Host) -> None:
        for resident in [task for task in host.tasks if isinstance(task, Resident)]:
            resident.act(self.now, self._rng.uniform(1, 5))
        for task in [task for task in host.tasks if task.ends <= self.now]:
            task.end()
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
            host = self._launch(queue, min(wanted, room), min(task.mib for task in queued))
            wanted -= host.cores
            room -= host.cores

    def _start_tasks(self, living: Sequence[Host]) -> None:
        """Start a task for every child that waits, as fast as the account may."""
        self._tasks_free = min(TASKS_AT_ONCE, self._tasks_free + TASKS_A_SECOND)
        queued = [task for task in self._queued[FARGATE] if task.queued <= self.now]
        coming = sum(not host.tasks for host in living)
        room = self._most_cores - sum(host.cores for host in living)
        for task in queued[coming:]:
            if self._tasks_free < 1 or room < task.cores:
                return
            self._tasks_free -= 1
            room -= task.cores
            usd_hour = task.cores * TASK_VCPU + task.mib / 1024 * TASK_GIB
            running = self.now + self._about(self.day.task_start)
            self._add(
                FARGATE,
                f"fargate {task.cores}",
                task.cores,
                task.mib,
                usd_hour * self.day.task_spot,
                running,
                running + self._about(self.day.container),
            )

    def _launch(self, queue: str, cores: int, mib: float) -> Host:
        day, rng = self.day, self._rng
        if queue == "gpu":
            kind = rng.choices(list(GPU_PRICES), (3, 1, 2))[0]
            size, price, gib = 4, GPU_PRICES[kind] * day.gpu_spot, 4.0
        else:
            family, size, gib = rng.choice(_fitting(cores, mib))
            kind, price = f"{family}.{size // 4}xlarge", LIST_PRICES[family] * size * day.spot
        running = self.now + max(5.0, rng.gauss(day.launch, 2))
        usable = running + self._about(day.boot) + self._about(day.container)
        usable += self._about(day.gpu_boot) if queue == "gpu" else 0
        return self._add(queue, kind, size, _offered(gib, size), price, running, usable)

    def _add(
        self,
        queue: str,
        kind: str,
        cores: int,
        mib: float,
        usd_hour: float,
        running: float,
        usable: float,
    ) -> Host:
        hazard = self._reclaims / self.day.reclaim_hours
        life = self._rng.expovariate(hazard) if hazard else math.inf
        number = len(self.hosts[queue])
        doomed = running + 3600 * life
        host = Host(number, kind, cores, mib, usd_hour, self.now, running, usable, doomed)
        self.hosts[queue].append(host)
        return host

    def _take_back(self, queue: str, host: Host) -> None:
        host.stopped = self.now
        self.reclaimed += bool(host.tasks)
        for task in host.tasks:
            task.cut(self.now)
            task.tries += 1
            task.queued = self.now + self._rng.uniform(1, 6)
            if not task.is_over:
                self._queued[queue].append(task)
        host.tasks = []

    def _about(self, seconds: float) -> float:
        return seconds * self._rng.uniform(0.75, 1.25)


def _fitting(cores: int, mib: float) -> list[tuple[str, int, float]]:
    """Return family, vCPUs and GiB a vCPU of what holds a child and is no larger than is wanted."""
    every = [
        (family, size, 4.0 if family == "m6i" else 2.0)
        for family in LIST_PRICES
        for size in (4, 8, 16)
    ]
    holding = [each for each in every if _offered(each[2], each[1]) >= mib]
    least = min(size for _, size, _ in holding)
    return [each for each in holding if each[1] <= max(least, cores)]


def _offered(gib: float, size: int) -> float:
    """Return the MiB that a machine has for its children."""
    return 1024 * (gib * size - 0.6)


def _has_room(queue: str, host: Host, task: Task) -> bool:
    if queue == "gpu":
        return not host.tasks
    cores = sum(each.cores for each in host.tasks) + task.cores
    mib = sum(each.mib for each in host.tasks) + task.mib
    return cores <= host.cores and mib <= host.mib
