"""Looks at a run: a handful of calls, however many jobs it has, and no word with its controller.

Decision 95.
"""

import os
import platform
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

from snakemake_executor_plugin_aws_batch_array.batch import DESCRIBE_LIMIT, LISTING_LAG_S
from snakemake_executor_plugin_aws_batch_array.command_list import CommandList
from snakemake_executor_plugin_aws_batch_array.reading import RunReader
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from tomobatch.aws.runs.place import Place
from tomobatch.aws.runs.record import Controller, RunRecord, get_record
from tomobatch.aws.runs.results import recorded_chunks, results_of
from tomobatch.aws.runs.state import (
    Phase,
    RunState,
    as_finished,
    count_pilots,
    count_steps,
    find_phase,
)
from tomobatch.aws.runs.submitted import Submitted
from tomobatch.aws.runs.targets import parse_target
from tomobatch.aws.runs.waiting import Waiting

HEAD = "head"
"""Stands where a rule stands in the name of the job that runs Snakemake."""


@dataclass(frozen=True)
class Look:
    """A run as it was seen at one moment.

    Attributes
    ----------
    run
        Its name.
    record
        How it was asked for; None if plain Snakemake was.
    submitted
        Its lists, the oldest first.
    head
        The job that runs Snakemake; None if there is none.
    state
        How far it is.
    """

    run: str
    record: RunRecord | None
    submitted: tuple[Submitted, ...]
    head: JobDetail | None
    state: RunState

    @property
    def controller(self) -> Controller | None:
        """What runs Snakemake; None if nothing does, as far as is known."""
        return self.record.controller if self.record is not None else None

    @property
    def is_controlled(self) -> bool | None:
        """Whether its controller is at work; None if it is a process of another machine."""
        return is_alive(self.controller, self.head)


