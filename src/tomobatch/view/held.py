"""Levels that are read whole once, as planes of them would read all of their chunks each time."""

from collections.abc import Callable
from threading import Lock

from tomobatch.arrays import Float32Array


class Held:
    """Grey values of small levels, read when first asked for and kept until forgotten."""

    def __init__(self) -> None:
        self._reading = Lock()
        self._levels: dict[int, Float32Array] = {}

    def level(self, number: int, read: Callable[[], Float32Array]) -> Float32Array:
        """Return a level; whoever asks while it is read waits for that one reading."""
        with self._reading:
            if number not in self._levels:
                self._levels[number] = read()
            return self._levels[number]

    def forget(self) -> None:
        """Have everything read anew: of a run under way, there may be more by now."""
        with self._reading:
            self._levels.clear()
