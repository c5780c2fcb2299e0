"""Whether a scan is still being written: by what its files weigh, and by who holds them open."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Weight(NamedTuple):
    """What changes when a scan is written: of a folder, of all files below it."""

    n_files: int
    n_bytes: int
    newest_ns: int


def weigh(path: Path) -> Weight | None:
    """Weigh a file or a folder; None where it is gone or holds nothing yet."""
    stats = []
    for file in _files(path):
        try:
            stats.append(file.stat())
        except FileNotFoundError:
            continue  # a temporary file that took its name while we looked
    if not sum(stat.st_size for stat in stats):
        return None
    newest = max(stat.st_mtime_ns for stat in stats)
    return Weight(len(stats), sum(stat.st_size for stat in stats), newest)


def who_writes(path: Path) -> str | None:
    """Say who has a file of the scan open to write to it; None where nobody is seen.

    Processes of this machine are seen, as far as the system (Linux) shows this user what they have
    open. No lock is tried: for the moment that we held it, a detector could not open its file.
    """
    files = {file.resolve() for file in _files(path)}
    for process in Path("/proc").glob("[0-9]*"):
        if not files.isdisjoint(_open_to_write(process)):
            return f"process {process.name} has it open to write"
    return None


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())
    elif path.is_file():
        yield path


def _open_to_write(process: Path) -> Iterator[Path]:
    """Walk the files that a process has open to write; none of another user's."""
    with suppress(OSError):
        for descriptor in (process / "fd").iterdir():
            with suppress(OSError):  # closed while we looked
                target = descriptor.readlink()
                if target.is_absolute() and _writes(process / "fdinfo" / descriptor.name):
                    yield target


def _writes(info: Path) -> bool:
    lines = info.read_text(encoding="ascii").splitlines()
    flags = next((line.split()[1] for line in lines if line.startswith("flags:")), "0")
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY
