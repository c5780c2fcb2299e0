"""The list of commands of one submission, and the outcomes that its children report.

The list is one JSON object on S3; child i of N runs balanced slice i of its commands. Arguments
that all commands share are written once. Each child keeps one object of outcomes beside the list,
rewritten after every command.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

SCHEMA_VERSION = 2


class UnreadableListError(Exception):
    """A list that this version of the plugin does not know how to read."""


@dataclass(frozen=True)
class Command:
    """One Snakemake job of a list.

    Attributes
    ----------
    target
        What the job makes: ``rule:wildcards``, one for each job of a group, sorted.
    arguments
        Arguments of Snakemake that only this job has.
    identity
        Hash of all that determines the job's result; equal for the same job of a later run.
    outputs
        Short hash of each file that the job makes.
    """

    target: tuple[str, ...]
    arguments: tuple[str, ...]
    identity: str
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True)
class CommandList:
    """All that the children of one submission need to know.

    Attributes
    ----------
    name
        Name of the Batch job, unique to this list.
    run, rule, queue
        The run it belongs to, the rule or group, the ARN or name of its queue.
    submitted_ms
        When the list was made, milliseconds since 1970.
    n_children
        Number of children that share the commands.
    vcpus
        What each child reserves of its machine.
    command_timeout_s
        Time one command may take; None if there is no limit.
    versions
        Distribution name to version of the software that the controller runs.
    environment
        Environment variables of the commands. Never secrets.
    sources
        SHA-256 of the archive of the workflow's sources, which lies beside the lists.
    arguments
        Arguments of Snakemake that all commands share.
    commands
        The commands.
    pilots
        Name of the array whose children stay and run them; empty where the list has one of its own.
        That array's own list has no commands, and names itself.
    """

    name: str
    run: str
    rule: str
    queue: str
    submitted_ms: int
    n_children: int
    vcpus: int
    command_timeout_s: int | None
    versions: Mapping[str, str]
    environment: Mapping[str, str]
    sources: str
    arguments: tuple[str, ...]
    commands: tuple[Command, ...]
    pilots: str = ""

    @property
    def is_of_pilots(self) -> bool:
        """Whether this is the list of an array of pilots itself."""
        return self.pilots == self.name

    def to_bytes(self) -> bytes:
        """Return the list as JSON."""
        head = {item.name: getattr(self, item.name) for item in fields(self)}
        rows = [[row.target, row.arguments, row.identity, row.outputs] for row in self.commands]
        document = {"version": SCHEMA_VERSION, **head, "commands": rows}
        if not self.pilots:
            del document["pilots"]
        return json.dumps(document, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, body: bytes, *, to_look: bool = False) -> "CommandList":
        """Read a list.

        Parameters
        ----------
        to_look
            Whether it is only looked at, and neither run nor taken up: then it may be one of 0.1.0,
            which does not tell sources and outputs.

        Raises
        ------
        UnreadableListError
            If another version of the schema wrote it, or something else did.
        """
        try:
            document = json.loads(body)
            return cls._from_document(_as_of_today(document) if to_look else document)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UnreadableListError(f"this is no list of commands: {error!r}") from error

    @classmethod
    def _from_document(cls, document: dict[str, Any]) -> "CommandList":
        version = document.pop("version", None)
        if version != SCHEMA_VERSION:
            raise UnreadableListError(
                f"the list of commands has schema version {version}, this worker reads "
                f"{SCHEMA_VERSION}: build the image with the controller's version of the plugin"
            )
        commands = tuple(
            Command(tuple(target), tuple(arguments), identity, tuple(outputs))
            for target, arguments, identity, outputs in document.pop("commands")
        )
        arguments = tuple(document.pop("arguments"))
        return cls(commands=commands, arguments=arguments, **document)


def _as_of_today(document: dict[str, Any]) -> dict[str, Any]:
    if document["version"] != 1:
        return document
    others = {key: value for key, value in document.items() if key != "deploy"}
    rows = [[*row, ()] for row in document["commands"]]
    return {**others, "version": SCHEMA_VERSION, "sources": "", "commands": rows}


def checksum(body: bytes) -> str:
    """Return the SHA-256 of a list, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


