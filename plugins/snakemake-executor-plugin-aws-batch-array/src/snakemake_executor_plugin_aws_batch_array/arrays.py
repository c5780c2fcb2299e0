"""Groups jobs that are alike into array jobs. Knows neither AWS nor Snakemake."""

import math
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

MIN_ARRAY_SIZE = 2
"""An array job of AWS Batch has two children at least; one child is a plain job."""

MAX_ARRAY_SIZE = 10_000
"""Most children an array job of AWS Batch may have."""

Job = TypeVar("Job")


@dataclass(frozen=True)
class ArrayGroup(Generic[Job]):
    """Jobs that are submitted together, in the order they came.

    Attributes
    ----------
    jobs
        The jobs, one or more; child i takes balanced slice i of them.
    n_children
        Number of machines asked for: 1 for a plain job, else 2 to 10,000.
    """

    jobs: tuple[Job, ...]
    n_children: int

    @property
    def is_array(self) -> bool:
        """Whether this is an array job rather than a plain one."""
        return self.n_children >= MIN_ARRAY_SIZE


@dataclass(frozen=True)
class ByWork:
    """How many children share some work, of which each is to have enough to be worth its start.

    Attributes
    ----------
    child_s
        Work of a child, in seconds; 0 for as many children as there are jobs.
    """

    child_s: float = 0.0

    def n_children(self, n_jobs: int, works_s: Iterable[float | None]) -> int:
        """Return how many children share so many jobs, which take so long; None is not known."""
        if not self.child_s:
            return n_jobs
        work_s = 0.0
        for each in works_s:
            if each is None:
                return n_jobs
            work_s += each
        return max(1, min(n_jobs, math.ceil(work_s / self.child_s)))


A_JOB_EACH = ByWork()
"""As many children as there are jobs."""


def group_into_arrays(
    jobs: Iterable[Job],
    alike: Callable[[Job], Hashable],
    max_children: int,
    by_work: ByWork = A_JOB_EACH,
    work_s: Callable[[Job], float | None] = lambda _: None,
) -> list[ArrayGroup[Job]]:
    """Put every job into exactly one group of jobs that are alike.

    No job is held back for others to come: Snakemake offers a job once.

    Parameters
    ----------
    jobs
        The jobs that are ready.
    alike
        Key of a job; jobs with equal keys may share an array.
    max_children
        Most children of one array, 1 to 10,000. More jobs than that queue inside the children.
    by_work, work_s
        How many children share some work, and the work of a job.

    Returns
    -------
    list of ArrayGroup
        In the order in which each key was seen first.

    Raises
    ------
    ValueError
        If `max_children` lies outside ``[1, 10000]``.
    """
    if not 1 <= max_children <= MAX_ARRAY_SIZE:
        raise ValueError(f"array size {max_children} is outside [1, {MAX_ARRAY_SIZE}]")
    groups: dict[Hashable, list[Job]] = {}
    for job in jobs:
        groups.setdefault(alike(job), []).append(job)
    return [
        ArrayGroup(
            tuple(members),
            min(max_children, by_work.n_children(len(members), map(work_s, members))),
        )
        for members in groups.values()
    ]
