"""How far every step is: a bar each on a terminal, plain lines elsewhere."""

import time
from collections.abc import Mapping
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_BETWEEN_LINES = 30.0

_NO_STEPS = ("all", "total")
_LAYOUTS = "lay_out_"
"""Rules that write a line of metadata: not worth one here."""


class Display(Protocol):
    """What shows the steps."""

    def start(self, totals: Mapping[str, int]) -> None:
        """Begin with the number of jobs of each rule, in order."""

    def begun(self, rule: str) -> None:
        """Take note that a job of a rule has started."""

    def done(self, rule: str) -> None:
        """Take note that a job of a rule has finished."""

    def say(self, text: str) -> None:
        """Print lines that stay."""

    def close(self) -> None:
        """Leave the last state behind."""


def make_display(stream: TextIO) -> Display:
    """Return a display for a terminal, or for what is none."""
    console = Console(file=stream)
    return Bars(console) if console.is_terminal and not console.is_dumb_terminal else Lines(stream)


def is_step(rule: str) -> bool:
    """Tell whether a rule is worth a line."""
    return rule not in _NO_STEPS and not rule.startswith(_LAYOUTS)


class Bars:
    """A bar a step, brought up to date in place."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            console=console,
            expand=True,
        )
        self._totals: dict[str, int] = {}
        self._tasks: dict[str, TaskID] = {}

    def start(self, totals: Mapping[str, int]) -> None:
        """Show every step, none begun."""
        for rule, total in totals.items():
            if is_step(rule):
                self._tasks[rule] = self._progress.add_task(rule, total=total, start=False)
        self._progress.start()

    def begun(self, rule: str) -> None:
        """Start the clock of a step."""
        if rule in self._tasks:
            self._progress.start_task(self._tasks[rule])

    def done(self, rule: str) -> None:
        """Move the bar of a step on."""
        if rule in self._tasks:
            self._progress.advance(self._tasks[rule])

    def say(self, text: str) -> None:
        """Print above the bars."""
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Leave the bars as they are."""
        self._progress.stop()


class Lines:
    """A line when a step has ended, and now and then how far it is."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._totals: dict[str, int] = {}
        self._done: dict[str, int] = {}
        self._begun_s: dict[str, float] = {}
        self._said_s: dict[str, float] = {}

    def start(self, totals: Mapping[str, int]) -> None:
        """Remember how many jobs there are; say so."""
        self._totals = {rule: total for rule, total in totals.items() if is_step(rule)}
        jobs = ", ".join(f"{rule} {total}" for rule, total in self._totals.items())
        self.say(f"{sum(self._totals.values())} jobs: {jobs}")

    def begun(self, rule: str) -> None:
        """Start the clock of a step."""
        self._begun_s.setdefault(rule, time.monotonic())
        self._said_s.setdefault(rule, time.monotonic())

    def done(self, rule: str) -> None:
        """Say that a step has ended, or how far it is where nothing was said for long."""
        if rule not in self._totals:
            return
        self._done[rule] = self._done.get(rule, 0) + 1
        done, total, now_s = self._done[rule], self._totals[rule], time.monotonic()
        if done < total and now_s - self._said_s[rule] < SECONDS_BETWEEN_LINES:
            return
        self._said_s[rule] = now_s
        spent_s = now_s - self._begun_s[rule]
        left = f", {spent_s / done * (total - done):.0f} s left" if done < total else ""
        self.say(f"{rule:<20} {done:>5}/{total} done in {spent_s:.0f} s{left}")

    def say(self, text: str) -> None:
        """Print a line."""
        self._stream.write(text + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Leave nothing open."""
        self._stream.flush()
