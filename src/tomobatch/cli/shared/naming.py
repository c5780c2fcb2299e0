"""What scans are called, where their paths are all that is known."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from tomobatch.s3.address import is_remote


def name_scans(paths: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Name each scan after its file; a name that comes twice takes the folder's too.

    Parameters
    ----------
    paths
        Files, folders or s3:// addresses.
    taken
        Names that other scans have already.

    Returns
    -------
    dict
        Path by name, in the order given.
    """
    names: dict[str, str] = {}
    for path in paths:
        parts = [part for part in path.removeprefix("s3://").split("/") if part] or ["scan"]
        stem = _cleaned(parts[-1].lstrip(".").partition(".")[0])
        choices = [stem, _cleaned("-".join([*parts[-2:-1], stem]))]
        choices += [f"{stem}-{number}" for number in range(2, 3 + len(names) + len(taken))]
        names[next(each for each in choices if each not in names and each not in taken)] = path
    return names


def without_repeats(paths: Iterable[str]) -> list[str]:
    """Return each file, folder or s3:// address once, as it was written first."""
    first: dict[str, str] = {}
    for path in paths:
        where = path.rstrip("/") if is_remote(path) else str(Path(path).resolve())
        first.setdefault(where, path)
    return list(first.values())


def _cleaned(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "scan"
