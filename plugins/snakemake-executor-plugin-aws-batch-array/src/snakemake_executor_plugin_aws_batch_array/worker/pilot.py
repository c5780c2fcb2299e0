"""Flies a pilot: carries out on S3 and in processes what its generator asks for (decision 68)."""

import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array.command_list import ChildOutcomes, CommandList
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.pilots import flight
from snakemake_executor_plugin_aws_batch_array.pilots.channel import StoreChannel
from snakemake_executor_plugin_aws_batch_array.pilots.control import Claim, Offer
from snakemake_executor_plugin_aws_batch_array.store import RunStore
from snakemake_executor_plugin_aws_batch_array.submission import TRY_AGAIN_EXIT_CODE
from snakemake_executor_plugin_aws_batch_array.worker.assignment import Assignment
from snakemake_executor_plugin_aws_batch_array.worker.host import Host
from snakemake_executor_plugin_aws_batch_array.worker.say import say
from snakemake_executor_plugin_aws_batch_array.worker.work import (
    Runner,
    SnakemakeCall,
    Work,
    attempt_of,
    now_ms,
)

_GLANCE_S = 0.2
"""How long a pilot that rests may not notice that it is to stop."""


@dataclass
class PilotWork:
    """All that a pilot works with.

    Attributes
    ----------
    assignment, command_list
        Which child it is, and the list of its array, which has no commands.
    store, channel
        Lists and outcomes; what the controller says, and what others have begun.
    runner, snakemake, host
        As of `Work`.
    sleep
        Called with the seconds to rest.
    """

    assignment: Assignment
    command_list: CommandList
    store: RunStore
    channel: StoreChannel
    runner: Runner
    snakemake: SnakemakeCall
    host: Host
    sleep: Callable[[float], object] = time.sleep
    _works: dict[str, tuple[Work, ChildOutcomes]] = field(default_factory=dict)
    _folders: dict[str, Path] = field(default_factory=dict)
    _home: Path = field(default_factory=Path.cwd)

    def run(self) -> int:
        """Run commands until there are no more, and return the worker's exit code.

        Returns
        -------
        int
            0 if the run is over, or nobody leads it any more; `TRY_AGAIN_EXIT_CODE` if the worker
            was told to stop.
        """
        attempt = attempt_of(self.assignment, self.host)
        self.store.put_attempt(self.command_list.name, self.assignment.child, attempt)
        ending: flight.Ending | None = None
        try:
            ending = self._fly()
            say(f"Pilot {self.assignment.child} ends: {ending}.")
        finally:
            attempt = replace(
                attempt,
                stopped_ms=now_ms(),
                finished=ending not in (None, flight.Ending.STOPPED),
            )
            self.store.put_attempt(self.command_list.name, self.assignment.child, attempt)
        return TRY_AGAIN_EXIT_CODE if ending is flight.Ending.STOPPED else 0

    def _fly(self) -> flight.Ending:
        asks: Generator[flight.Ask, Any, flight.Ending] = flight.fly(
            self.assignment.child, self.command_list.n_children, self.assignment.attempt
        )
        reply: Any = None
        while True:
            try:
                ask = asks.send(reply)
            except StopIteration as end:
                ending: flight.Ending = end.value
                return ending
            if self.runner.stopping:
                return flight.Ending.STOPPED
            reply = self._answer(ask)

    def _answer(self, ask: flight.Ask) -> Any:  # noqa: ANN401 - as each ask says
        match ask:
            case flight.Look(tag):
                seen = self.channel.look(self.command_list.name, tag)
                if seen is None:
                    raise UserError(f"{self.command_list.name}: the controller's object is gone.")
                return seen
            case flight.Recall(name):
                outcomes = self.store.get_outcomes(name, self.assignment.child)
                return frozenset(outcomes.by_command)
            case flight.ListClaims(name):
                return frozenset(self.channel.claim_tags(name))
            case flight.TakeClaim(name, command, over):
                return self._take_claim(name, command, over)
            case flight.ReadClaim(name, command):
                return self.channel.read_claim(name, command)
            case flight.Run(offer, command):
                return self._run(offer, command)
            case flight.Rest(seconds):
                return self._rest(seconds)

    def _take_claim(self, name: str, command: int, over: str) -> bool:
        mine = Claim(self.assignment.child, self.assignment.attempt, now_ms())
        try:
            return self.channel.take_claim(name, command, mine, over)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            raise UserError(
                f"pilots may not write {self.store.root}/claims: give the role of the jobs "
                "s3:PutObject there (deploy the stacks anew), or run without pilots."
            ) from error

    def _run(self, offer: Offer, command: int) -> bool:
        """Run a command and write its outcome; tell whether the pilot is to go on."""
        work, outcomes = self._work_on(offer)
        outcome = work.run_command(command)
        if self.runner.stopping and not outcome.succeeded:
            return False
        outcomes.by_command[command] = outcome
        self.store.put_outcomes(offer.name, outcomes)
        return not self.runner.stopping

    def _work_on(self, offer: Offer) -> tuple[Work, ChildOutcomes]:
        """Read a list and unpack its sources, once, and go to where they are."""
        if offer.name not in self._works:
            commands = self.store.get_list(offer.name, offer.checksum)
            outcomes = ChildOutcomes(self.assignment.child)
            if self.assignment.attempt > 1:
                outcomes = self.store.get_outcomes(offer.name, self.assignment.child)
            work = Work(
                self.assignment, commands, self.store, self.runner, self.snakemake, self.host
            )
            self._works[offer.name] = work, outcomes
        work, outcomes = self._works[offer.name]
        self._go_to_sources(work)
        return work, outcomes

    def _go_to_sources(self, work: Work) -> None:
        """Go to the workflow's sources; those of another controller are elsewhere."""
        sources = work.command_list.sources
        is_new = sources not in self._folders
        folder = self._folders.setdefault(sources, self._home / f"sources{len(self._folders)}")
        folder.mkdir(exist_ok=True)
        os.chdir(folder)
        if is_new:
            work.unpack_sources()

    def _rest(self, seconds: float) -> bool:
        """Wait; tell whether the pilot is to go on."""
        left_s = seconds
        while left_s > 0 and not self.runner.stopping:
            self.sleep(min(_GLANCE_S, left_s))
            left_s -= _GLANCE_S
        return not self.runner.stopping
