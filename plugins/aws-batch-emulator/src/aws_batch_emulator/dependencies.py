"""Which jobs wait for which."""

from collections import defaultdict
from collections.abc import Callable, Iterator

from aws_batch_emulator.jobs import Job
from aws_batch_emulator.states import Status


class Dependencies:
    """The jobs that are PENDING, by what they wait for."""

    def __init__(self, find: Callable[[str], Job | None]) -> None:
        self._find = find
        self._dependants: dict[str, list[Job]] = defaultdict(list)

    def enter(self, job: Job) -> Status:
        """Take in a job that was just submitted and return the state it belongs in."""
        for needed in self._needed_by(job):
            if needed.status is Status.FAILED:
                return Status.FAILED
            if not needed.status.is_final:
                self._dependants[needed.id].append(job)
                job.unmet_dependencies += 1
        return Status.PENDING if job.unmet_dependencies else Status.RUNNABLE

    def settle(self, finished: Job) -> Iterator[tuple[Job, Status]]:
        """Go through the jobs that a finished one decides: RUNNABLE or FAILED.

        The caller moves each as it comes, for one failure can fail a chain of 10,000 (hence the
        loop: recursion would not reach so deep).
        """
        decided = [finished]
        while decided:
            done = decided.pop()
            if done.parent is not None and done.parent.status.is_final:
                decided.append(done.parent)
            for dependant in self._dependants.pop(done.id, ()):
                if dependant.status is not Status.PENDING:
                    continue
                dependant.unmet_dependencies -= 1
                if done.status is Status.FAILED:
                    yield dependant, Status.FAILED
                    decided.append(dependant)
                elif dependant.unmet_dependencies == 0:
                    yield dependant, Status.RUNNABLE

    def _needed_by(self, job: Job) -> Iterator[Job]:
        for dependency in job.spec.depends_on:
            needed = self._find(dependency["jobId"]) if "jobId" in dependency else None
            if job.parent is not None and job.index is not None:
                if dependency.get("type") == "N_TO_N" and needed is not None:
                    needed = needed.children[job.index]
                elif needed is None and job.index > 0:  # SEQUENTIAL
                    needed = job.parent.children[job.index - 1]
            if needed is not None:
                yield needed
