"""The controller's side of one array of pilots: what it says to them, on S3 alone."""

import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from snakemake_executor_plugin_aws_batch_array.pilots.control import (
    Claim,
    Control,
    Offer,
    Seen,
)

BEAT_S = 60.0
"""How often a controller says that it is there: well within the patience of its pilots."""

_TRIES = 4


class TakenOverError(Exception):
    """Another controller holds the pilots by now, or nobody does any more."""


class UnconditionalStoreError(Exception):
    """The storage does not know conditional writes, without which two would begin one command."""


class Channel(Protocol):
    """What pilots and controllers tell each other."""

    def look(self, pilots: str, tag: str = "") -> Seen | None:
        """Read the control object of an array, if it is newer than a tag; None without one."""
        ...

    def write(self, pilots: str, control: Control, over: str) -> str | None:
        """Write it over the version with a tag, or anew; return its tag, None if refused."""
        ...

    def take_claim(self, name: str, command: int, claim: Claim, over: str) -> bool:
        """Write a claim over the one with a tag, or anew; tell whether that was done."""
        ...

    def read_claim(self, name: str, command: int) -> Claim | None:
        """Read the claim of a command."""
        ...

    def claim_tags(self, name: str) -> dict[int, str]:
        """List the claims of a list: command to tag."""
        ...


@dataclass
class Crew:
    """The pilots of one array. Safe to use from two threads.

    Attributes
    ----------
    channel
        Where they are spoken to.
    name
        Of their array.
    n_pilots
        Its size.
    control, tag
        What was said last.
    job_id
        Of the array; empty as long as SubmitJob has not answered.
    versions
        Of the software that they start.
    is_ours
        Whether this controller may still speak to them.
    """

    channel: Channel
    name: str
    n_pilots: int
    control: Control
    tag: str = ""
    job_id: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    is_ours: bool = True
    _said_s: float | None = None
    _done: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def may_take_more(self) -> bool:
        """Whether lists may be offered to them."""
        return self.is_ours and not self.control.closed

    def open(self) -> None:
        """Say the first word, before the array is submitted.

        Raises
        ------
        UnconditionalStoreError
            If what was written once can be written anew under the same condition.
        """
        self._write(lambda control: control)
        if self.channel.write(self.name, self.control, "") is not None:
            raise UnconditionalStoreError(self.name)

    def take_over(self, owner: str) -> None:
        """Hold the pilots that an earlier controller left.

        Raises
        ------
        TakenOverError
            If another controller does so just now.
        """
        self.control = replace(self.control, owner=owner, generation=self.control.generation + 1)
        wanted = replace(self.control, beat=self.control.beat + 1)
        tag = self.channel.write(self.name, wanted, self.tag)
        if tag is None:
            seen = self.channel.look(self.name)
            if seen is None or seen.control != wanted:
                self.is_ours = False
                raise TakenOverError(self.name)
            tag = seen.tag
        self.control, self.tag = wanted, tag

    def offer(self, offer: Offer) -> None:
        """Let the pilots work on a list.

        Raises
        ------
        TakenOverError
            If they are another controller's, or have been told to end.
        """
        with self._lock:
            if self.control.closed:
                raise TakenOverError(self.name)
            self._write(lambda control: control.offer(offer))

    def free(self, name: str, freed: Mapping[int, str]) -> None:
        """Let the pilots begin some commands anew."""
        known = self.control.freed_of(name)
        if any(known.get(index) != tag for index, tag in freed.items()):
            self._write(lambda control: control.free(name, freed))

    def done(self, name: str) -> None:
        """Note that a list is done with; the pilots are told with the next word."""
        with self._lock:
            self._done.add(name)

    def beat(self, now_s: float) -> None:
        """Say that the controller is there, if it is time."""
        if not self.is_ours or self.control.closed:
            return
        if self._said_s is None:
            self._said_s = now_s
        elif now_s - self._said_s >= BEAT_S:
            self._write(lambda control: control)
            self._said_s = now_s

    def close(self) -> None:
        """Let the pilots end."""
        if self.is_ours and not self.control.closed:
            self._write(lambda control: replace(control, closed=True))

    def close_if_idle(self, decided: Collection[str]) -> bool:
        """Let the pilots end if all their lists are decided; tell whether they are."""
        with self._lock:
            names = {offer.name for offer in self.control.offers}
            if names - self._done - set(decided):
                return False
            self.close()
            return True

    def _write(self, change: Callable[[Control], Control]) -> None:
        """Say something; whoever lost the reply of a success finds its own words."""
        with self._lock:
            for _ in range(_TRIES):
                wanted = change(self.control).without(frozenset(self._done))
                wanted = replace(wanted, beat=self.control.beat + 1)
                tag = self.channel.write(self.name, wanted, self.tag)
                if tag is not None:
                    self.control, self.tag = wanted, tag
                    return
                seen = self.channel.look(self.name)
                if seen is None or seen.control is None or seen.control.owner != self.control.owner:
                    break
                self.control, self.tag = seen.control, seen.tag
                if seen.control == wanted:
                    return
            self.is_ours = False
            raise TakenOverError(self.name)
