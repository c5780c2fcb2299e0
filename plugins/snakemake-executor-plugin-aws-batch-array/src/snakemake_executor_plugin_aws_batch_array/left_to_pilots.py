"""What an earlier controller left to pilots, and the pilots themselves (decision 68)."""

import time
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from snakemake_executor_plugin_aws_batch_array.batch import LISTING_LAG_S, BatchApi
from snakemake_executor_plugin_aws_batch_array.command_list import CommandList, Outcome
from snakemake_executor_plugin_aws_batch_array.left import Left
from snakemake_executor_plugin_aws_batch_array.status import JobDetail
from snakemake_executor_plugin_aws_batch_array.watched import Watched


class Pilots(Protocol):
    """Pilots that an earlier controller left."""

    def take_over(
        self,
        arrays: Collection[CommandList],
        details: Mapping[str, JobDetail],
        wanted: Collection[str],
    ) -> list[str]:
        """Hold pilots, and return what the user must know."""
        ...

    def keep(self, names: Collection[str]) -> None:
        """Let pilots work on no other than these lists."""
        ...

    def offers(self, commands: CommandList) -> bool:
        """Whether pilots are at work on a list."""
        ...

    def reported(self, name: str) -> dict[int, Outcome]:
        """Return the outcomes of a list's commands."""
        ...

    def begun_ms(self, name: str, commands: Collection[int]) -> dict[int, int]:
        """Return when commands were begun, of those that were."""
        ...


def makes_one_of(commands: CommandList, wanted: frozenset[str]) -> bool:
    """Whether a list makes one of some files."""
    return any(not wanted.isdisjoint(command.outputs) for command in commands.commands)


def take_over(
    lists: Sequence[CommandList], batch: BatchApi, wanted: frozenset[str], pilots: Pilots
) -> tuple[list[str], list[str]]:
    """Take over the pilots that live.

    Returns
    -------
    list of str, list of str
        Names of those that are over, and what the user must know.
    """
    arrays = [commands for commands in lists if commands.is_of_pilots]
    ids = find_jobs(arrays, batch, time.time_ns() // 1_000_000)
    by_id = batch.describe(list(ids.values()))
    details = {name: by_id[job_id] for name, job_id in ids.items() if job_id in by_id}
    complaints = pilots.take_over(arrays, details, wanted)
    over = [
        each.name
        for each in arrays
        if each.name not in details or details[each.name].status.is_final
    ]
    return over, complaints


def find_jobs(lists: Sequence[CommandList], batch: BatchApi, now_ms: int) -> dict[str, str]:
    """Return the id of each list's job; those without one were never submitted."""
    ids: dict[str, str] = {}
    for run, queue in {(commands.run, commands.queue) for commands in lists}:
        ids |= batch.find_all(f"{run}-*", queue)
    for commands in lists:
        age_s = (now_ms - commands.submitted_ms) / 1000
        name = commands.pilots or commands.name
        if name not in ids and age_s < LISTING_LAG_S:
            job_id = batch.find_new(name, commands.queue, age_s)
            ids |= {} if job_id is None else {name: job_id}
    jobs = {commands.name: commands.pilots or commands.name for commands in lists}
    return {name: ids[job] for name, job in jobs.items() if job in ids}


def what_pilots_have_left(item: Watched, detail: JobDetail | None, pilots: Pilots) -> list[Left]:
    """Return the same of a list that pilots work on, or worked on."""
    outcomes = pilots.reported(item.commands.name)
    is_live = detail is not None and not detail.status.is_final
    goes_on = is_live and pilots.offers(item.commands) and not (detail and detail.is_ended)
    begun_ms = pilots.begun_ms(item.commands.name, item.undecided - outcomes.keys())
    lefts = []
    for index in sorted(item.undecided):
        outcome = outcomes.get(index)
        if outcome is not None and outcome.succeeded:
            lefts.append(Left(item, index, outcome.started_ms, succeeded=True))
        elif outcome is None and is_live and (goes_on or index in begun_ms):
            since_ms = begun_ms.get(index)
            lefts.append(Left(item, index, since_ms, succeeded=False, is_ending=not goes_on))
        else:
            item.undecided.discard(index)
    return lefts
