"""What a run has to do: stages of jobs, each after the one before."""

from collections.abc import Sequence
from dataclasses import dataclass

from tomobatch.steps import Queue


@dataclass(frozen=True)
class Load:
    """Equal jobs.

    Attributes
    ----------
    n_jobs
        How many.
    compute_s
        What one takes at the speed of the measured machine, beside moving data.
    read_mb, write_mb
        What one moves.
    puts, gets
        Requests to S3 of one.
    """

    n_jobs: int
    compute_s: float
    read_mb: float = 0.0
    write_mb: float = 0.0
    puts: float = 0.0
    gets: float = 0.0


@dataclass(frozen=True)
class Stage:
    """One step of a run: an array of children that share its jobs.

    Attributes
    ----------
    step
        Its rule.
    queue
        Where it runs.
    vcpus, memory_mib
        What a child reserves; on the GPU queue it has its machine for itself.
    loads
        Its jobs.
    start_s
        What a child takes before its first job.
    waited_for
        Whether the next stage waits for its end.
    """

    step: str
    queue: Queue
    vcpus: int
    memory_mib: float
    loads: tuple[Load, ...]
    start_s: float = 0.0
    waited_for: bool = True

    @property
    def n_jobs(self) -> int:
        """All of its jobs."""
        return sum(load.n_jobs for load in self.loads)

    def n_children(self, most: int) -> int:
        """Return how many children share them."""
        return min(self.n_jobs, most)


def merge(runs: Sequence[Sequence[Stage]]) -> list[Stage]:
    """Return the stages of several scans in one run: what has the same name goes together.

    A child reserves what the largest of its jobs needs.
    """
    merged: dict[str, Stage] = {}
    for stage in (stage for stages in runs for stage in stages):
        known = merged.get(stage.step)
        if known is not None:
            stage = Stage(
                step=stage.step,
                queue=stage.queue,
                vcpus=max(known.vcpus, stage.vcpus),
                memory_mib=max(known.memory_mib, stage.memory_mib),
                loads=known.loads + stage.loads,
                start_s=max(known.start_s, stage.start_s),
                waited_for=stage.waited_for,
            )
        merged[stage.step] = stage
    return list(merged.values())
