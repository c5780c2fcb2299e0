"""Submits lists of commands, keeps track of them, and ends them. Knows no Snakemake."""

from __future__ import annotations

import contextlib
import hashlib
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from snakemake_executor_plugin_aws_batch_array.adoption import Inheritance, find_inheritance
from snakemake_executor_plugin_aws_batch_array.batch import BatchApi, Submission
from snakemake_executor_plugin_aws_batch_array.command_list import Command, CommandList
from snakemake_executor_plugin_aws_batch_array.identity import safe_name
from snakemake_executor_plugin_aws_batch_array.region import region_environment
from snakemake_executor_plugin_aws_batch_array.resources import MIN_TIMEOUT_S
from snakemake_executor_plugin_aws_batch_array.slices import longest_slice
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.watch import Verdict, Watched, Watcher
from snakemake_executor_plugin_aws_batch_array.worker.assignment import submission_environment

WORKER_COMMAND = ("python", "-m", "snakemake_executor_plugin_aws_batch_array.worker")

START_UP_S = 30
"""Added to the time limit of a child: until its first command starts."""


@dataclass(frozen=True)
class Ticket:
    """Where the command of one job is: the name of its list and its index there."""

    list_name: str
    command: int


@dataclass(frozen=True)
class Run:
    """What all submissions of a run have in common.

    Attributes
    ----------
    run_id
        Name of the run.
    region
        AWS Region the jobs work in.
    attempts
        Attempts Batch makes after a reclaim.
    tags
        Tags of every job.
    versions, environment, deploy, arguments
        See `CommandList`.
    """

    run_id: str
    region: str
    attempts: int
    tags: Mapping[str, str]
    versions: Mapping[str, str]
    environment: Mapping[str, str]
    deploy: tuple[str, ...]
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Parcel:
    """Commands to be submitted together, and what each of their children needs."""

    rule: str
    queue: str
    definition: str
    vcpus: int
    memory_mib: int
    gpus: int
    command_timeout_s: int | None
    commands: tuple[Command, ...]
    n_children: int


@dataclass
class _Tracked:
    """A list with the verdicts that Snakemake has yet to hear."""

    watched: Watched
    awaited: set[int]
    verdicts: dict[int, Verdict] = field(default_factory=dict)


