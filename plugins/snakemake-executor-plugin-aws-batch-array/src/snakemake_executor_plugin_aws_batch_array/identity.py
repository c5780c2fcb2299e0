"""What makes two jobs the same job, so that a later controller may take up an earlier one's."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

MAX_TAG_VALUE = 256

_RESULT_OPTIONS = ("--config", "--configfiles", "--set-scatter", "--default-storage-prefix")
"""Options of Snakemake that change what a job makes, and not only how it is run or shown."""


def sources_fingerprint(files: Iterable[str]) -> str:
    """Return a hash of the names and contents of the workflow's sources.

    Parameters
    ----------
    files
        Paths relative to the working directory, of those that jobs are sent.
    """
    digest = hashlib.sha256()
    for name in sorted(set(files)):
        contents = Path(name).read_bytes()
        digest.update(f"{name}\0{len(contents)}\0".encode())
        digest.update(contents)
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


def job_identity(
    sources: str, options: Sequence[str], target: Sequence[str], details: Sequence[str] = ()
) -> str:
    """Return a hash of all that determines a job's result, the contents of its inputs apart.

    Parameters
    ----------
    details
        Names of its inputs, values of its parameters.
    """
    content = json.dumps([sources, list(options), list(target), list(details)])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def output_digests(outputs: Iterable[str], target: Sequence[str]) -> tuple[str, ...]:
    """Return a short hash of each file that a job makes; of its target if it makes none."""
    named = list(outputs) or ["", *target]
    return tuple(hashlib.sha256(name.encode()).hexdigest()[:12] for name in named)


def safe_name(text: str, max_length: int) -> str:
    """Return a name as AWS Batch takes it, cut to a length; empty if nothing is left.

    It has letters, digits, hyphens and underscores, and begins with a letter or a digit.
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-").lstrip("_-")[:max_length]


def share_of(user: str) -> str:
    """Return a user's share identifier as AWS Batch takes it: letters and digits alone."""
    return re.sub(r"[^A-Za-z0-9]+", "", user)[:255] or "user"


def tag_value(text: str) -> str:
    """Return the value of a tag as AWS takes it: some signs only, 256 characters at most."""
    value = re.sub(r"[^\w\s.:/=+@-]", "-", text).strip()
    return value if len(value) <= MAX_TAG_VALUE else f"{value[: MAX_TAG_VALUE - 1]}+"


def default_run_id(folder: str, snakefile: str, storage_prefix: str) -> str:
    """Return a name for a run that is the same when the same command is given again."""
    digest = hashlib.sha256("\0".join((folder, snakefile, storage_prefix)).encode()).hexdigest()
    return f"{safe_name(folder, 24) or 'run'}-{digest[:8]}"
