"""What every job does around its own work: say what goes wrong, and record what it took."""

import errno
import logging
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tomobatch import __version__
from tomobatch.errors import UserError

logger = logging.getLogger("tomobatch")

_USERS_ERRORS = {
    errno.EACCES: "permission denied; change its permissions, or give another path",
    errno.EPERM: "not permitted; change its permissions, or give another path",
    errno.EROFS: "lies on a disk that can only be read; give a path on another",
    errno.ENOTDIR: "a file stands where a folder is needed; move it away, or give another path",
    errno.EEXIST: "a file stands where a folder is needed; move it away, or give another path",
    errno.EISDIR: "is a folder where a file is needed; give another path",
    errno.ENAMETOOLONG: "the name is too long for this disk; give a shorter one",
    errno.ELOOP: "its links lead in a circle; mend them, or give another path",
    errno.EIO: "the disk reports an error when reading or writing; see the system's log",
}
"""What is wrong with a user's own files, and what to do; any other is a fault of ours."""


@dataclass
class Record:
    """What one job took and found: its times by stage, its peak memory, its machine, its counts."""

    rule: str
    chunk: int | None = None
    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    stages_s: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    _start_s: float = field(default_factory=time.perf_counter, repr=False)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the wall time of the block to the stage ``name`` (read, compute, write)."""
        start_s = time.perf_counter()
        try:
            yield
        finally:
            spent_s = time.perf_counter() - start_s
            self.stages_s[name] = self.stages_s.get(name, 0.0) + spent_s

    def warn(self, line: str) -> None:
        """Note what the user should know of the result, and say it now."""
        self.facts.setdefault("warnings", []).append(line)
        logger.warning("warning: %s", line)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain JSON values, closing its wall time now."""
        return {
            "rule": self.rule,
            "chunk": self.chunk,
            "started": self.started,
            "wall_s": time.perf_counter() - self._start_s,
            "stages_s": self.stages_s,
            "peak_mb": _peak_mb(),
            "host": platform.node(),
            "version": __version__,
            **self.facts,
        }


def _peak_mb() -> float:
    """Return the most memory this process has had; the unit of the system's answer varies."""
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes / 1e6


@contextmanager
def reported(log: str) -> Iterator[None]:
    """Run a script's work with its messages in ``log``, and on the terminal unless told not to.

    A mistake of the user, a full disk or a lack of memory is told in one line; anything else is a
    fault of ours and shows its traceback. Either way the process ends with exit code 1.
    """
    try:
        _log_to(Path(log))
        yield
    except Exception as error:
        message = explain(error)
        if message is None:
            logger.exception("unexpected error")
        else:
            logger.error("error: %s", message)
        sys.exit(1)


def explain(error: BaseException) -> str | None:
    """Return the one line for an error that the user can mend, or None for a fault of ours."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        where = f" at {error.filename}" if error.filename else ""
        return f"no space left on the disk{where}; free some, or set `results` to another disk"
    if isinstance(error, OSError) and error.filename and error.errno in _USERS_ERRORS:
        return f"{error.filename}: {_USERS_ERRORS[error.errno]}"
    if isinstance(error, MemoryError):
        return "not enough memory for one chunk; set smaller `chunks` in the configuration"
    return None


def _log_to(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [logging.FileHandler(log, mode="w")]
    # The logger plugin asks for silence where it shows the steps, and reads the logs itself.
    if os.environ.get("TOMOBATCH_JOBS_SAY") != "nothing":
        handlers.append(logging.StreamHandler())
    logging.basicConfig(
        level=os.environ.get("TOMOBATCH_LOG_LEVEL", "INFO"),
        format="%(message)s",
        handlers=handlers,
        force=True,
    )
    logging.getLogger("tomobatch").setLevel(logging.INFO)