@dataclass
class Observer:
    """Looks at one run, again and again; what cannot change any more is asked for once."""

    place: Place
    run: str
    _job_ids: dict[str, str] = field(default_factory=dict)
    _final: dict[str, JobDetail] = field(default_factory=dict)
    _ended_by: dict[str, dict[int, tuple[int, bool]]] = field(default_factory=dict)

    def look(self) -> Look:
        """Ask S3 and Batch, and return what is known by now."""
        now_ms = time.time_ns() // 1_000_000
        record = get_record(self.place, self.run)
        lists = self.reader.lists()
        self._find_jobs(lists)
        controller = record.controller if record is not None else None
        wanted = {*self._job_ids.values()}
        if controller is not None and controller.is_job:
            wanted.add(controller.job_id)
        details = self._describe(wanted)
        head = details.get(controller.job_id) if controller is not None else None
        submitted = self._submitted(lists, details, record, now_ms)
        state = RunState(
            run=self.run,
            phase=_phase(record, submitted, head),
            steps=count_steps(submitted, {} if record is None else record.jobs),
            pilots=count_pilots(submitted),
            machines=len(set[str]().union(*(each.machines for each in submitted))),
            controller=describe_controller(controller, head),
            started_ms=_started_ms(record, submitted),
            now_ms=now_ms,
            unreadable=tuple(self.reader.unreadable.values()),
            foretold=None if record is None else record.foretold,
        )
        if state.phase is Phase.FINISHED:
            state = replace(state, steps=as_finished(state.steps))
        return Look(self.run, record, submitted, head, state)

    @cached_property
    def waiting(self) -> Waiting:
        """What tells why jobs wait."""
        return Waiting(self.place)

    @cached_property
    def reader(self) -> RunReader:
        """The lists, attempts and outcomes of the run."""
        return RunReader(self.place.store(self.run))

    def _find_jobs(self, lists: Mapping[str, CommandList]) -> None:
        """Find the ids of jobs by the beginning of their names, a queue at a time."""
        missing = [each for each in lists.values() if each.name not in self._job_ids]
        for queue in {each.queue for each in missing}:
            found = self.place.batch.find_all(f"{self.run}-*", queue)
            self._job_ids |= {name: job_id for name, job_id in found.items() if name in lists}

    def _describe(self, wanted: set[str]) -> dict[str, JobDetail]:
        open_ids = sorted(wanted - self._final.keys())
        details = self.place.batch.describe(open_ids)
        self._final |= {key: each for key, each in details.items() if each.status.is_final}
        return self._final | details

    def _submitted(
        self,
        lists: Mapping[str, CommandList],
        details: Mapping[str, JobDetail],
        record: RunRecord | None,
        now_ms: int,
    ) -> tuple[Submitted, ...]:
        with ThreadPoolExecutor(2) as pool:
            asked = pool.submit(self.reader.closed)
            attempts = self.reader.attempts()
            closed = asked.result()
        known = []
        for name, commands in lists.items():
            detail = details.get(self._job_ids.get(commands.pilots or name, ""))
            is_new = now_ms - commands.submitted_ms < 1000 * LISTING_LAG_S
            if commands.pilots and not commands.is_of_pilots:
                known.append(self._piloted(commands, detail, closed=name in closed, is_new=is_new))
                continue
            each = Submitted(
                commands=commands,
                detail=detail,
                attempts=attempts.get(name, {}),
                running=self._children(commands, detail, Status.RUNNING),
                failed=self._children(commands, detail, Status.FAILED),
                done=self._done(commands, detail, record),
                closed=name in closed,
                is_new=is_new,
            )
            known.append(replace(each, ended=self._ended(each)))
        return tuple(sorted(known, key=lambda each: each.commands.submitted_ms))

    def _piloted(
        self, commands: CommandList, detail: JobDetail | None, *, closed: bool, is_new: bool
    ) -> Submitted:
        """Return a list that pilots run: their outcomes tell; of a closed one they stay as read."""
        if commands.name not in self._ended_by:
            outcomes = self.reader.outcomes(commands.name, range(commands.n_children))
            ended = {
                index: (pilot, outcome.succeeded)
                for pilot, each in outcomes.items()
                for index, outcome in each.by_command.items()
            }
            if closed:
                self._ended_by[commands.name] = ended
        else:
            ended = self._ended_by[commands.name]
        return Submitted(
            commands=commands,
            detail=detail,
            done=frozenset(index for index, (_, succeeded) in ended.items() if succeeded),
            ended_by={index: pilot for index, (pilot, _) in ended.items()},
            closed=closed,
            is_new=is_new,
        )

    def _children(
        self, commands: CommandList, detail: JobDetail | None, status: Status
    ) -> frozenset[int]:
        """Return the children in a state; asks only if there are any."""
        if detail is None:
            return frozenset()
        if commands.n_children == 1:
            return frozenset({0} if detail.status is status else ())
        n_counted = detail.children.get(status, 0)
        if not n_counted:
            return frozenset()
        listed = frozenset(self.place.batch.children(detail.job_id, status))
        if len(listed) >= n_counted or commands.n_children > DESCRIBE_LIMIT:
            return listed
        # Listings lag behind the array's own count: one call tells of each.
        ids = {f"{detail.job_id}:{child}": child for child in range(commands.n_children)}
        details = self._describe(set(ids))
        return frozenset(
            child for id_, child in ids.items() if id_ in details and details[id_].status is status
        )

    def _ended(self, submitted: Submitted) -> frozenset[int]:
        """Return the failed children that somebody ended.

        Batch says it of each: an array whose waiting children were cancelled is not cancelled
        itself before those that run are over (API reference, CancelJob).
        """
        detail = submitted.detail
        if detail is None or detail.is_ended or not detail.children:
            return frozenset()
        ids = {f"{detail.job_id}:{child}": child for child in submitted.cut_off}
        details = self._describe(set(ids))
        return frozenset(
            child for id_, child in ids.items() if id_ in details and details[id_].is_ended
        )

    def _done(
        self, commands: CommandList, detail: JobDetail | None, record: RunRecord | None
    ) -> frozenset[int]:
        """Return the commands whose records are on S3, where children have several commands."""
        alone = len(commands.commands) == commands.n_children
        if alone or detail is None or detail.status is Status.SUCCEEDED:
            return frozenset()
        results = record.results if record is not None else results_of(commands)
        targets = [parse_target(command.target) for command in commands.commands]
        found = {
            scan: recorded_chunks(self.place, results, scan, commands)
            for scan in {target.scan for target in targets}
        }
        return frozenset(
            index for index, target in enumerate(targets) if target.chunk in found[target.scan]
        )


def _phase(
    record: RunRecord | None, submitted: Iterable[Submitted], head: JobDetail | None
) -> Phase:
    return find_phase(
        submitted,
        controlled=is_alive(record.controller, head) if record is not None else None,
        stopped=record is not None and record.stopped_ms is not None,
        finished=record is not None and record.finished_ms is not None,
    )


def _started_ms(record: RunRecord | None, submitted: Iterable[Submitted]) -> int | None:
    if record is not None:
        return record.started_ms
    return min((each.commands.submitted_ms for each in submitted), default=None)


def is_alive(controller: Controller | None, head: JobDetail | None) -> bool | None:
    """Tell whether a controller is at work; None if it is a process of another machine."""
    if controller is None:
        return False
    if controller.is_job:
        return head is not None and not head.status.is_final
    return _process_exists(controller.pid) if is_here(controller) else None


def is_here(controller: Controller) -> bool:
    """Tell whether a controller is a process of this machine."""
    return not controller.is_job and controller.host == platform.node()


def describe_controller(controller: Controller | None, head: JobDetail | None) -> str:
    """Return a few words on what controls the run."""
    if controller is None:
        return "none"
    if not controller.is_job:
        gone = is_here(controller) and not _process_exists(controller.pid)
        return f"process {controller.pid} on {controller.host}{', ended' if gone else ''}"
    state = "unknown to Batch" if head is None else head.status.value.lower()
    return f"Batch job {controller.job_id}, {state}"


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
