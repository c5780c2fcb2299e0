"""How large pilots are: as the steps need that most jobs are of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from snakemake_executor_plugin_aws_batch_array.arrays import A_JOB_EACH, ByWork
from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind

MAIN_SHARE = 0.1
"""Pilots hold every step that has such a share of all jobs."""

MOST_TIMES_LARGER = 2
"""They hold other steps that need up to so many times as much: one that needs more would have all
of them wait on machines that the main steps leave idle, and gets an array of its own."""


@dataclass(frozen=True)
class Ahead:
    """What a step needs, how many jobs it has, and what all of them take.

    Its need is None as long as it is not known, and so is its work.
    """

    kind: Kind | None
    n_jobs: int
    work_s: float | None = None


def number_of_pilots(
    most: int,
    first: Kind,
    n_first: int,
    ahead: Sequence[Ahead],
    by_work: ByWork = A_JOB_EACH,
) -> int:
    """Return how many pilots to start: no more than there are jobs, as far as is known.

    Parameters
    ----------
    most
        What the user asks for.
    first, n_first
        What the jobs need that are ready first, and how many children they are worth.
    ahead
        All steps that are not done.
    by_work
        How many children the work of all of them is worth.
    """
    alike = [each for each in ahead if each.kind is None or each.kind.is_like(first)]
    n_jobs = sum(each.n_jobs for each in alike)
    return min(most, max(n_first, by_work.n_children(n_jobs, (each.work_s for each in alike))))


def size_of_pilots(first: Kind, ahead: Sequence[Ahead]) -> Kind:
    """Return the kind of pilots to start for what is ready first and for what is ahead."""
    alike = [
        (each.kind, each.n_jobs)
        for each in ahead
        if each.kind is not None and each.kind.is_like(first)
    ]
    n_jobs = sum(n for _, n in alike)
    main = _largest([first, *(kind for kind, n in alike if n >= MAIN_SHARE * n_jobs)])
    most = replace(
        main,
        vcpus=MOST_TIMES_LARGER * main.vcpus,
        memory_mib=MOST_TIMES_LARGER * main.memory_mib,
    )
    return _largest([main, *(kind for kind, _ in alike if most.holds(kind))])


def _largest(kinds: Iterable[Kind]) -> Kind:
    first, *others = kinds
    return replace(
        first,
        vcpus=max(each.vcpus for each in (first, *others)),
        memory_mib=max(each.memory_mib for each in (first, *others)),
    )
