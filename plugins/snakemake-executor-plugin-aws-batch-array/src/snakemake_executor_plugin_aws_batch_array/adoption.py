"""Takes up what an earlier controller of the same run left behind, as far as it is wanted now."""

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from snakemake_executor_plugin_aws_batch_array.batch import BatchApi
from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    Command,
    CommandList,
    UnreadableListError,
)
from snakemake_executor_plugin_aws_batch_array.left import Demand, Left
from snakemake_executor_plugin_aws_batch_array.left_to_pilots import (
    Pilots,
    find_jobs,
    makes_one_of,
    take_over,
    what_pilots_have_left,
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
    registry: Registry,
    batch: BatchApi,
    wanted: frozenset[str],
    pilots: Pilots,
    now_ms: int | None = None,
) -> Inheritance:
    """Find the lists an earlier controller left open and what may be claimed of them.

    A command may be claimed if it succeeded or may still run. One that failed while nobody
    watched is left to be submitted again, as is a list whose job was never submitted.

    Parameters
    ----------
    wanted
        Digests of all files that this workflow makes.
    pilots
        Takes over the pilots that are there.
    """
    now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    inheritance = Inheritance()
    lists = _read_lists(registry, inheritance)
    if any(commands.is_of_pilots for commands in lists):
        over, complaints = take_over(lists, batch, wanted, pilots)
        for name in over:
            registry.close(name)
        # Only now: until then another controller may have offered them more.
        lists = _read_lists(registry, inheritance)
        inheritance.complaints += complaints
        pilots.keep({commands.name for commands in lists})
    lists = [commands for commands in lists if not commands.is_of_pilots]
    attempts = registry.attempts() if lists else {}
    ids = find_jobs(lists, batch, now_ms)
    details = batch.describe(list(ids.values()))
    for commands in lists:
        is_ours = makes_one_of(commands, wanted)
        if commands.name not in ids:
            if is_ours:
                registry.close(commands.name)
                inheritance.complaints.append(
                    f"{commands.name}: there is no job of it in queue {commands.queue}; what it "
                    "was to make is submitted anew."
                )
            continue
        item = Watched(commands, ids[commands.name])
        detail = details.get(item.job_id)
        if item.is_piloted:
            lefts = what_pilots_have_left(item, detail, pilots)
        else:
            begun = attempts.get(commands.name, {})
            lefts = _what_is_left(item, detail, begun, registry, batch)
        # A later list replaces an earlier one: it is the retry of its job.
        inheritance.by_output |= {d: left for left in lefts for d in left.command.outputs}
        if is_ours:
            inheritance.ours.append(item)
    return inheritance


def _read_lists(registry: Registry, inheritance: Inheritance) -> list[CommandList]:
    inheritance.complaints.clear()
    return sorted(_readable(registry, inheritance), key=lambda commands: commands.submitted_ms)


def _readable(registry: Registry, inheritance: Inheritance) -> Iterable[CommandList]:
    for name in registry.open_names():
        try:
            yield registry.get_list(name)
        except UnreadableListError as error:
            inheritance.complaints.append(
                f"{name} is left alone: {error}. If its job still runs, end it, for it may write "
                "the same files."
            )


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
