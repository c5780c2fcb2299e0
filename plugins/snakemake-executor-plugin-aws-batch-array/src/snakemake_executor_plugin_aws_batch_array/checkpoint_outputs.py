"""Makes the outputs of finished checkpoints present where their input functions look for them.

An input function that comes after a checkpoint reads what the checkpoint made, by `glob_wildcards`
over a directory or by opening a file. With S3 as storage that is a local copy, which is there only
where the checkpoint has run: neither at the controller nor in the jobs that come after. Snakemake
then finds nothing, and goes on with an empty list.
"""

import functools
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake.checkpoints import Checkpoint

_present: set[str] = set()
"""Queries of the outputs that were fetched and have not been made again since."""


def fetch_for(is_wanted: Any) -> None:  # noqa: ANN401 - a function of Snakemake's Workflow
    """Have every ``checkpoints.NAME.get()`` of a workflow fetch the outputs that it returns.

    Parameters
    ----------
    is_wanted
        Given the workflow, tells whether it is one whose jobs run elsewhere.
    """
    original = Checkpoint.get

    @functools.wraps(original)
    def get(checkpoint: Any, **wildcards: Any) -> Any:  # noqa: ANN401
        done = original(checkpoint, **wildcards)
        if is_wanted(checkpoint.rule.workflow):
            fetch(done.output)
        return done

    Checkpoint.get = get


def see_local_copies_as_they_are() -> None:
    """Let Snakemake take no local copy that is gone for one that is write-protected.

    It remembers that a copy was there and asks the disk whether it may be written, so that a
    checkpoint that has to run again is refused.
    """
    from snakemake.io import _IOFile

    async def protected(file: Any) -> bool:  # noqa: ANN401 - Snakemake's file
        path = Path(file.file)
        return path.exists() and not path.is_symlink() and not os.access(path, os.W_OK)

    _IOFile.protected = protected


def fetch(files: Iterable[Any]) -> None:
    """Bring files in storage to where Snakemake keeps local copies, in place of older copies."""
    for file in files:
        item = file.storage_object if file.is_storage else None
        if item is None or not item.retrieve or item.query in _present:
            continue
        # The S3 plugin keeps what it found when the folder was not there yet.
        item._is_dir = None
        path = Path(item.local_path())
        if path.is_dir():
            shutil.rmtree(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        item.retrieve_object()
        # A copy must not look newer than what was made of it.
        made_s = item.mtime()
        for copy in (path, *path.rglob("*")):
            os.utime(copy, (made_s, made_s))
        _present.add(item.query)


def forget(jobs: Iterable[Any]) -> None:
    """Note that checkpoints among jobs have made their outputs again."""
    _present.difference_update(
        file.storage_object.query
        for job in jobs
        if getattr(job, "is_checkpoint", False)
        for file in job.output
        if file.is_storage
    )