@dataclass(frozen=True)
class Outcome:
    """How one command ended.

    Attributes
    ----------
    command
        Index in the list.
    exit_code
        0 for success; ``128 + signal`` if a signal ended it.
    reason
        Why it failed if more is known than the exit code: `OUT_OF_MEMORY` or `TIMED_OUT`.
    attempt
        Attempt of the Batch job, from 1.
    started_ms, stopped_ms
        Milliseconds since 1970.
    peak_memory_mib
        Largest resident size of any one process of the command.
    instance_type, zone, market
        Where it ran; market is ``spot`` or ``on-demand``. Empty if unknown.
    """

    command: int
    exit_code: int
    reason: str
    attempt: int
    started_ms: int
    stopped_ms: int
    peak_memory_mib: int
    instance_type: str = ""
    zone: str = ""
    market: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the command need not run again."""
        return self.exit_code == 0


@dataclass(frozen=True)
class Attempt:
    """One start of a child's worker, and the machine it was on.

    Attributes
    ----------
    number
        Attempt of the Batch job, from 1.
    started_ms
        When the worker started, milliseconds since 1970.
    instance_id, instance_type, zone, market
        Where it ran; empty if unknown.
    launched_ms
        When its machine was launched; 0 if unknown.
    stopped_ms
        When the worker said that it ends; None as long as it runs, and for ever if its machine
        went away without a word.
    finished
        Whether it came to the end of its slice.
    """

    number: int
    started_ms: int
    instance_id: str = ""
    instance_type: str = ""
    zone: str = ""
    market: str = ""
    launched_ms: int = 0
    stopped_ms: int | None = None
    finished: bool = False

    def to_key(self) -> str:
        """Return all of it as a name, which a listing reads without opening it."""
        where = (self.instance_id, self.instance_type, self.zone, self.market)
        end = () if self.stopped_ms is None else (str(self.stopped_ms), str(int(self.finished)))
        begin = (str(self.number), str(self.started_ms))
        return "_".join((*begin, *where, str(self.launched_ms), *end))

    @classmethod
    def from_key(cls, key: str) -> "Attempt":
        """Read an attempt."""
        number, started_ms, instance_id, instance_type, zone, market, *end = key.split("_")
        # 0.1.0 named no launch before the two words of an end.
        launched_ms = int(end.pop(0)) if len(end) % 2 else 0
        attempt = cls(
            int(number), int(started_ms), instance_id, instance_type, zone, market, launched_ms
        )
        return replace(attempt, stopped_ms=int(end[0]), finished=end[1] == "1") if end else attempt


OUT_OF_MEMORY = "OutOfMemory"
TIMED_OUT = "TimedOut"


@dataclass
class ChildOutcomes:
    """Outcomes of one child's commands, over all its attempts; a later outcome replaces an earlier.

    Attributes
    ----------
    child
        Index of the child.
    by_command
        Outcome of each command that ended.
    """

    child: int
    by_command: dict[int, Outcome] = field(default_factory=dict)

    def succeeded(self, command: int) -> bool:
        """Whether a command of an earlier attempt need not run again."""
        outcome = self.by_command.get(command)
        return outcome is not None and outcome.succeeded

    def to_bytes(self) -> bytes:
        """Return the outcomes as JSON."""
        document: dict[str, Any] = {
            "version": SCHEMA_VERSION,
            "child": self.child,
            "outcomes": [asdict(outcome) for outcome in self.by_command.values()],
        }
        return json.dumps(document).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> "ChildOutcomes":
        """Read the outcomes of a child."""
        document = json.loads(body)
        outcomes = (Outcome(**row) for row in document["outcomes"])
        return cls(document["child"], {outcome.command: outcome for outcome in outcomes})
