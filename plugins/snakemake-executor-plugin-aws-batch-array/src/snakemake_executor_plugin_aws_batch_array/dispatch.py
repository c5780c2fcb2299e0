"""Submits lists of commands, keeps track of them, and ends them. Knows no Snakemake."""

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from snakemake_executor_plugin_aws_batch_array.adoption import Inheritance, find_inheritance
from snakemake_executor_plugin_aws_batch_array.batch import BatchApi
from snakemake_executor_plugin_aws_batch_array.command_list import Command
from snakemake_executor_plugin_aws_batch_array.ending import end_and_wait, end_lists
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.left import Demand, Left
from snakemake_executor_plugin_aws_batch_array.parcels import (
    Parcel,
    Run,
    command_list,
    submission_of,
)
from snakemake_executor_plugin_aws_batch_array.pilot_dispatch import NoPilotsError, PilotDispatch
from snakemake_executor_plugin_aws_batch_array.region import region_environment
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.tracked import Ticket, Tracked
from snakemake_executor_plugin_aws_batch_array.verdicts import Verdict
from snakemake_executor_plugin_aws_batch_array.watch import Watcher
from snakemake_executor_plugin_aws_batch_array.watched import Watched
from snakemake_executor_plugin_aws_batch_array.words import counted
from snakemake_executor_plugin_aws_batch_array.worker.assignment import submission_environment

