"""The machines of one queue in a simulated run: who is free, who is on the way, who idles."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from snakemake_executor_plugin_aws_batch_array.fargate import least_pair
from snakemake_executor_plugin_aws_batch_array.slices import balanced_slice
from snakemake_executor_plugin_aws_batch_array.worker.host import task_type
from tomobatch.fleet.bill import Hire
from tomobatch.fleet.machines import Fleet, has_gpu, is_task, machine_memory_mib, machine_vcpus
from tomobatch.fleet.stages import Stage
from tomobatch.steps import Queue


@dataclass(eq=False)
class Child:
    """A child of an array: jobs that it carries out one after the other.

    Attributes
    ----------
    stage
        Number of its stage.
    vcpus, memory_mib
        What it reserves.
    start_s
        What it takes before its first job.
    seconds
        What each of its jobs takes.
    """

    stage: int
    vcpus: int
    memory_mib: float
    start_s: float
    seconds: np.ndarray
    began_s: float = 0.0

    @property
    def takes_s(self) -> float:
        """From its start to its end."""
        return self.start_s + float(self.seconds.sum())

    @property
    def is_wanted(self) -> bool:
        """Whether it is still to have a machine."""
        return True

    def worked_s(self, now_s: float) -> float:
        """Return for how long it has had work."""
        return max(0.0, now_s - self.began_s)

    def fitting(self, instance_type: str) -> int:
        """Return how many children like this one fit on a machine."""
        return _n_fitting(instance_type, self.vcpus, self.memory_mib)

    def cut_off(self, after_s: float) -> None:
        """Keep what is not done after some time: the job under way begins anew."""
        ends_s = self.start_s + np.cumsum(self.seconds)
        self.seconds = self.seconds[int(np.searchsorted(ends_s, after_s, side="right")) :]


def deal_out(
    number: int, stage: Stage, seconds: np.ndarray, n_children: int, start_s: float
) -> list[Child]:
    """Return the children of a stage's array, each with its slice of the jobs."""
    slices = (balanced_slice(len(seconds), n_children, child) for child in range(n_children))
    return [
        Child(number, stage.vcpus, stage.memory_mib, start_s, seconds[each.start : each.stop])
        for each in slices
    ]


@dataclass(eq=False)
class Machine:
    """A machine, from when it is asked for.

    Attributes
    ----------
    begin_s, ready_s, end_s
        From when it is billed, can work, and has ended.
    first_s, last_s, worked_s
        As ``Hire`` has them.
    idle_since_s
        Since when it has had nothing to do; None while it has.
    """

    instance_type: str
    market: str
    begin_s: float
    ready_s: float
    children: list[Child] = field(default_factory=list)
    is_ready: bool = False
    first_s: float = math.inf
    last_s: float = math.inf
    end_s: float = math.inf
    worked_s: float = 0.0
    idle_since_s: float | None = None

    def __post_init__(self) -> None:
        """Look its size up."""
        self.vcpus = machine_vcpus(self.instance_type) or 1
        self.free_vcpus = self.vcpus
        self.free_mib = machine_memory_mib(self.instance_type)
        self.is_task = is_task(self.instance_type)
        is_for_one = self.is_task or has_gpu(self.instance_type)
        self.free_children = 1.0 if is_for_one else math.inf

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self.end_s == math.inf

    def fits(self, child: Child) -> bool:
        """Whether a child finds room; a GPU serves one at a time."""
        return (
            child.vcpus <= self.free_vcpus
            and child.memory_mib <= self.free_mib
            and self.free_children >= 1
        )

    def take(self, child: Child) -> None:
        """Give a child its room."""
        self.children.append(child)
        self.free_vcpus -= child.vcpus
        self.free_mib -= child.memory_mib
        self.free_children -= 1

    def release(self, child: Child, now_s: float) -> None:
        """Take the room back, and count what the child had of the machine."""
        self.children.remove(child)
        self.free_vcpus += child.vcpus
        self.free_mib += child.memory_mib
        self.free_children += 0 if self.is_task else 1
        part = 1.0 if has_gpu(self.instance_type) else child.vcpus / self.vcpus
        self.worked_s += part * child.worked_s(now_s)
        self.last_s = now_s

    def hire(self) -> Hire:
        """Return it as it is billed, once it has ended."""
        first_s, last_s = (min(at_s, self.end_s) for at_s in (self.first_s, self.last_s))
        return Hire(
            self.instance_type,
            self.market,
            "",
            self.begin_s,
            max(self.begin_s, self.end_s),
            max(self.begin_s, first_s),
            max(self.begin_s, last_s),
            self.worked_s,
        )


