"""The archive of a workflow's sources, as jobs on other machines can unpack it."""

import io
import tarfile
from pathlib import Path


def follow_links(archive: Path) -> bytes:
    """Return Snakemake's archive of sources with the files themselves in place of links to them.

    Snakemake keeps a link as a link, which leads nowhere on another machine, or out of the folder
    that a job unpacks into, which the job refuses.

    Parameters
    ----------
    archive
        A .tar.xz; its names are relative to the working directory.
    """
    whole = io.BytesIO()
    with (
        tarfile.open(archive, "r:xz") as links,
        tarfile.open(fileobj=whole, mode="w:xz", dereference=True) as files,
    ):
        for member in links:
            files.add(member.name, recursive=False)
    return whole.getvalue()
