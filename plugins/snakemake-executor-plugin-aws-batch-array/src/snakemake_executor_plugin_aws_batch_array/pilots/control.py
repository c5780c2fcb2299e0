"""What a controller and its pilots tell each other, as values.

A control object has one writer, the controller that holds it, and is only written over the version
that its writer has read. A claim is written by whoever begins a command, over nothing or over a
claim that is void: so one of several that try begins it.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

PATIENCE_S = 900
"""How long pilots without work wait for a word of their controller."""

CONTROLLER = -1
"""Stands for a pilot where the controller itself claims a command, so that nobody runs it."""


@dataclass(frozen=True)
class Kind:
    """What pilots have: commands that need no more may share their machines.

    Attributes
    ----------
    queue, definition
        Of their array.
    vcpus, memory_mib, gpus
        Of each pilot.
    """

    queue: str
    definition: str
    vcpus: int
    memory_mib: int
    gpus: int

    def is_like(self, other: "Kind") -> bool:
        """Whether the machines of both are alike, but for their size."""
        return (self.queue, self.definition, self.gpus) == (
            other.queue,
            other.definition,
            other.gpus,
        )

    def holds(self, other: "Kind") -> bool:
        """Whether commands that need the other may run here."""
        fits = self.vcpus >= other.vcpus and self.memory_mib >= other.memory_mib
        return fits and self.is_like(other)


@dataclass(frozen=True)
class Offer:
    """A list that pilots are to work on.

    Attributes
    ----------
    name, checksum
        The list and its SHA-256: a pilot refuses a list with another.
    n_commands
        Number of its commands; pilot i of N begins with balanced slice i of them.
    freed
        Command to the tag of its claim, where the pilot that claimed it is gone.
    """

    name: str
    checksum: str
    n_commands: int
    freed: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Control:
    """What the controller says to the pilots of one array.

    Attributes
    ----------
    owner
        Which controller wrote it.
    kind
        What the pilots have.
    makes
        Digest of a file that the workflow makes: by that the next controller knows its own pilots.
    generation
        How many controllers have held it.
    beat
        Grows with every writing, so that no two versions are alike.
    offers
        The lists that are open, the oldest first.
    closed
        Whether nothing more is to be begun.
    patience_s
        How long a pilot without work waits for the next writing.
    """

    owner: str
    kind: Kind
    makes: str = ""
    generation: int = 1
    beat: int = 1
    offers: tuple[Offer, ...] = ()
    closed: bool = False
    patience_s: float = PATIENCE_S

    def to_bytes(self) -> bytes:
        """Return all of it as JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> "Control":
        """Read what `to_bytes` made."""
        document = json.loads(body)
        offers = tuple(
            Offer(**{**each, "freed": {int(key): tag for key, tag in each["freed"].items()}})
            for each in document.pop("offers")
        )
        return cls(kind=Kind(**document.pop("kind")), offers=offers, **document)

    def offer(self, offer: Offer) -> "Control":
        """Return it with a list more; twice is as good as once."""
        others = (one for one in self.offers if one.name != offer.name)
        return replace(self, offers=(*others, offer))

    def without(self, names: frozenset[str]) -> "Control":
        """Return it without some lists."""
        return replace(self, offers=tuple(one for one in self.offers if one.name not in names))

    def freed_of(self, name: str) -> Mapping[int, str]:
        """Return what is freed of a list."""
        return next((one.freed for one in self.offers if one.name == name), {})

    def free(self, name: str, freed: Mapping[int, str]) -> "Control":
        """Return it with commands of a list that may be begun anew."""
        return replace(
            self,
            offers=tuple(
                replace(one, freed={**one.freed, **freed}) if one.name == name else one
                for one in self.offers
            ),
        )


@dataclass(frozen=True)
class Seen:
    """A look at the control object.

    Attributes
    ----------
    control
        None if it has not changed since the version that was named.
    tag
        Of this version.
    age_s
        Since it was written, by the clock of S3.
    """

    control: Control | None
    tag: str
    age_s: float


@dataclass(frozen=True)
class Claim:
    """Who has begun a command.

    Attributes
    ----------
    pilot, attempt
        Which pilot, and in which attempt of its Batch job.
    begun_ms
        When, milliseconds since 1970.
    tag
        Of the object.
    """

    pilot: int
    attempt: int
    begun_ms: int = 0
    tag: str = ""

    def to_bytes(self) -> bytes:
        """Return it as JSON, without its tag."""
        return json.dumps([self.pilot, self.attempt, self.begun_ms]).encode()

    @classmethod
    def from_bytes(cls, body: bytes, tag: str) -> "Claim":
        """Read what `to_bytes` made."""
        pilot, attempt, begun_ms = json.loads(body)
        return cls(pilot, attempt, begun_ms, tag)
