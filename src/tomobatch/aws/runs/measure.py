"""What AWS is like on an account, measured by jobs that only sleep: cold, warm, after pauses.

How long an idle machine stays cannot be asked: a job after a pause shows by the machine that it
gets whether the last one was still there. Pauses are doubled until it was not, then halved between.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal, Protocol

from tomobatch.aws.runs.seen import Seen

Kind = Literal["cpu", "gpu", "fargate"]
"""A queue."""

CHILDREN, SLEEP_S = 4, 30.0
PAUSES_S = (60.0, 120.0, 240.0, 480.0)
HALVINGS = 2
_BOOTS: dict[Kind, str] = {"cpu": "boot_s", "gpu": "gpu_boot_s", "fargate": "task_pull_s"}


@dataclass(frozen=True)
class Start:
    """One child, times in seconds of one clock.

    Attributes
    ----------
    machine
        Id of its machine or task.
    launched_s
        When the machine was launched, or the task began to fetch its image; None if unknown.
    submitted_s, started_s, stopped_s
        Of the child.
    """

    machine: str
    launched_s: float | None
    submitted_s: float
    started_s: float
    stopped_s: float


class Account(Protocol):
    """Where is measured."""

    def run(self, queue: Kind, n_children: int, sleep_s: float) -> Sequence[Start]:
        """Run children that sleep, and return all of them when they have ended."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        ...


@dataclass
class _Stay:
    """What is known of how long idle machines stay."""

    kept_s: float = 0.0
    gone_s: float | None = None
    free_s: dict[str, float] = field(default_factory=dict)

    def learn(self, starts: Iterable[Start]) -> list[Start]:
        """Take note of who got which machine; return those that got one that was there."""
        warm, known = [], dict(self.free_s)
        for start in starts:
            if start.machine in known:
                warm.append(start)
                # From its submission on it may have been waited for.
                self.kept_s = max(self.kept_s, start.submitted_s - known[start.machine])
            elif known:
                # It would have been used, had it been there.
                idle_s = start.submitted_s - max(known.values())
                self.gone_s = idle_s if self.gone_s is None else min(self.gone_s, idle_s)
            self.free_s[start.machine] = start.stopped_s
        return warm


def measure(account: Account, queues: Sequence[Kind], tell: Callable[[str], object]) -> Seen:
    """Return what jobs on some queues saw.

    Parameters
    ----------
    account
        Where they run.
    queues
        Those there are.
    tell
        Told what is under way.
    """
    times: dict[str, list[float]] = {name: [] for name in (*_BOOTS.values(), "asked_s", "warm_s")}
    times["task_start_s"] = []
    stays: list[_Stay] = []
    for queue in queues:
        tell(f"{queue}: {CHILDREN} jobs, for which machines or tasks have to start")
        cold = account.run(queue, CHILDREN, SLEEP_S)
        _note_cold(times, queue, cold)
        if queue == "fargate":
            continue
        stay = _Stay()
        stay.learn(cold)
        tell(f"{queue}: {CHILDREN} jobs on machines that are there")
        warm = stay.learn(account.run(queue, CHILDREN, SLEEP_S))
        times["warm_s"] += [start.started_s - start.submitted_s for start in warm]
        # That more machines came than were asked for before says nothing of those that idled.
        stay.gone_s = None
        _look_how_long_machines_stay(account, queue, stay, tell)
        stays.append(stay)
    gone = [stay.gone_s for stay in stays if stay.gone_s is not None]
    values: dict[str, Any] = {name: tuple(each) for name, each in times.items()}
    values["kept_idle_s"] = max((stay.kept_s for stay in stays), default=0.0)
    return Seen(**values, gone_idle_s=min(gone, default=0.0))


def _note_cold(times: dict[str, list[float]], queue: Kind, cold: Sequence[Start]) -> None:
    """Add how soon machines or tasks started, and how soon they worked."""
    asked_s = []
    for start in cold:
        if start.launched_s is not None:
            asked_s.append(start.launched_s - start.submitted_s)
            times[_BOOTS[queue]].append(start.started_s - start.launched_s)
    if asked_s:
        times["task_start_s" if queue == "fargate" else "asked_s"].append(median(asked_s))


def _look_how_long_machines_stay(
    account: Account, queue: Kind, stay: _Stay, tell: Callable[[str], object]
) -> None:
    """Let machines idle for longer and longer, until one is gone, and then for times between."""
    for pause_s in PAUSES_S:
        _pause(account, queue, stay, pause_s, tell)
        if stay.gone_s is not None:
            break
    for _ in range(HALVINGS if stay.gone_s is not None else 0):
        _pause(account, queue, stay, (stay.kept_s + (stay.gone_s or 0.0)) / 2, tell)


def _pause(
    account: Account, queue: Kind, stay: _Stay, seconds: float, tell: Callable[[str], object]
) -> None:
    tell(f"{queue}: whether a machine stays idle for {seconds:.0f} s")
    account.wait(seconds)
    stay.learn(account.run(queue, 1, SLEEP_S))
