"""What makes two jobs the same job, so that a later controller may take up an earlier one's."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_IGNORED_FOLDERS = {".snakemake", ".git", "__pycache__"}

_RESULT_OPTIONS = ("--config", "--configfiles", "--set-scatter", "--default-storage-prefix")
"""Options of Snakemake that change what a job makes, and not only how it is run or shown."""


def sources_fingerprint(files: Iterable[str]) -> str:
    """Return a hash of the names and contents of the workflow's sources.

    Parameters
    ----------
    files
        Paths relative to the working directory. Those outside it are not shipped to jobs, so they
        are left out here too, as are caches.
    """
    digest = hashlib.sha256()
    for name in sorted(set(files)):
        path = Path(name)
        parts = path.parts
        if parts[0] == ".." or not _IGNORED_FOLDERS.isdisjoint(parts) or not path.is_file():
            continue
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def result_options(arguments: Sequence[str]) -> list[str]:
    """Return the options among Snakemake's arguments that change what a job makes, sorted."""
    kept = []
    option = ""
    for argument in arguments:
        if argument.startswith("--"):
            option = argument
        elif option in _RESULT_OPTIONS:
            kept.append(f"{option} {argument}")
    return sorted(kept)


def job_identity(sources: str, options: Sequence[str], target: Sequence[str]) -> str:
    """Return a hash of all that determines a job's result, its inputs apart."""
    content = json.dumps([sources, list(options), list(target)])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def safe_name(text: str, max_length: int) -> str:
    """Return the text with letters, digits, hyphens and underscores only, cut to a length."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:max_length]


def default_run_id(folder: str, snakefile: str, storage_prefix: str) -> str:
    """Return a name for a run that is the same when the same command is given again."""
    digest = hashlib.sha256("\0".join((folder, snakefile, storage_prefix)).encode()).hexdigest()
    return f"{safe_name(folder, 24) or 'run'}-{digest[:8]}"
