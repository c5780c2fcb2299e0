"""The workflow's sources: which of them jobs on other machines are sent, and their archive."""

import io
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from snakemake_interface_executor_plugins.logging import LoggerExecutorInterface

_IGNORED_FOLDERS = {".snakemake", ".git", "__pycache__"}
_MOST_BYTES = 10_000_000
"""Snakemake's own limit; larger files are inputs."""


def shipped(
    sources: Iterable[str], left_out: Sequence[str], logger: LoggerExecutorInterface
) -> list[str]:
    """Return the sources that jobs are sent, sorted; warn of those that they may miss.

    Parameters
    ----------
    sources
        Paths relative to the working directory. Caches among them are nobody's sources.
    left_out
        Folders of which no job needs anything.
    logger
        Takes the warnings.
    """
    found = []
    for path in sorted({file for name in sources for file in _files(Path(name))}):
        is_left_out = any(path.is_relative_to(folder) for folder in left_out)
        if is_left_out or not _IGNORED_FOLDERS.isdisjoint(path.parts):
            continue
        if path.parts[0] == "..":
            why = "it lies outside of the working directory: start Snakemake above it"
        elif path.stat().st_size > _MOST_BYTES:
            why = f"it is larger than {_MOST_BYTES // 1_000_000} MB: make it an input"
        else:
            found.append(str(path))
            continue
        logger.warning(f"Source {path} is not sent to jobs, as {why}.")
    return found


def _files(path: Path) -> list[Path]:
    """Return a file, or those of a folder that a link is to; none of what was deleted."""
    if path.is_dir():
        return [file for file in path.rglob("*") if file.is_file()]
    return [path] if path.is_file() else []


def pack(sources: Iterable[str]) -> bytes:
    """Return a .tar.xz of sources, with the files themselves in place of links to them.

    A link leads nowhere on another machine, or out of the folder that a job unpacks into, which the
    job refuses. Every child unpacks it, so that it is little and quick rather than least.

    Parameters
    ----------
    sources
        Paths below the working directory, and relative to it.
    """
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:xz", dereference=True, preset=1) as archive:
        for name in sources:
            archive.add(name, recursive=False)
    return whole.getvalue()
