"""Looks at a run: a handful of calls, however many jobs it has, and no word with its controller."""

import os
import platform
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from snakemake_executor_plugin_aws_batch_array.command_list import Attempt, CommandList
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from tomobatch.aws.runs.place import Place
from tomobatch.aws.runs.record import Controller, RunRecord, get_record
from tomobatch.aws.runs.results import recorded_chunks, results_of
from tomobatch.aws.runs.state import (
    Phase,
    RunState,
    Submitted,
    as_finished,
    count_steps,
    find_phase,
)
from tomobatch.aws.runs.targets import parse_target
from tomobatch.s3.transfer import RemoteFile

_AT_ONCE = 16

HEAD = "head"
"""Stands where a rule stands in the name of the job that runs Snakemake."""


@dataclass
class Observer:
    """Looks at one run, again and again; what cannot change any more is asked for once.

    Attributes
    ----------
    place, run
        Which run.
    record
        How it was asked for, as of the last look; None if plain Snakemake was.
    submitted
        Its lists, as of the last look, the oldest first.
    head
        The job that runs Snakemake, as of the last look; None if there is none.
    ends
        List to child to when it last reported, in milliseconds since 1970.
    """

    place: Place
    run: str
    record: RunRecord | None = None
    submitted: list[Submitted] = field(default_factory=list)
    head: JobDetail | None = None
    ends: dict[str, dict[int, int]] = field(default_factory=dict)
    _lists: dict[str, CommandList] = field(default_factory=dict)
    _job_ids: dict[str, str] = field(default_factory=dict)
    _final: dict[str, JobDetail] = field(default_factory=dict)

    def look(self) -> RunState:
        """Ask S3 and Batch, and return how far the run is."""
        now_ms = time.time_ns() // 1_000_000
        self.record = get_record(self.place, self.run)
        self._read_lists()
        controller = self.record.controller if self.record is not None else None
        details = self._describe(controller)
        self.head = details.get(controller.job_id) if controller is not None else None
        self._submitted(details)
        record = self.record
        steps = count_steps(self.submitted, {} if record is None else record.jobs)
        phase = find_phase(
            self.submitted,
            controlled=is_alive(controller, self.head) if record is not None else None,
            stopped=record is not None and record.stopped_ms is not None,
            finished=record is not None and record.finished_ms is not None,
        )
        if phase is Phase.FINISHED:
            steps = as_finished(steps)
        machines = set[str]().union(*(each.machines for each in self.submitted))
        return RunState(
            run=self.run,
            phase=phase,
            steps=steps,
            machines=len(machines),
            controller=describe_controller(controller, self.head),
            started_ms=self._started_ms(),
            now_ms=now_ms,
        )

    def job_id(self, submitted: Submitted) -> str | None:
        """Return the id of the job that runs a list; None if Batch does not know it."""
        return self._job_ids.get(submitted.commands.name)

    def _started_ms(self) -> int | None:
        if self.record is not None:
            return self.record.started_ms
        return min((each.commands.submitted_ms for each in self.submitted), default=None)

    def _read_lists(self) -> None:
        """Read the lists that are new since the last look."""
        store = self.place.store(self.run)
        files = self.place.files(store.root / "lists")
        names = [file.name.removesuffix(".json") for file in files]
        new = [name for name in names if name not in self._lists]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for commands in pool.map(store.get_list, new):
                self._lists[commands.name] = commands
        self._find_jobs()

    def _find_jobs(self) -> None:
        """Find the ids of jobs by the beginning of their names, a queue at a time."""
        missing = [each for each in self._lists.values() if each.name not in self._job_ids]
        for queue in {each.queue for each in missing}:
            pages = self.place.batch_calls.get_paginator("list_jobs").paginate(
                jobQueue=queue, filters=[{"name": "JOB_NAME", "values": [f"{self.run}-*"]}]
            )
            for page in pages:
                for job in page["jobSummaryList"]:
                    if job["jobName"] in self._lists:
                        self._job_ids[job["jobName"]] = job["jobId"]

    def _describe(self, controller: Controller | None) -> dict[str, JobDetail]:
        wanted = {*self._job_ids.values()}
        if controller is not None and controller.is_job:
            wanted.add(controller.job_id)
        open_ids = sorted(wanted - self._final.keys())
        details = self.place.batch.describe(open_ids)
        self._final |= {key: each for key, each in details.items() if each.status.is_final}
        return self._final | details

    def _submitted(self, details: Mapping[str, JobDetail]) -> None:
        root = self.place.store(self.run).root
        folders = [root / name for name in ("closed", "attempts", "outcomes")]
        with ThreadPoolExecutor(len(folders)) as pool:
            closed_files, attempts, outcomes = pool.map(self.place.files, folders)
        closed = {file.name for file in closed_files}
        starts = _read_starts(attempts)
        self.ends = _read_ends(outcomes)
        known = []
        for name, commands in self._lists.items():
            detail = details.get(self._job_ids.get(name, ""))
            running = self._children(commands, detail, Status.RUNNING)
            failed = self._children(commands, detail, Status.FAILED)
            known.append(
                Submitted(
                    commands=commands,
                    detail=detail,
                    starts=starts.get(name, {}),
                    running=running,
                    failed=failed,
                    done=self._done(commands, detail),
                    closed=name in closed,
                )
            )
        self.submitted = sorted(known, key=lambda each: each.commands.submitted_ms)

    def _children(
        self, commands: CommandList, detail: JobDetail | None, status: Status
    ) -> frozenset[int]:
        """Return the children in a state; asks only if there are any."""
        if detail is None:
            return frozenset()
        if commands.n_children == 1:
            return frozenset({0} if detail.status is status else ())
        if not detail.children.get(status, 0):
            return frozenset()
        return frozenset(self.place.batch.children(detail.job_id, status))

    def _done(self, commands: CommandList, detail: JobDetail | None) -> frozenset[int]:
        """Return the commands whose records are on S3, where children have several commands."""
        alone = len(commands.commands) == commands.n_children
        if alone or detail is None or detail.status is Status.SUCCEEDED:
            return frozenset()
        results = self.record.results if self.record is not None else results_of(commands)
        targets = [parse_target(command.target) for command in commands.commands]
        found = {
            scan: recorded_chunks(self.place, results, scan, commands)
            for scan in {target.scan for target in targets}
        }
        return frozenset(
            index for index, target in enumerate(targets) if target.chunk in found[target.scan]
        )


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


def _read_starts(files: Iterable[RemoteFile]) -> dict[str, dict[int, Sequence[Attempt]]]:
    """Read ``<list>/<child>_<attempt>``, the names by which workers say that they start."""
    found: dict[str, dict[int, list[Attempt]]] = defaultdict(lambda: defaultdict(list))
    for file in files:
        list_name, _, entry = file.name.partition("/")
        child, _, key = entry.partition("_")
        found[list_name][int(child)].append(Attempt.from_key(key))
    return {
        list_name: {
            child: sorted(attempts, key=lambda each: each.number)
            for child, attempts in by_child.items()
        }
        for list_name, by_child in found.items()
    }


def _read_ends(files: Iterable[RemoteFile]) -> dict[str, dict[int, int]]:
    """Read when each ``<list>/<child>.json`` was last written."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for file in files:
        list_name, _, child = file.name.removesuffix(".json").partition("/")
        found[list_name][int(child)] = round(file.modified_s * 1000)
    return dict(found)
