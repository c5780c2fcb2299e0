"""How large pilots are: as the steps need that most jobs are of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from snakemake_executor_plugin_aws_batch_array.pilots.control import Kind

MAIN_SHARE = 0.1
"""Pilots hold every step that has such a share of all jobs."""

MOST_TIMES_LARGER = 2
"""They hold other steps that need up to so many times as much: one that needs more would have all
of them wait on machines that the main steps leave idle, and gets an array of its own."""


@dataclass(frozen=True)
class Ahead:
    """What a step needs, and how many jobs it has; None as long as its need is not known."""

    kind: Kind | None
    n_jobs: int


def number_of_pilots(most: int, first: Kind, n_first: int, ahead: Sequence[Ahead]) -> int:
    """Return how many pilots to start: no more than there are jobs, as far as is known.

    Parameters
    ----------
    most
        What the user asks for.
    first, n_first
        What the jobs need that are ready first, and how many they are.
    ahead
        All steps that are not done.
    """
    alike = (e.n_jobs for e in ahead if e.kind is None or e.kind.is_like(first))
    return min(most, max(n_first, sum(alike)))


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
