"""Takes up what an earlier controller of the same run left behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from snakemake_executor_plugin_aws_batch_array.batch import BatchApi
from snakemake_executor_plugin_aws_batch_array.command_list import (
    ChildOutcomes,
    Command,
    CommandList,
)
from snakemake_executor_plugin_aws_batch_array.status import JobDetail, Status
from snakemake_executor_plugin_aws_batch_array.watch import Watched


class Registry(Protocol):
    """Lists that an earlier controller left open."""

    def open_names(self) -> list[str]:
        """Return the names of open lists."""
        ...

    def get_list(self, name: str) -> CommandList:
        """Read a list."""
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
    watched
        Lists whose Batch job exists.
    by_target
        What a command makes, to the list and the index of the command.
    outdated
        Lists that make the same files from other sources or another configuration.
    """

    watched: list[Watched] = field(default_factory=list)
    by_target: dict[tuple[str, ...], tuple[Watched, int]] = field(default_factory=dict)
    outdated: list[Watched] = field(default_factory=list)

    def claim(self, command: Command) -> tuple[Watched, int] | None:
        """Return where a command already runs or has run, once; None if it must be submitted.

        A list that turns out to be outdated must be ended before the command is submitted.
        """
        found = self.by_target.pop(command.target, None)
        if found is None:
            return None
        item, index = found
        if item.commands.commands[index].identity != command.identity:
            if item not in self.outdated:
                self.outdated.append(item)
            return None
        return found


def find_inheritance(registry: Registry, batch: BatchApi) -> Inheritance:
    """Find the lists an earlier controller left open and what may be claimed of them.

    A command may be claimed if it succeeded or may still run. One that failed while nobody
    watched is left to be submitted again, as is a list whose job was never submitted.
    """
    inheritance = Inheritance()
    left = [registry.get_list(name) for name in registry.open_names()]
    left.sort(key=lambda commands: commands.submitted_ms)
    ids = {commands.name: batch.find(commands.name, commands.queue) for commands in left}
    details = batch.describe([job_id for job_id in ids.values() if job_id is not None])
    for commands in left:
        job_id = ids[commands.name]
        if job_id is None:
            registry.close(commands.name)
            continue
        item = Watched(commands, job_id)
        inheritance.watched.append(item)
        if job_id in details:
            item.undecided -= _failed_commands(item, details[job_id], registry, batch)
        for index in item.undecided:
            # A later list replaces an earlier one: it is the retry of its job.
            inheritance.by_target[commands.commands[index].target] = (item, index)
    return inheritance


def _failed_commands(
    item: Watched, detail: JobDetail, registry: Registry, batch: BatchApi
) -> set[int]:
    if item.n_children == 1:
        children = [0] if detail.status is Status.FAILED else []
    elif detail.children.get(Status.FAILED, 0):
        children = batch.children(item.job_id, Status.FAILED)
    elif detail.status is Status.FAILED:
        children = list(range(item.n_children))
    else:
        children = []
    failed: set[int] = set()
    for child in children:
        outcomes = registry.get_outcomes(item.commands.name, child)
        failed.update(index for index in item.slice_of(child) if not outcomes.succeeded(index))
    return failed
