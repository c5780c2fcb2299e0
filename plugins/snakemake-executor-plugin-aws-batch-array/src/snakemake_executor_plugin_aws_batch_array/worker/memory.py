"""Whether the kernel killed something in this container for want of memory.

The kernel kills the largest process, which is a command and not the worker, so that Batch itself
does not notice. The control group counts the kills.
"""

from collections.abc import Sequence
from pathlib import Path

_COUNTERS = (
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
)


def count_memory_kills(counters: Sequence[Path] = _COUNTERS) -> int:
    """Return the number of kills so far; 0 where there is no counter."""
    for path in counters:
        try:
            lines = path.read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(" ")
            if name == "oom_kill":
                return int(value)
    return 0
