"""Takes up what an earlier controller of the same run left behind, as far as it is wanted now."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from snakemake_executor_plugin_aws_batch_array.batch import LISTING_LAG_S, BatchApi
from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    Command,
    CommandList,
    UnreadableListError,
)
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from snakemake_executor_plugin_aws_batch_array.watched import Watched

_AT_ONCE = 16


class Registry(Protocol):
    """Lists that an earlier controller left open."""

    def open_names(self) -> list[str]:
        """Return the names of open lists."""
        ...

    def get_list(self, name: str) -> CommandList:
        """Read a list."""
        ...

    def attempts(self) -> dict[str, dict[int, list[Attempt]]]:
        """Return the attempts of each list's children."""
        ...

    def get_outcomes(self, name: str, child: int) -> ChildOutcomes:
        """Read a child's outcomes."""
        ...

    def close(self, name: str) -> None:
        """Mark a list as done with."""
        ...


@dataclass(frozen=True)
class Demand:
    """Why a job is wanted, as far as it bears on taking up what is there.

    Attributes
    ----------
    forced
        Whether the user wants it to run whatever is there.
    inputs_s
        When the newest of its inputs was written, in whole seconds since 1970; None without any.
    has_outputs
        Whether all its outputs are there.
    """

    forced: bool = False
    inputs_s: float | None = None
    has_outputs: bool = True


@dataclass(frozen=True)
class Left:
    """A command that an earlier controller submitted, and that succeeded or may still run.

    Attributes
    ----------
    item, index
        The list, and which of its commands.
    since_ms
        Before this moment it read no input, milliseconds since 1970; None if it has not begun.
    succeeded
        Whether it is done.
    is_ending
        Whether somebody has told it to end, so that it can only fail.
    """

    item: Watched
    index: int
    since_ms: int | None
    succeeded: bool
    is_ending: bool = False

    @property
    def command(self) -> Command:
        """What was submitted."""
        return self.item.commands.commands[self.index]

    def serves(self, command: Command, demand: Demand) -> bool:
        """Whether a demand is met by this, so that the command need not be submitted again."""
        if demand.forced or self.command.identity != command.identity:
            return False
        if self.is_ending or (self.succeeded and not demand.has_outputs):
            return False
        if self.since_ms is None or demand.inputs_s is None:
            return True
        # S3 tells whole seconds: an input of the same second may be newer.
        return demand.inputs_s + 1 <= self.since_ms / 1000


@dataclass
class Inheritance:
    """Commands of an earlier controller, to be claimed by the jobs of this one.

    Attributes
    ----------
    ours
        Lists that make files of this workflow. Those that make others belong to another workflow
        of the same folder, whose controller may be at work, and are left alone.
    by_output
        Digest of a file to the command that makes it.
    complaints
        What the user must know.
    """

    ours: list[Watched] = field(default_factory=list)
    by_output: dict[str, Left] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def makes_files_of(self, command: Command) -> bool:
        """Whether something is left that makes a file of a command."""
        return any(digest in self.by_output for digest in command.outputs)

    def claim(self, command: Command, demand: Demand) -> tuple[Left | None, list[Left]]:
        """Return what serves a demand, and what must be ended before the command is submitted.

        Either is returned once.
        """
        lefts = [self.by_output[d] for d in command.outputs if d in self.by_output]
        unique = list({(left.item.commands.name, left.index): left for left in lefts}.values())
        for left in unique:
            self._forget(left)
        found = next((left for left in unique if left.serves(command, demand)), None)
        return found, [left for left in unique if left is not found and not left.succeeded]

    def forget_child(self, item: Watched, child: int) -> None:
        """Offer no command of a child any more: it has been ended."""
        for left in list(self.by_output.values()):
            if left.item is item and item.child_of(left.index) == child:
                self._forget(left)

    def _forget(self, left: Left) -> None:
        for digest in left.command.outputs:
            if self.by_output.get(digest) is left:
                del self.by_output[digest]


def find_inheritance(
    registry: Registry, batch: BatchApi, wanted: frozenset[str], now_ms: int | None = None
) -> Inheritance:
    """Find the lists an earlier controller left open and what may be claimed of them.

    A command may be claimed if it succeeded or may still run. One that failed while nobody
    watched is left to be submitted again, as is a list whose job was never submitted.

    Parameters
    ----------
    wanted
        Digests of all files that this workflow makes.
    """
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    inheritance = Inheritance()
    lists = sorted(_readable(registry, inheritance), key=lambda commands: commands.submitted_ms)
    attempts = registry.attempts() if lists else {}
    ids = _find_jobs(lists, batch, now_ms)
    details = batch.describe(list(ids.values()))
    for commands in lists:
        is_ours = any(not wanted.isdisjoint(command.outputs) for command in commands.commands)
        if commands.name not in ids:
            if is_ours:
                registry.close(commands.name)
                inheritance.complaints.append(
                    f"{commands.name}: there is no job of it in queue {commands.queue}; what it "
                    "was to make is submitted anew."
                )
            continue
        item = Watched(commands, ids[commands.name])
        begun = attempts.get(commands.name, {})
        lefts = _what_is_left(item, details.get(item.job_id), begun, registry, batch)
        # A later list replaces an earlier one: it is the retry of its job.
        inheritance.by_output |= {d: left for left in lefts for d in left.command.outputs}
        if is_ours:
            inheritance.ours.append(item)
    return inheritance


def _readable(registry: Registry, inheritance: Inheritance) -> Iterable[CommandList]:
    for name in registry.open_names():
        try:
            yield registry.get_list(name)
        except UnreadableListError as error:
            inheritance.complaints.append(
                f"{name} is left alone: {error}. If its job still runs, end it, for it may write "
                "the same files."
            )


def _find_jobs(lists: Sequence[CommandList], batch: BatchApi, now_ms: int) -> dict[str, str]:
    """Return the id of each list's job; those without one were never submitted."""
    ids: dict[str, str] = {}
    for run, queue in {(commands.run, commands.queue) for commands in lists}:
        ids |= batch.find_all(f"{run}-*", queue)
    for commands in lists:
        age_s = (now_ms - commands.submitted_ms) / 1000
        if commands.name not in ids and age_s < LISTING_LAG_S:
            job_id = batch.find_new(commands.name, commands.queue, age_s)
            ids |= {} if job_id is None else {commands.name: job_id}
    return {commands.name: ids[commands.name] for commands in lists if commands.name in ids}


def _what_is_left(
    item: Watched,
    detail: JobDetail | None,
    attempts: Mapping[int, Sequence[Attempt]],
    registry: Registry,
    batch: BatchApi,
) -> list[Left]:
    """Return the commands of a list that succeeded or may still run; others are taken out of it."""
    children = _children(item, detail, batch)
    succeeded_children = {i for i, child in children.items() if child.status is Status.SUCCEEDED}
    failed_children = {i for i, child in children.items() if child.status is Status.FAILED}
    all_end = detail is not None and detail.is_ended
    ending_children = {i for i, child in children.items() if all_end or child.is_ended}
    several = len(item.commands.commands) > item.n_children
    in_parts = failed_children | (attempts.keys() - succeeded_children if several else set())

    def read(child: int) -> ChildOutcomes:
        return registry.get_outcomes(item.commands.name, child)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        outcomes = dict(zip(in_parts, pool.map(read, in_parts), strict=True))
    lefts = []
    for index in sorted(item.undecided):
        child = item.child_of(index)
        succeeded = child in succeeded_children or (
            child in outcomes and outcomes[child].succeeded(index)
        )
        if child in failed_children and not succeeded:
            item.undecided.discard(index)
            continue
        # What a later attempt did not do again, the first one may have done.
        begun = attempts.get(child, ())
        since_ms = begun[0].started_ms if begun else None
        if since_ms is None and succeeded:
            since_ms = item.commands.submitted_ms
        is_ending = child in ending_children and not succeeded
        lefts.append(Left(item, index, since_ms, succeeded, is_ending))
    return lefts


def _children(item: Watched, detail: JobDetail | None, batch: BatchApi) -> dict[int, JobDetail]:
    """Return what AWS Batch knows of each child, which listings show only after a while."""
    if detail is None:
        return {}
    if item.n_children == 1 or detail.status is Status.SUCCEEDED:
        return dict.fromkeys(range(item.n_children), detail)
    known = batch.describe([item.child_id(child) for child in range(item.n_children)])
    return {child: known.get(item.child_id(child), detail) for child in range(item.n_children)}
