"""Which objects of a scan's results a user wants: all to look at, or a part of the volume."""

import json
import re
from pathlib import PurePosixPath

import obstore

from tomobatch.errors import UserError
from tomobatch.results import EXPORTS, VOLUME, is_intermediate
from tomobatch.s3.listing import RemoteFile, list_sizes
from tomobatch.s3.read import open_store

Slices = tuple[int, int | None]


def parse_slices(text: str | None) -> Slices | None:
    """Read ``a:b``, either of which may be left out, as slices ``[a, b)``.

    Raises
    ------
    UserError
        If it is not of that form, or empty.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d*):(\d*)", text)
    if match is None:
        raise UserError(f"--slices {text}: write first:end, as in 100:164, 100: or :64")
    start = int(match[1] or 0)
    stop = int(match[2]) if match[2] else None
    if stop is not None and stop <= start:
        raise UserError(f"--slices {text}: holds no slice; the end comes after the first")
    return start, stop


def choose_parts(url: str, slices: Slices | None, level: int | None) -> list[RemoteFile]:
    """Return the objects to fetch.

    Parameters
    ----------
    url
        The s3:// address of a scan's results.
    slices
        Slices of the finest level, whose chunks alone are wanted; None for all.
    level
        The level of the volume that is wanted; None for all.

    Raises
    ------
    UserError
        If there is no volume, or it has no such slice or level.
    """
    files = [file for file in list_sizes(url) if not is_intermediate(file.name)]
    if not files:
        raise UserError(f"{url}: there are no results yet")
    if slices is None and level is None:
        return files
    levels = sorted(
        int(PurePosixPath(file.name).parts[1])
        for file in files
        if re.fullmatch(rf"{re.escape(VOLUME)}/\d+/zarr\.json", file.name)
    )
    if not levels:
        raise UserError(f"{url}: there is no volume yet")
    if level is not None and level not in levels:
        raise UserError(f"--level {level}: the volume has the levels 0 to {levels[-1]}")
    chunks = None if slices is None else _chunks_of(url, slices)
    return [file for file in files if _is_wanted(file.name, chunks, level)]


def _chunks_of(url: str, slices: Slices) -> range:
    """Return the chunks that hold some slices; every level is cut by the same chunks."""
    metadata = bytes(obstore.get(open_store(url), f"{VOLUME}/0/zarr.json").bytes())
    array = json.loads(metadata)
    n_slices = array["shape"][0]
    size = array["chunk_grid"]["configuration"]["chunk_shape"][0]
    start, stop = slices
    if start >= n_slices:
        raise UserError(f"--slices {start}:{stop or ''}: the volume has {n_slices} slices")
    last = n_slices if stop is None else min(stop, n_slices)
    return range(start // size, (last - 1) // size + 1)


def _is_wanted(name: str, chunks: range | None, level: int | None) -> bool:
    match = re.match(rf"{re.escape(VOLUME)}/(\d+)/c/(\d+)/", name)
    if match is None:
        return name not in EXPORTS.values()
    if level is not None and int(match[1]) != level:
        return False
    return chunks is None or int(match[2]) in chunks