class Dispatcher:
    """The lists of one run that are not done with. Safe to use from two threads.

    Parameters
    ----------
    batch
        AWS Batch.
    store
        Lists and outcomes on S3.
    watcher
        Finds verdicts.
    """

    def __init__(self, batch: BatchApi, store: RunStore, watcher: Watcher) -> None:
        self._batch = batch
        self._store = store
        self._watcher = watcher
        self._lock = threading.Lock()
        self._tracked: dict[str, _Tracked] = {}
        self._inheritance: Inheritance | None = None

    def claim(self, command: Command) -> Ticket | None:
        """Return the ticket of a command that an earlier controller submitted.

        None if it must be submitted; a list that is outdated by then has been ended.
        """
        if self._inheritance is None:
            self._inheritance = find_inheritance(self._store, self._batch)
            with self._lock:
                for item in self._inheritance.watched:
                    self._tracked[item.commands.name] = _Tracked(item, set(item.undecided))
        found = self._inheritance.claim(command)
        for item in self._inheritance.outdated:
            self._batch.terminate(item.job_id, "the workflow has changed since it was submitted")
            self._close(item.commands.name)
        self._inheritance.outdated.clear()
        return None if found is None else Ticket(found[0].commands.name, found[1])

    def submit(self, run: Run, parcel: Parcel) -> list[Ticket]:
        """Write the list, submit its job, and return a ticket for each command."""
        commands = _command_list(run, parcel)
        item = Watched(commands, "")
        tracked = _Tracked(item, set(item.undecided))
        with self._lock:
            self._tracked[commands.name] = tracked
        try:
            list_checksum = self._store.put_list(commands)
            environment = submission_environment(
                self._store.list_path(commands.name), list_checksum, commands.n_children
            )
            environment |= region_environment(run.region)
            item.job_id = self._batch.submit(_submission(run, parcel, commands, environment))
        except Exception:
            self._close(commands.name)
            raise
        return [Ticket(commands.name, index) for index in range(len(commands.commands))]

    def external_id(self, ticket: Ticket) -> str:
        """Return the Batch id of the child that runs a command."""
        item = self._tracked[ticket.list_name].watched
        return item.child_id(item.child_of(ticket.command))

    def poll(self, now_s: float) -> bool:
        """Ask AWS Batch once; return whether there is anything new."""
        with self._lock:
            active = [tracked.watched for tracked in self._tracked.values()]
        news = self._watcher.poll(active, now_s)
        for item, verdicts in news:
            self._tracked[item.commands.name].verdicts.update(verdicts)
        return bool(news)

    def verdict(self, ticket: Ticket) -> Verdict | None:
        """Return the verdict on a command; None if there is none yet."""
        return self._tracked[ticket.list_name].verdicts.get(ticket.command)

    def settle(self, ticket: Ticket) -> None:
        """Note that Snakemake has heard a verdict; the list is closed after the last one."""
        tracked = self._tracked[ticket.list_name]
        tracked.awaited.discard(ticket.command)
        if not tracked.awaited:
            self._close(ticket.list_name)

    def close_decided(self) -> None:
        """Close the lists that hold nothing any job of this run could still claim."""
        for name, tracked in list(self._tracked.items()):
            if not tracked.watched.undecided:
                self._close(name)

    def cancel(self, reason: str) -> None:
        """End every job that may still run, arrays as a whole."""
        with self._lock:
            active = [t.watched for t in self._tracked.values() if t.watched.undecided]
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda item: self._end(item, reason), active))

    def _end(self, item: Watched, reason: str) -> None:
        # Without an id, Ctrl-C came between the submission and its reply.
        job_id = item.job_id or self._batch.find(item.commands.name, item.commands.queue)
        if job_id is not None:
            self._batch.terminate(job_id, reason)

    def _close(self, name: str) -> None:
        with self._lock:
            self._tracked.pop(name, None)
        # Without its marker a list is looked at once more by the next controller, no harm.
        with contextlib.suppress(ClientError, BotoCoreError):
            self._store.close(name)


def _command_list(run: Run, parcel: Parcel) -> CommandList:
    now_ms = time.time_ns() // 1_000_000
    content = [str(now_ms), *(command.identity for command in parcel.commands)]
    digest = hashlib.sha256("".join(content).encode()).hexdigest()[:12]
    return CommandList(
        name=f"{run.run_id}-{safe_name(parcel.rule, 60)}-{digest}",
        run=run.run_id,
        rule=parcel.rule,
        queue=parcel.queue,
        submitted_ms=now_ms,
        n_children=parcel.n_children,
        vcpus=parcel.vcpus,
        command_timeout_s=parcel.command_timeout_s,
        versions=run.versions,
        environment=run.environment,
        deploy=run.deploy,
        arguments=run.arguments,
        commands=parcel.commands,
    )


def _submission(
    run: Run, parcel: Parcel, commands: CommandList, environment: Mapping[str, str]
) -> Submission:
    timeout_s = None
    if parcel.command_timeout_s is not None:
        n_commands = longest_slice(len(parcel.commands), parcel.n_children)
        timeout_s = max(MIN_TIMEOUT_S, parcel.command_timeout_s * n_commands + START_UP_S)
    return Submission(
        name=commands.name,
        queue=parcel.queue,
        definition=parcel.definition,
        n_children=parcel.n_children,
        command=WORKER_COMMAND,
        environment=environment,
        vcpus=parcel.vcpus,
        memory_mib=parcel.memory_mib,
        gpus=parcel.gpus,
        timeout_s=timeout_s,
        attempts=run.attempts,
        tags={**run.tags, "snakemake-rule": parcel.rule},
    )
