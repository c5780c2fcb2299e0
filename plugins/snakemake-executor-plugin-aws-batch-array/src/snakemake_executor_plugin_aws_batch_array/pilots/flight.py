"""What a pilot does next: a generator that asks, and is told; it knows neither S3 nor processes.

Before each command it looks at the control object, which costs no more than a 304 if nothing is
new. It begins with its own slice of every list, goes on with what the controller has freed, and
then takes what nobody has begun of the others' slices.
"""

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from snakemake_executor_plugin_aws_batch_array.pilots.control import Claim, Control, Offer, Seen
from snakemake_executor_plugin_aws_batch_array.slices import balanced_slice

LEAST_REST_S, MOST_REST_S = 1.0, 5.0
"""Between two looks of a pilot without work."""

_MOST_MISSES = 3
"""So many commands in a row that others were quicker at: then the listing is too old."""

_TRIES_OF_A_CLAIM = 4


@dataclass(frozen=True)
class Look:
    """Asks for `Seen`."""

    tag: str


@dataclass(frozen=True)
class Recall:
    """Asks for the commands of a list that this pilot's earlier attempts brought to an end."""

    name: str


@dataclass(frozen=True)
class ListClaims:
    """Asks which commands of a list have been begun, as a set; some may be missing from it."""

    name: str


@dataclass(frozen=True)
class TakeClaim:
    """Asks to begin a command, over the claim with a tag if one is named; told whether it may."""

    name: str
    command: int
    over: str


@dataclass(frozen=True)
class ReadClaim:
    """Asks for the `Claim` of a command; None if there is none."""

    name: str
    command: int


@dataclass(frozen=True)
class Run:
    """Asks to run a command and to write its outcome; told False if it was stopped before."""

    offer: Offer
    command: int


@dataclass(frozen=True)
class Rest:
    """Asks to wait; told False if the pilot is to stop."""

    seconds: float


Ask = Look | Recall | ListClaims | TakeClaim | ReadClaim | Run | Rest


class Ending(StrEnum):
    """Why a pilot ended."""

    CLOSED = "the controller needs no more pilots"
    ABANDONED = "there was nothing to do, and no word of the controller for too long"
    STOPPED = "told to stop"


@dataclass
class _Leg:
    """One list, as far as this pilot is through with it.

    Attributes
    ----------
    own
        Commands of its own slice that it has not tried.
    mine
        Commands that it ran, or that its earlier attempts brought to an end.
    settled
        Besides, those that it knows others to have begun.
    tried
        Freed claims that it has gone for.
    others
        Commands that nobody had begun at the last listing; None before one.
    is_taken
        Whether all its commands have been begun: that does not change any more.
    """

    offer: Offer
    own: deque[int]
    mine: set[int]
    settled: set[int]
    tried: set[tuple[int, str]] = field(default_factory=set)
    others: deque[int] | None = None
    is_taken: bool = False


@dataclass
class _Pilot:
    pilot: int
    n_pilots: int
    attempt: int
    legs: dict[str, _Leg] = field(default_factory=dict)
    misses: int = 0

    def update(self, control: Control) -> Generator[Ask, Any, None]:
        """Take in new lists, and forget those that are done with."""
        self.legs = {
            one.name: self.legs[one.name] for one in control.offers if one.name in self.legs
        }
        for offer in control.offers:
            leg = self.legs.get(offer.name)
            if leg is not None:
                leg.offer = offer
                continue
            own = balanced_slice(offer.n_commands, self.n_pilots, self.pilot)
            ended = (yield Recall(offer.name)) if self.attempt > 1 else frozenset()
            left = deque(index for index in own if index not in ended)
            self.legs[offer.name] = _Leg(offer, left, set(ended), set(ended))

    def begin(self) -> Generator[Ask, Any, tuple[Offer, int] | None]:
        """Claim one command, wherever there is one; None if there is none for now."""
        for leg in self.legs.values():
            while leg.own:
                index = leg.own.popleft()
                if (yield from self._claim(leg, index, "")):
                    return leg.offer, index
        for leg in self.legs.values():
            for index, tag in leg.offer.freed.items():
                if (index, tag) in leg.tried:
                    continue
                leg.tried.add((index, tag))
                if (yield from self._claim(leg, index, tag)):
                    return leg.offer, index
        for leg in self.legs.values():
            found = yield from self._begin_of_others(leg)
            if found is not None:
                return leg.offer, found
        return None

    def _begin_of_others(self, leg: _Leg) -> Generator[Ask, Any, int | None]:
        if leg.is_taken:
            return None
        if leg.others is None:
            begun = yield ListClaims(leg.offer.name)
            n_commands = leg.offer.n_commands
            free = [i for i in range(n_commands) if i not in begun and i not in leg.settled]
            leg.is_taken = not free
            # Each pilot from a place of its own, so that few are after the same.
            leg.others = deque(free)
            leg.others.rotate(-(len(free) * self.pilot // self.n_pilots))
        while leg.others and self.misses < _MOST_MISSES:
            index = leg.others.popleft()
            if index in leg.settled:
                continue
            if (yield from self._claim(leg, index, "")):
                self.misses = 0
                return index
            self.misses += 1
        leg.others = None
        return None

    def _claim(self, leg: _Leg, index: int, over: str) -> Generator[Ask, Any, bool]:
        """Try to begin a command; whoever lost the reply of a success finds a claim of its own."""
        if index in leg.mine:
            return False
        for _ in range(_TRIES_OF_A_CLAIM):
            claim: Claim | None = None
            if not (yield TakeClaim(leg.offer.name, index, over)):
                claim = yield ReadClaim(leg.offer.name, index)
                if claim is None:
                    over = ""
                    continue
                if claim.pilot != self.pilot:
                    leg.settled.add(index)
                    return False
            if claim is None or claim.attempt == self.attempt:
                leg.settled.add(index)
                leg.mine.add(index)
                return True
            # Begun by an attempt of this pilot that did not bring it to an end.
            over = claim.tag
        return False


def fly(pilot: int, n_pilots: int, attempt: int) -> Generator[Ask, Any, Ending]:
    """Walk what a pilot asks for until it ends.

    Parameters
    ----------
    pilot, n_pilots
        0-based index of this child, and size of its array.
    attempt
        Of the Batch job, from 1.
    """
    me, tag, rest_s = _Pilot(pilot, n_pilots, attempt), "", LEAST_REST_S
    patience_s = 0.0
    while True:
        seen: Seen = yield Look(tag)
        tag = seen.tag
        if seen.control is not None:
            if seen.control.closed:
                return Ending.CLOSED
            patience_s, rest_s = seen.control.patience_s, LEAST_REST_S
            yield from me.update(seen.control)
        begun = yield from me.begin()
        if begun is not None:
            if not (yield Run(*begun)):
                return Ending.STOPPED
            rest_s = LEAST_REST_S
            continue
        if seen.age_s > patience_s:
            return Ending.ABANDONED
        me.misses = 0
        if not (yield Rest(rest_s)):
            return Ending.STOPPED
        rest_s = min(MOST_REST_S, 2 * rest_s)
