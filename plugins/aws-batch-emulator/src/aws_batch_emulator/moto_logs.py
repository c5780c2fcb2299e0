# ruff: noqa: ANN401
"""CloudWatch Logs as they come: late, and in pages.

A line can be read some time after it was written, and a page of GetLogEvents may hold fewer events
than there are, even none (API reference, GetLogEvents). moto's lines are there at once and in pages
of 10,000.
"""

import queue
import threading
import time
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import moto.logs.models
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

from aws_batch_emulator.lags import Lags
from aws_batch_emulator.processes import LogWriter

MOST_EVENTS = 100
"""Of a page."""

# Typed as Any, because what is mended here is not for a type checker to follow.
models: Any = moto.logs.models


@cache
def mend_pages() -> None:
    """Make the pages of logs small in this process; a second call does nothing."""
    read = models.LogStream.get_log_events

    @wraps(read)
    def read_page(self: Any, start: Any, end: Any, limit: int | None, *others: Any) -> Any:
        return read(self, start, end, min(limit or MOST_EVENTS, MOST_EVENTS), *others)

    models.LogStream.get_log_events = read_page


class Logs:
    """The log streams of jobs; what is written to them can be read after a lag."""

    def __init__(self, lags: Lags) -> None:
        self._lags = lags
        self._late: queue.SimpleQueue[tuple[float, LogWriter, list[str]]] = queue.SimpleQueue()
        threading.Thread(target=self._follow, name="logs", daemon=True).start()

    def open(self, region: str, group: str, stream: str) -> LogWriter:
        """Create a log stream and return what appends lines to it."""
        write = _writer(region, group, stream)
        write([])
        lag_s = self._lags.logs_s
        if not lag_s:
            return write
        return lambda lines: self._late.put((time.monotonic() + lag_s, write, lines))

    def _follow(self) -> None:
        while True:
            due, write, lines = self._late.get()
            time.sleep(max(0.0, due - time.monotonic()))
            write(lines)


def _writer(region: str, group: str, stream: str) -> Callable[[list[str]], None]:
    backend = get_backend("logs")[DEFAULT_ACCOUNT_ID][region]

    def write(lines: list[str]) -> None:
        # Each time: a test may delete the group while the child runs.
        backend.ensure_log_group(group)
        backend.ensure_log_stream(group, stream)
        now = time.time_ns() // 1_000_000
        backend.groups[group].put_log_events(
            stream, [{"timestamp": now, "message": line} for line in lines]
        )

    return write
