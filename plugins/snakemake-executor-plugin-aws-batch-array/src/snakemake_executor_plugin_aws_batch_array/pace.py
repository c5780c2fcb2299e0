"""How long to pause between two polls: little while jobs end, ever more while nothing happens."""

import random
import threading

_SHORTEST, _LONGEST = 0.2, 3.0
"""As shares of ``--seconds-between-status-checks``."""

_MIN_PAUSE_S = 0.1


class Pace:
    """The pauses of one executor.

    Attributes
    ----------
    usual_s
        As the user wants them.
    pause_s
        The next one.
    """

    def __init__(self) -> None:
        self.usual_s = 10.0
        self.pause_s = 1.0
        self._wake = threading.Event()

    def wait(self) -> None:
        """Pause, unless something wakes whoever waits."""
        self._wake.wait(self.pause_s * random.uniform(0.8, 1.2))  # noqa: S311

    def rest(self) -> None:
        """Let the next wait be one."""
        self._wake.clear()

    def wake(self) -> None:
        """End the wait."""
        self._wake.set()

    def hurry(self) -> None:
        """Pause shortly again: new jobs have come."""
        self.after_poll(moved=True)
        self.wake()

    def after_poll(self, *, moved: bool) -> None:
        """Choose the next pause, by whether a poll found anything new."""
        shortest_s = max(_MIN_PAUSE_S, self.usual_s * _SHORTEST)
        longest_s = max(_MIN_PAUSE_S, self.usual_s * _LONGEST)
        self.pause_s = shortest_s if moved else min(longest_s, self.pause_s * 1.5)