_SUBMISSION_WAIT_S = 120
"""Of Ctrl-C for a submission under way, which may be throttled."""


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
    pilots
        Sends commands to pilots, if there are to be any.
    sleep
        Called with the seconds between two looks at jobs that end.
    """

    def __init__(
        self,
        batch: BatchApi,
        store: RunStore,
        watcher: Watcher,
        pilots: PilotDispatch,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._batch = batch
        self._store = store
        self._watcher = watcher
        self._pilots = pilots
        self._fleet = pilots.fleet
        self._sleep = sleep
        self._lock = threading.Lock()
        self._tracked: dict[str, Tracked] = {}
        self._inheritance: Inheritance | None = None
        self._refused: list[Left] = []
        self._ending: dict[str, list[str]] = {}
        self._cancelled = threading.Event()
        # Ctrl-C reaches the main thread alone, and so never comes between SubmitJob and its reply.
        self._submitter = ThreadPoolExecutor(max_workers=1)
        # Its thread starts now: a pool that is interrupted while it starts one may start another.
        self._submitter.submit(lambda: None)

    def inherit(self, wanted: frozenset[str]) -> list[str]:
        """Look once for what an earlier controller left, and return what the user must know.

        Parameters
        ----------
        wanted
            Digests of all files that the workflow makes.
        """
        if self._inheritance is not None:
            return []
        found = find_inheritance(self._store, self._batch, wanted, self._fleet)
        for item in found.ours:
            self._track(item)
        self._inheritance = found
        return found.complaints

    def has_left(self, command: Command) -> bool:
        """Whether an earlier controller left something that makes a file of a command."""
        return self._inheritance is not None and self._inheritance.makes_files_of(command)

    def claim(self, command: Command, demand: Demand) -> Ticket | None:
        """Return the ticket of a command that an earlier controller submitted, if it serves.

        None if it must be submitted, after `end_refused`.
        """
        if self._inheritance is None:
            return None
        found, refused = self._inheritance.claim(command, demand)
        self._refused += refused
        if found is None:
            return None
        self._track(found.item)
        self._tracked[found.item.commands.name].claimed.add(found.index)
        return Ticket(found.item.commands.name, found.index)

    def end_refused(self) -> list[Ticket]:
        """End what was refused, for it writes the same files, and wait for its end.

        Returns
        -------
        list of Ticket
            Commands that were claimed and whose child had to be ended for another command of its
            slice: they are to be submitted again.
        """
        children: dict[str, tuple[Watched, set[int]]] = {}
        piloted = [left for left in self._refused if left.item.is_piloted]
        for left in (left for left in self._refused if not left.item.is_piloted):
            of_list = children.setdefault(left.item.commands.name, (left.item, set()))
            of_list[1].add(left.item.child_of(left.index))
        self._refused.clear()
        lost = {
            name: {index for child in ending for index in item.slice_of(child)} & item.undecided
            for name, (item, ending) in children.items()
        }
        # Noted before it is forgotten: Ctrl-C may come in between.
        self._ending = {
            name: [item.job_id]
            if lost[name] == item.undecided
            else [item.child_id(child) for child in sorted(ending)]
            for name, (item, ending) in children.items()
        }
        self._withdraw(piloted)
        displaced: list[Ticket] = []
        for name, (item, ending) in children.items():
            with self._lock:
                tracked = self._tracked.get(name)
                item.undecided -= lost[name]
            for child in ending:
                self._forget_child(item, child)
            if tracked is not None:
                displaced += [Ticket(name, i) for i in sorted(lost[name] & tracked.claimed)]
                tracked.awaited -= lost[name]
        ended = [job_id for job_ids in self._ending.values() for job_id in job_ids]
        end_and_wait(self._batch, ended, "what it makes is wanted anew", self._sleep)
        self._ending.clear()
        for item in [*(item for item, _ in children.values()), *(left.item for left in piloted)]:
            if not item.undecided:
                self._close(item.commands.name)
        return displaced

    def _withdraw(self, refused: Sequence[Left]) -> None:
        """Keep pilots from what is refused, and note those to end that are at it already."""
        for left in refused:
            commands = left.item.commands
            claim = self._fleet.withdraw(commands.name, left.index)
            if claim is not None:
                self._ending[commands.name] = [
                    *self._ending.get(commands.name, ()),
                    left.item.child_id(claim.pilot),
                ]
            with self._lock:
                left.item.undecided.discard(left.index)
                if commands.name in self._tracked:
                    self._tracked[commands.name].awaited.discard(left.index)

    def submit(self, run: Run, parcel: Parcel) -> list[Ticket]:
        """Write the list, submit its job, and return a ticket for each command."""
        crew = self._pilots.find_crew(run, parcel)
        if crew is not None:
            piloted = replace(parcel, n_children=crew.n_pilots)
            item = Watched(command_list(run, piloted, crew.name), crew.job_id)
            with contextlib.suppress(NoPilotsError):
                return self._submit(item, partial(self._pilots.send, run, parcel, item))
        item = Watched(command_list(run, parcel), "")
        return self._submit(item, partial(self._send, run, parcel, item))

    def _submit(self, item: Watched, send: Callable[[threading.Event], None]) -> list[Ticket]:
        name = item.commands.name
        self._track(item)
        try:
            self._submitter.submit(send, self._cancelled).result()
        except Exception:
            self._close(name)
            raise
        return [Ticket(name, index) for index in range(len(item.commands.commands))]

    def external_id(self, ticket: Ticket) -> str:
        """Return the Batch id of the child that runs a command."""
        item = self._tracked[ticket.list_name].watched
        return item.child_id(item.child_of(ticket.command))

    def pilots_of(self, ticket: Ticket) -> str:
        """Return the words for who runs a command, if pilots do."""
        item = self._tracked[ticket.list_name].watched
        return f"for {counted(item.n_children, 'pilot')}" if item.is_piloted else ""

    def poll(self, now_s: float) -> bool:
        """Ask AWS Batch once; return whether there is anything new."""
        self._fleet.beat(now_s)
        with self._lock:
            active = [tracked.watched for tracked in self._tracked.values()]
        news = self._watcher.poll(active, now_s)
        self._pilots.give_way(active, now_s)
        for item, verdicts in news:
            tracked = self._tracked.get(item.commands.name)
            if tracked is not None:
                tracked.verdicts.update(verdicts)
        return bool(news)

    def verdict(self, ticket: Ticket) -> Verdict | None:
        """Return the verdict on a command; None if there is none yet."""
        tracked = self._tracked.get(ticket.list_name)
        return None if tracked is None else tracked.verdicts.get(ticket.command)

    def settle(self, ticket: Ticket) -> None:
        """Note that Snakemake is done with a command; the list is closed after the last one."""
        tracked = self._tracked[ticket.list_name]
        tracked.awaited.discard(ticket.command)
        if not tracked.awaited:
            self._close(ticket.list_name)

    def close_decided(self, kept_open: Collection[str] = ()) -> None:
        """Close the lists that hold nothing any job of this run could still claim, but for some."""
        for name, tracked in list(self._tracked.items()):
            if not tracked.watched.undecided and name not in kept_open:
                self._close(name)

    def dismiss(self) -> list[str]:
        """Let pilots end, which there is nothing more for; return those that may run on."""
        return [] if self._cancelled.is_set() else self._pilots.dismiss(self._sleep)

    def cancel(self, reason: str) -> list[str]:
        """End every job that may still run, arrays as a whole; return the lists that may run on."""
        self._cancelled.set()
        # One at a time: what is under way has its reply when the next one's turn comes.
        under_way = self._submitter.submit(lambda: None)
        with contextlib.suppress(TimeoutError):
            under_way.result(_SUBMISSION_WAIT_S)
        with self._lock:
            active = [t.watched for t in self._tracked.values() if t.watched.undecided]
        ends = {**self._ending, **{name: [id_] for name, id_ in self._fleet.job_ids.items()}}
        ends |= {each.commands.pilots or each.commands.name: [each.job_id] for each in active}
        unanswered = [name for name, (job_id, *_) in ends.items() if not job_id]
        left = [] if under_way.done() else unanswered
        self._fleet.close()
        ends = {name: ids for name, ids in ends.items() if name not in unanswered}
        return left + end_lists(self._batch, ends, reason)

    def may_run(self) -> list[str]:
        """Return the names of the lists that are not known to be done."""
        with self._lock:
            names = [name for name, t in self._tracked.items() if t.watched.undecided]
        return [*names, *self._fleet.job_ids]

    def left_alone(self) -> list[str]:
        """Return the names of the lists of this run that make no file of this workflow."""
        if self._inheritance is None:
            return []
        lefts = self._inheritance.by_output.values()
        names = {left.item.commands.name for left in lefts if not left.succeeded}
        return sorted(names - self._tracked.keys())

    def _send(self, run: Run, parcel: Parcel, item: Watched, cancelled: threading.Event) -> None:
        """Write a list and submit its job."""
        commands = item.commands
        list_checksum = self._store.put_list(commands)
        environment = submission_environment(
            self._store.list_path(commands.name), list_checksum, commands.n_children
        )
        environment |= region_environment(run.region)
        if cancelled.is_set():
            raise UserError("the run was interrupted before")
        item.job_id = self._batch.submit(submission_of(run, parcel, commands, environment))

    def _track(self, item: Watched) -> None:
        with self._lock:
            self._tracked.setdefault(item.commands.name, Tracked(item, set(item.undecided)))

    def _forget_child(self, item: Watched, child: int) -> None:
        if self._inheritance is not None:
            self._inheritance.forget_child(item, child)

    def _close(self, name: str) -> None:
        with self._lock:
            tracked = self._tracked.pop(name, None)
        if tracked is not None:
            self._fleet.done(tracked.watched.commands)
        # Without its marker a list is looked at once more by the next controller, no harm.
        with contextlib.suppress(ClientError, BotoCoreError):
            self._store.close(name)
