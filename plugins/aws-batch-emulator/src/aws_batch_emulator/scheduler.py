"""Gives children machines, starts their commands and follows them to the end.

One scheduler thread starts what can start and fires timers; one thread waits for each
*running* command, and there are at most `slots` of those a queue. A waiting child is an
entry in a deque, so that an array of 10,000 costs no thread until it runs.
"""

import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from aws_batch_emulator import endings
from aws_batch_emulator import jobs as lifecycle
from aws_batch_emulator.dependencies import Dependencies
from aws_batch_emulator.endings import Ending
from aws_batch_emulator.faults import Fault, FaultBook, FaultKind
from aws_batch_emulator.jobs import Attempt, Job, JobSpec, Machine
from aws_batch_emulator.processes import CannotPullImage, Launcher, LogWriter
from aws_batch_emulator.runs import RUN_FAULTS, Run
from aws_batch_emulator.settings import Settings
from aws_batch_emulator.states import Status
from aws_batch_emulator.stuck import StuckJobs, can_go_on
from aws_batch_emulator.timers import Timers


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the scheduler needs of the world outside it.

    `launch` None means that children succeed at once without running anything.
    """

    launch: Launcher | None
    prepare: Callable[[Job, Attempt], Ending | None]
    environment: Callable[[Job, Attempt], dict[str, str]]
    open_log: Callable[[JobSpec, str], LogWriter]
    take_machine: Callable[[JobSpec, str], Machine]
    give_back_machine: Callable[[JobSpec, Machine], None]


class Scheduler:
    """The jobs of one account and region."""

    def __init__(self, surroundings: Surroundings, faults: FaultBook, settings: Settings) -> None:
        self._outside = surroundings
        self._faults = faults
        self._settings = settings
        self.lock = threading.Condition(threading.RLock())
        self._jobs: dict[str, Job] = {}
        self._waiting: dict[str, deque[Job]] = defaultdict(deque)
        self._runs: dict[str, Run] = {}
        self._busy: dict[str, int] = defaultdict(int)
        self._dependencies = Dependencies(self.find)
        self._timers = Timers(self.lock.notify_all)
        self._stuck = StuckJobs(self._timers, settings.timeout_scale, self.cancel)
        self._stopping = False
        self._thread = threading.Thread(target=self._loop, name="scheduler", daemon=True)
        self._thread.start()

    # --- what the API asks for ------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """Take in a plain job or an array; its children wait for their dependencies."""
        with self.lock:
            self._jobs[job.id] = job
            for child in job.children or [job]:
                self._admit(child)
            self.lock.notify_all()

    def find(self, job_id: str) -> Job | None:
        """Return a job, a parent or a child `parent:index`."""
        parent_id, _, index = job_id.partition(":")
        job = self._jobs.get(parent_id)
        if job is None or not index:
            return job
        if not index.isdigit() or int(index) >= len(job.children):
            return None
        return job.children[int(index)]

    def submitted(self) -> list[Job]:
        """Return every plain job and every parent, in the order of submission."""
        with self.lock:
            return list(self._jobs.values())

    def children(self) -> Iterator[Job]:
        """Go through every job that runs a command: plain jobs and children."""
        for job in self.submitted():
            yield from job.children or (job,)

    def terminate(self, job: Job, reason: str) -> None:
        """End a job, or every child of an array, whatever its state."""
        with self.lock:
            for child in self._to_end(job, reason):
                child.is_terminated = True
                if child.status.is_waiting:
                    self._move(child, Status.FAILED, reason)
                elif run := self._runs.get(child.id):
                    run.stop(reason)
            self.lock.notify_all()

    def cancel(self, job: Job, reason: str) -> None:
        """End a job, or the children of an array, that hold no machine yet."""
        with self.lock:
            for child in self._to_end(job, reason):
                if child.status.is_waiting:
                    child.is_cancelled = True
                    self._move(child, Status.FAILED, reason)
            self.lock.notify_all()

    def apply_fault(self, fault: Fault) -> None:
        """Set a fault; it strikes what runs now and what starts later."""
        self._faults.add(fault)
        with self.lock:
            for run in list(self._runs.values()):
                if run.process is not None and fault.kind in RUN_FAULTS:
                    self._arm(run, fault)
            self.lock.notify_all()

    def processes(self) -> dict[str, int]:
        """Return the process id of every child that runs, by job id."""
        with self.lock:
            running = {id_: run.process for id_, run in self._runs.items()}
        return {id_: p.pid for id_, p in running.items() if p is not None and p.pid is not None}

    def stop(self) -> None:
        """Kill every child and end the scheduler's thread."""
        with self.lock:
            self._stopping = True
            for run in self._runs.values():
                run.kill()
            self.lock.notify_all()
        self._thread.join()
        with self.lock:
            self.lock.wait_for(lambda: not self._runs, timeout=10)

    # --- waiting --------------------------------------------------------------------------

    def _to_end(self, job: Job, reason: str) -> list[Job]:
        """Return what TerminateJob or CancelJob on this job is about."""
        if job.is_array and not job.status.is_final:
            job.status_reason = reason
        return [child for child in job.children or [job] if not child.status.is_final]

    def _admit(self, job: Job) -> None:
        match self._dependencies.enter(job):
            case Status.RUNNABLE:
                self._make_runnable(job)
            case Status.FAILED:
                self._move(job, Status.FAILED, endings.DEPENDENCY_FAILED)
            case status:
                self._move(job, status)

    def _make_runnable(self, job: Job) -> None:
        slow = self._faults.take_for_job(FaultKind.SLOW_START, job.spec.name, job.id)
        self._move(job, Status.RUNNABLE)
        if slow is None:
            if job.spec.obstacle is not None:
                self._stuck.add(job, job.spec.obstacle)
            self._waiting[job.spec.queue_name].append(job)
            return
        self._stuck.add(job, endings.STUCK if slow.reason is None else slow.reason)
        if slow.duration_s is not None:
            self._timers.add(slow.duration_s, partial(self._unstick, job))

    def _unstick(self, job: Job) -> None:
        if job.status is Status.RUNNABLE:
            self._stuck.remove(job)
            job.status_reason = None
            self._waiting[job.spec.queue_name].append(job)

    def _move(self, job: Job, status: Status, reason: str | None = None) -> None:
        if status is not Status.RUNNABLE:
            self._stuck.remove(job)
        lifecycle.move(job, status, _now_ms(), reason)
        if status.is_final:
            self._settle(job)

    def _settle(self, job: Job) -> None:
        """Let those who wait for a finished job go on, or fail."""
        for dependant, status in self._dependencies.settle(job):
            if status is Status.RUNNABLE:
                self._make_runnable(dependant)
            else:
                lifecycle.move(dependant, status, _now_ms(), endings.DEPENDENCY_FAILED)

    # --- the scheduler's thread -----------------------------------------------------------

    def _loop(self) -> None:
        with self.lock:
            while not self._stopping:
                self._timers.fire_due()
                for queue, waiting in list(self._waiting.items()):
                    while self._busy[queue] < self._settings.slots and can_go_on(waiting):
                        self._start(waiting.popleft())
                self.lock.wait(self._timers.seconds_to_next())

    # --- running --------------------------------------------------------------------------

    def _start(self, job: Job) -> None:
        if job.status is not Status.RUNNABLE:
            return  # ended while it waited
        spec = job.spec
        task_id = secrets.token_hex(16)
        attempt = Attempt(
            number=len(job.attempts) + 1,
            task_id=task_id,
            machine=self._outside.take_machine(spec, task_id),
            log_stream=f"{spec.log_prefix}/default/{task_id}",
        )
        job.attempts.append(attempt)
        job.status_reason = None
        self._move(job, Status.STARTING)
        run = Run(job, attempt, self._timers, self._settings.grace_s)
        self._runs[job.id] = run
        self._busy[spec.queue_name] += 1
        if self._faults.take_for_job(FaultKind.CANNOT_PULL, spec.name, job.id):
            self._finish(run, endings.cannot_pull(f"pull access denied: {spec.container['image']}"))
        elif self._outside.launch is None:
            self._mark_running(run)
            self._finish(run, endings.exited(0))
        else:
            threading.Thread(
                target=self._follow, args=(run, self._outside.launch), name=job.id, daemon=True
            ).start()

    def _follow(self, run: Run, launch: Launcher) -> None:
        """Run one attempt's command to its end (in a thread of its own)."""
        job, attempt = run.job, run.attempt
        if obstacle := self._outside.prepare(job, attempt):
            with self.lock:
                self._finish(run, obstacle)
            return
        environment = self._outside.environment(job, attempt)
        write_log = self._outside.open_log(job.spec, attempt.log_stream)
        try:
            process = launch(job.spec.command, environment, job.spec.container, write_log)
        except CannotPullImage as error:
            ending = endings.cannot_pull(str(error))
        except (OSError, ValueError) as error:
            ending = endings.cannot_start(str(error))
        else:
            with self.lock:
                self._mark_running(run)
                run.began(process)
                self._arm_all(run)
            exit_code = process.wait()
            with self.lock:
                self._finish(run, run.ending(exit_code))
            return
        with self.lock:
            self._finish(run, ending)

    def _mark_running(self, run: Run) -> None:
        run.attempt.started_ms = _now_ms()
        self._move(run.job, Status.RUNNING)

    def _arm_all(self, run: Run) -> None:
        """Set the timers of an attempt that has just started: its time limit and its faults."""
        spec = run.job.spec
        if self._stopping:
            run.kill()
        if spec.timeout_s is not None:
            seconds = spec.timeout_s * self._settings.timeout_scale
            self._timers.add(seconds, partial(run.stop, endings.TIMED_OUT))
        for kind in RUN_FAULTS:
            for fault in self._faults.matching(kind, spec.name, run.job.id):
                self._arm(run, fault)

    def _arm(self, run: Run, fault: Fault) -> None:
        """Have a fault strike when the attempt is old enough, if it still runs then."""

        def strike() -> None:
            name, job_id = run.job.spec.name, run.job.id
            if not run.is_ending and self._faults.take_for_job(fault.kind, name, job_id):
                run.strike(fault.kind)

        self._timers.add(fault.after_s - run.age_s, strike)

    def _finish(self, run: Run, ending: Ending) -> None:
        """Close an attempt, free its machine, and queue the next attempt if there is one."""
        job, queue = run.job, run.job.spec.queue_name
        run.over = True
        del self._runs[job.id]
        self._busy[queue] -= 1
        if not run.machine_lost:
            self._outside.give_back_machine(job.spec, run.attempt.machine)
        lifecycle.end_attempt(job, ending, _now_ms())
        if job.status.is_final:
            self._settle(job)
        elif not self._stopping:
            self._waiting[queue].append(job)
        self.lock.notify_all()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
