"""Actions for later, run by whoever asks for those that are due."""

import heapq
import itertools
import time
from collections.abc import Callable


class Timers:
    """A heap of actions by the time they are due, guarded by its owner's lock.

    `changed` is called when there is one more, so that the owner can wait for it.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()  # two actions of one moment are not compared

    def add(self, seconds: float, action: Callable[[], None]) -> None:
        """Have an action run in so many seconds, at once if that is in the past."""
        heapq.heappush(self._heap, (time.monotonic() + seconds, next(self._numbers), action))
        self._changed()

    def fire_due(self) -> None:
        """Run every action that is due."""
        while self._heap and self._heap[0][0] <= time.monotonic():
            heapq.heappop(self._heap)[2]()

    def seconds_to_next(self) -> float | None:
        """Return how long nothing is due; None where nothing is planned."""
        return max(self._heap[0][0] - time.monotonic(), 0.0) if self._heap else None