@dataclass
class Pool:
    """The machines of one queue, and the children that wait for one."""

    queue: Queue
    fleet: Fleet
    rng: np.random.Generator
    machines: list[Machine] = field(default_factory=list)
    waiting: list[Child] = field(default_factory=list)
    is_deciding: bool = False

    @property
    def living(self) -> Iterator[Machine]:
        """Machines that have not ended."""
        return (machine for machine in self.machines if machine.lives)

    def find(self, child: Child) -> Machine | None:
        """Return the fullest machine at work that has room, as AWS Batch packs them."""
        fitting = (each for each in self.living if each.is_ready and each.fits(child))
        return max(fitting, key=lambda each: len(each.children), default=None)

    def missing(self) -> list[Child]:
        """Return the waiting children for which no machine is on the way."""
        coming = [Machine(m.instance_type, "", 0, 0) for m in self.living if not m.is_ready]
        left = []
        for child in self.waiting:
            machine = next((each for each in coming if each.fits(child)), None)
            if machine is None:
                left.append(child)
            else:
                machine.take(child)
        return left

    def choose_types(self, missing: Sequence[Child]) -> list[str]:
        """Choose machines for children, of any type that is not larger than what is left to place.

        AWS Batch takes what is cheap and deep, whatever its size (SPOT_PRICE_CAPACITY_OPTIMIZED).
        """
        if self.fleet.tasks:
            return self._tasks_for(missing)
        chosen: list[str] = []
        used = sum(machine.vcpus for machine in self.living)
        left = list(missing)
        while left:
            types = self._candidates(left)
            free = self.fleet.most_vcpus(self.queue) - used
            types = [each for each in types if (machine_vcpus(each) or 1) <= free]
            if not types:
                break
            instance_type = types[int(self.rng.integers(len(types)))]
            chosen.append(instance_type)
            used += machine_vcpus(instance_type) or 1
            left = left[left[0].fitting(instance_type) :]
        return chosen

    def _tasks_for(self, missing: Sequence[Child]) -> list[str]:
        """Return a task for each child, as many as there may be."""
        types = [
            task_type(vcpus, memory_mib / 1024)
            for vcpus, memory_mib in (
                least_pair(child.vcpus, math.ceil(child.memory_mib)) for child in missing
            )
        ]
        free = self.fleet.most_vcpus(self.queue) - sum(machine.vcpus for machine in self.living)
        used = itertools.accumulate(machine_vcpus(each) or 1 for each in types)
        return [each for each, so_far in zip(types, used, strict=True) if so_far <= free]

    def _candidates(self, left: Sequence[Child]) -> list[str]:
        wanted = sum(child.vcpus for child in left)
        types = self.fleet.types(self.queue)
        fitting = [each for each in types if left[0].fitting(each) > 0]
        if not fitting:
            return []
        least = min(machine_vcpus(each) or 1 for each in fitting)
        return [each for each in fitting if (machine_vcpus(each) or 1) <= max(wanted, least)]


@cache
def _n_fitting(instance_type: str, vcpus: int, memory_mib: float) -> int:
    """Return how many children of a size fit on a machine."""
    by_vcpus = (machine_vcpus(instance_type) or 1) // vcpus
    by_memory = int(machine_memory_mib(instance_type) // memory_mib)
    return min(by_vcpus, by_memory, 1 if has_gpu(instance_type) else by_vcpus)
