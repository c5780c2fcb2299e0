"""What a reconstruction spent its time on."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from tomobatch.reconstruct.engine import Convergence, summarise

Stage = Literal["read", "prepare", "compute", "write"]


@dataclass(frozen=True)
class Span:
    """One stage of one block: ``start_s`` and ``stop_s`` count from the start of the run."""

    stage: Stage
    first_row: int
    device: int
    start_s: float
    stop_s: float


@dataclass
class Timeline:
    """When blocks were read, computed and written; stages of different blocks overlap.

    To prepare is to build kernels and tables, once for blocks of one size.

    Attributes
    ----------
    devices
        One line of description a device.
    method
        How it was back-projected, and why so.
    spans
        In the order in which they ended.
    wall_s
        From the start to the end of the run.
    """

    devices: list[str]
    method: str
    spans: list[Span] = field(default_factory=list)
    wall_s: float = 0.0
    _by_row: dict[int, Convergence] = field(default_factory=dict, repr=False)
    _start_s: float = field(default_factory=time.perf_counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextmanager
    def span(self, stage: Stage, first_row: int, device: int) -> Iterator[None]:
        """Record the time the block takes; safe in threads."""
        start_s = time.perf_counter() - self._start_s
        try:
            yield
        finally:
            self.wall_s = time.perf_counter() - self._start_s
            with self._lock:
                self.spans.append(Span(stage, first_row, device, start_s, self.wall_s))

    def note(self, convergence: Convergence | None, first_row: int) -> None:
        """Keep how a block's iterations went; safe in threads."""
        if convergence is not None:
            with self._lock:
                self._by_row[first_row] = convergence

    @property
    def convergence(self) -> list[Convergence]:
        """How the iterations of the blocks went, in the order of their rows; of others empty."""
        return [self._by_row[first] for first in sorted(self._by_row)]

    def spent_s(self, stage: Stage) -> float:
        """Time in which at least one block was in the stage: overlapping spans count once."""
        total = end = 0.0
        for span in sorted(
            (span for span in self.spans if span.stage == stage), key=lambda span: span.start_s
        ):
            total += max(0.0, span.stop_s - max(end, span.start_s))
            end = max(end, span.stop_s)
        return total

    @property
    def compute_fraction(self) -> float:
        """Fraction of the wall time in which a device computed."""
        return self.spent_s("compute") / self.wall_s if self.wall_s > 0 else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "devices": self.devices,
            "method": self.method,
            "wall_s": self.wall_s,
            "read_s": self.spent_s("read"),
            "prepare_s": self.spent_s("prepare"),
            "compute_s": self.spent_s("compute"),
            "write_s": self.spent_s("write"),
            "compute_fraction": self.compute_fraction,
            "spans": [vars(span) for span in self.spans],
            "convergence": summarise(self.convergence),
        }
