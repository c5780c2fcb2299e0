"""Runs the commands of a slice, one after the other, and reports each one's outcome."""

import io
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from snakemake_executor_plugin_aws_batch_array.command_list import (
    OUT_OF_MEMORY,
    TIMED_OUT,
    Attempt,
    ChildOutcomes,
    CommandList,
    Outcome,
)
from snakemake_executor_plugin_aws_batch_array.slices import balanced_slice
from snakemake_executor_plugin_aws_batch_array.submission import TRY_AGAIN_EXIT_CODE
from snakemake_executor_plugin_aws_batch_array.worker.assignment import Assignment
from snakemake_executor_plugin_aws_batch_array.worker.host import Host
from snakemake_executor_plugin_aws_batch_array.worker.memory import count_memory_kills
from snakemake_executor_plugin_aws_batch_array.worker.process import Ended
from snakemake_executor_plugin_aws_batch_array.worker.say import say

SnakemakeCall = Callable[[Sequence[str], Mapping[str, str]], int]


class OutcomeStore(Protocol):
    """Where outcomes are kept."""

    def get_outcomes(self, name: str, child: int) -> ChildOutcomes:
        """Read a child's outcomes; empty if it has reported none."""
        ...

    def get_sources(self, archive_checksum: str) -> bytes:
        """Read the archive of the workflow's sources."""
        ...

    def put_attempt(self, name: str, child: int, attempt: Attempt) -> None:
        """Record that an attempt has started, or that it ends."""
        ...

    def put_outcomes(self, name: str, outcomes: ChildOutcomes) -> None:
        """Write a child's outcomes."""
        ...


class Runner(Protocol):
    """Runs a function in a process of its own."""

    stopping: bool

    def run(self, function: Callable[[], int], timeout_s: float | None = None) -> Ended:
        """Run, and wait for the end."""
        ...


@dataclass
class Work:
    """All that a child works with.

    Attributes
    ----------
    assignment, command_list
        What to do.
    store
        Where outcomes go.
    runner
        Starts processes.
    snakemake
        Called in such a process.
    host
        Recorded with each outcome.
    """

    assignment: Assignment
    command_list: CommandList
    store: OutcomeStore
    runner: Runner
    snakemake: SnakemakeCall
    host: Host

    def run(self) -> int:
        """Run what is left of the slice and return the worker's exit code.

        Commands whose outcome of an earlier attempt says success are not run again, and one that
        fails does not stop the others.

        Returns
        -------
        int
            0 if every command of the slice succeeded, `TRY_AGAIN_EXIT_CODE` if the worker was
            told to stop before the end, else 1.
        """
        todo = balanced_slice(
            len(self.command_list.commands), self.assignment.n_children, self.assignment.child
        )
        outcomes = ChildOutcomes(self.assignment.child)
        if self.assignment.attempt > 1:
            outcomes = self.store.get_outcomes(self.command_list.name, self.assignment.child)
        attempt = attempt_of(self.assignment, self.host)
        self._note(attempt)
        finished = False
        try:
            self.unpack_sources()
            finished = self._run_commands(todo, outcomes)
        finally:
            self._note(replace(attempt, stopped_ms=now_ms(), finished=finished))
        if all(outcomes.succeeded(index) for index in todo):
            return 0
        return TRY_AGAIN_EXIT_CODE if self.runner.stopping else 1

    def _note(self, attempt: Attempt) -> None:
        self.store.put_attempt(self.command_list.name, self.assignment.child, attempt)

    def unpack_sources(self) -> None:
        """Unpack the workflow's sources into the working directory."""
        archive = self.store.get_sources(self.command_list.sources)
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:xz") as tar:
            # Refuses names that lead out of the directory.
            tar.extractall(filter="data")

    def _run_commands(self, todo: Sequence[int], outcomes: ChildOutcomes) -> bool:
        """Run what is left to do; return whether the worker came to the end of it."""
        for index in todo:
            if outcomes.succeeded(index):
                continue
            outcome = None if self.runner.stopping else self.run_command(index)
            if outcome is None or (self.runner.stopping and not outcome.succeeded):
                return False
            outcomes.by_command[index] = outcome
            self.store.put_outcomes(self.command_list.name, outcomes)
        return True

    def run_command(self, index: int) -> Outcome:
        """Run a command, whatever has become of it before, and return how it ended."""
        command = self.command_list.commands[index]
        say(f"Command {index}: {' '.join(command.target)}")
        n_memory_kills = count_memory_kills()
        started_ms = now_ms()
        ended = self._run_snakemake(
            (*self.command_list.arguments, *command.arguments),
            self.command_list.command_timeout_s,
        )
        if ended.exit_code == 0:
            reason = ""
        elif ended.timed_out:
            reason = TIMED_OUT
        elif count_memory_kills() > n_memory_kills:
            reason = OUT_OF_MEMORY
        else:
            reason = ""
        return Outcome(
            command=index,
            exit_code=ended.exit_code,
            reason=reason,
            attempt=self.assignment.attempt,
            started_ms=started_ms,
            stopped_ms=now_ms(),
            peak_memory_mib=ended.peak_memory_mib,
            instance_type=self.host.instance_type,
            zone=self.host.zone,
            market=self.host.market,
        )

    def _run_snakemake(self, arguments: Sequence[str], timeout_s: float | None = None) -> Ended:
        environment = self.command_list.environment
        return self.runner.run(lambda: self.snakemake(arguments, environment), timeout_s)


def attempt_of(assignment: Assignment, host: Host) -> Attempt:
    """Return the attempt of a child that starts now."""
    return Attempt(
        assignment.attempt,
        now_ms(),
        host.instance_id,
        host.instance_type,
        host.zone,
        host.market,
        host.launched_ms,
    )


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
