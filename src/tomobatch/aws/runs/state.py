"""How far a run is: pure functions of its lists, of what Batch says of them, and of S3's listing.

Every command is counted once. A command that was submitted again, as the retry of a failed one or
by a later controller, counts where it was submitted last.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from tomobatch.aws.runs.foretold import Foretold
from tomobatch.aws.runs.submitted import State, Submitted
from tomobatch.fleet.bill import Item
from tomobatch.records.findings import Findings


class Phase(StrEnum):
    """What has become of a run."""

    RUNNING = "running"
    STOPPING = "stopping"
    """A user has stopped it, and some of its jobs are not over yet."""
    FINISHED = "finished"
    STOPPED = "stopped"
    INCOMPLETE = "incomplete"
    IDLE = "idle"
    """None of its jobs runs, and its controller is out of sight: it may be between two steps."""

    @property
    def is_active(self) -> bool:
        """Whether jobs of it may still run."""
        return self in (Phase.RUNNING, Phase.STOPPING)


@dataclass(frozen=True)
class Step:
    """One rule of a run."""

    rule: str
    total: int
    queued: int = 0
    starting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0
    reclaimed: int = 0
    first_submitted_ms: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether all of it is done."""
        return self.done >= self.total > 0

    def time_left_s(self, now_ms: int) -> float | None:
        """Return the seconds it takes at its pace so far; None as long as there is no pace."""
        left = self.total - self.done
        if left <= 0:
            return 0.0
        if self.done == 0 or self.first_submitted_ms is None:
            return None
        return left * (now_ms - self.first_submitted_ms) / 1000 / self.done


@dataclass(frozen=True)
class Pilots:
    """The children that stay for the whole run, of all its arrays of pilots.

    Attributes
    ----------
    total
        How many were asked for.
    queued, starting, running
        How many are in these states now.
    reclaimed
        How often one lost its machine.
    """

    total: int
    queued: int
    starting: int
    running: int
    reclaimed: int


@dataclass(frozen=True)
class RunState:
    """How far a run is, at one moment.

    Attributes
    ----------
    unreadable
        Why lists of the run are left out: another version of the plugin wrote them.
    cost_usd, bill, prices
        What it has cost so far, in all and by item, and where the prices come from.
    foretold
        What it was to take and cost; None if nobody asked.
    waiting
        Why jobs of it wait for machines, a line each.
    findings
        What is known of each scan that is done, once nothing runs any more.
    pilots
        None where every step is an array of its own.
    """

    run: str
    phase: Phase
    steps: tuple[Step, ...]
    machines: int
    controller: str
    started_ms: int | None
    now_ms: int
    unreadable: tuple[str, ...] = ()
    cost_usd: float | None = None
    bill: Mapping[Item, float] = field(default_factory=dict)
    foretold: Foretold | None = None
    prices: str = ""
    waiting: tuple[str, ...] = ()
    findings: Mapping[str, Findings] = field(default_factory=dict)
    pilots: Pilots | None = None

    @property
    def time_left_s(self) -> float | None:
        """Seconds left of the steps under way; None if nothing is, or there is no pace yet."""
        if self.phase is not Phase.RUNNING:
            return None
        known = [
            left
            for step in self.steps
            if step.running + step.starting + step.queued > 0
            and (left := step.time_left_s(self.now_ms)) is not None
        ]
        return max(known, default=None)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return {**asdict(self), "time_left_s": self.time_left_s}


def count_steps(submitted: Iterable[Submitted], planned: Mapping[str, int]) -> tuple[Step, ...]:
    """Count the commands of a run by rule and state.

    Parameters
    ----------
    submitted
        Every list of the run.
    planned
        Rule to number of jobs; the steps come in this order, and others after them.
    """
    lists = (each for each in submitted if not each.commands.is_of_pilots)
    ordered = sorted(lists, key=lambda each: each.commands.submitted_ms)
    latest = {
        command.target: position
        for position, each in enumerate(ordered)
        for command in each.commands.commands
    }
    counts: dict[str, Counter[State]] = {rule: Counter() for rule in planned}
    reclaimed: Counter[str] = Counter()
    first: dict[str, int] = {}
    for position, each in enumerate(ordered):
        rule = each.commands.rule
        counted = each.count()
        replaced = sum(latest[command.target] != position for command in each.commands.commands)
        _take_away(counted, replaced)
        counts.setdefault(rule, Counter()).update(counted)
        reclaimed[rule] += each.n_reclaimed
        if counted.total():
            first.setdefault(rule, each.commands.submitted_ms)
    return tuple(
        Step(
            rule,
            total=max(planned.get(rule, 0), by_state.total()),
            reclaimed=reclaimed[rule],
            first_submitted_ms=first.get(rule),
            **{state.value: by_state[state] for state in State},
        )
        for rule, by_state in counts.items()
    )


def count_pilots(submitted: Iterable[Submitted]) -> Pilots | None:
    """Count the pilots of a run; None if it has none."""
    arrays = [each for each in submitted if each.commands.is_of_pilots]
    if not arrays:
        return None
    counts = sum((each.count_children() for each in arrays), Counter[State]())
    return Pilots(
        total=sum(each.commands.n_children for each in arrays),
        queued=counts[State.QUEUED],
        starting=counts[State.STARTING],
        running=counts[State.RUNNING],
        reclaimed=sum(each.n_reclaimed for each in arrays),
    )


def find_phase(
    submitted: Iterable[Submitted], *, controlled: bool | None, stopped: bool, finished: bool
) -> Phase:
    """Tell what has become of a run.

    Parameters
    ----------
    controlled
        Whether its controller is alive; None if that can't be seen from here.
    stopped
        Whether a user has stopped it.
    finished
        Whether its controller found nothing more to do.
    """
    is_live = any(each.is_live for each in submitted)
    if controlled or is_live:
        return Phase.STOPPING if stopped and is_live and not controlled else Phase.RUNNING
    if finished:
        return Phase.FINISHED
    if stopped:
        return Phase.STOPPED
    return Phase.IDLE if controlled is None else Phase.INCOMPLETE


def as_finished(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps of a finished run, in which nothing is left to do.

    A job may have failed after its results were there, and its list may have expired.
    """
    return tuple(
        replace(step, queued=0, starting=0, running=0, done=step.total, failed=0, cancelled=0)
        for step in steps
    )


def _take_away(counts: Counter[State], replaced: int) -> None:
    """Take out commands that were submitted again: what failed is, what is done rarely."""
    for state in (
        State.CANCELLED,
        State.FAILED,
        State.DONE,
        State.QUEUED,
        State.STARTING,
        State.RUNNING,
    ):
        taken = min(replaced, counts[state])
        counts[state] -= taken
        replaced -= taken
