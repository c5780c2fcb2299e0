"""Projections that are taken or left out: by the user's word, or as they were never written."""

import re
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.header import Frames

_RANGE = re.compile(r"(\d+)(?:\s*(?:-|\.\.)\s*(\d+))?")
_EVERY = re.compile(r"(?P<range>.*?)\s*\bevery\s+(?P<step>[1-9]\d*)")
_ROWS_LOOKED_AT = 3
_NAMED = 5


def excluded(exclude: str | Sequence[int | str] | None, n_projections: int) -> NDArray[np.bool_]:
    """Return which projections the user leaves out, bool (n,).

    Parameters
    ----------
    exclude
        Numbers from 0 and ranges with their ends, such as ``[3, "10-19"]`` or ``"3, 10-19"``.
    n_projections
        How many there are.

    Raises
    ------
    UserError
        For what is neither, or beyond the scan.
    """
    mask = np.zeros(n_projections, bool)
    for item in _items(exclude):
        mask[_range(item, n_projections, "exclude")] = True
    return mask


def included(include: str | Sequence[int | str] | None, n_projections: int) -> NDArray[np.bool_]:
    """Return which projections the user restricts a scan to, bool (n,); all by default.

    Parameters
    ----------
    include
        Numbers from 0 and ranges with their ends, each range or all of it thinned out:
        ``every 2``, ``[3, "10-19"]``, ``"0-899 every 3"``.
    n_projections
        How many there are.

    Raises
    ------
    UserError
        For what is none of that, or beyond the scan.
    """
    if include is None:
        return np.ones(n_projections, bool)
    mask = np.zeros(n_projections, bool)
    for item in _items(include):
        every = _EVERY.fullmatch(item)
        step = 1 if every is None else int(every["step"])
        chosen = item if every is None else every["range"]
        places = slice(None) if every and not chosen else _range(chosen, n_projections, "include")
        mask[places][::step] = True
    return mask


def _items(text: str | Sequence[int | str] | None) -> list[str]:
    items = text.split(",") if isinstance(text, str) else text or ()
    return [str(item).strip() for item in items]


def _range(item: str, n_projections: int, key: str) -> slice:
    """Return the projections of a number or a range with its ends."""
    match = _RANGE.fullmatch(item)
    if match is None:
        example = "[3, 10-19]" if key == "exclude" else "every 2 or [3, 10-19]"
        raise UserError(f"datasets.{key}: {item!r} is no number and no range; write {example}")
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last < n_projections:
        raise UserError(
            f"datasets.{key}: {item} is not within projections 0 to {n_projections - 1}"
        )
    return slice(first, last + 1)


def n_written(frames: Frames) -> int:
    """Return how many projections come before a tail that was never written.

    An aborted acquisition leaves pictures of one value, zero as a rule, where a file was made for
    all at first. A few rows of one projection are read, and of some more if that one is blank.
    """
    n_frames, n_rows, _ = frames.shape
    step = max(1, n_rows // _ROWS_LOOKED_AT)
    rows = slice(step // 2, None, step)
    if n_frames < 2 or not is_blank(frames.read(n_frames - 1, n_frames, rows)):
        return n_frames
    if is_blank(frames.read(0, 1, rows)):
        return n_frames
    written, blank = 0, n_frames - 1
    while blank - written > 1:
        middle = (written + blank) // 2
        if is_blank(frames.read(middle, middle + 1, rows)):
            blank = middle
        else:
            written = middle
    return blank


def is_blank(counts: NDArray[Any]) -> bool:
    """Whether all counts are one value, or no numbers at all."""
    if counts.dtype.kind == "f":
        counts = counts[np.isfinite(counts)]
    return counts.size == 0 or bool((counts == counts.flat[0]).all())


def numbers(which: NDArray[np.bool_]) -> str:
    """Name the chosen projections, as ranges; the first few if there are many."""
    chosen = np.flatnonzero(which)
    if len(chosen) == 0:
        return "none"
    cuts = np.flatnonzero(np.diff(chosen) != 1) + 1
    runs = [
        f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in np.split(chosen, cuts)
    ]
    return ", ".join(runs[:_NAMED]) + (", ..." if len(runs) > _NAMED else "")


class KeptFrames:
    """Those pictures of a stack that are kept, in their order."""

    def __init__(self, frames: Frames, kept: NDArray[np.bool_]) -> None:
        self._frames = frames
        self._indices = np.flatnonzero(kept)
        self.name = frames.name
        self.dtype = frames.dtype
        self.shape: tuple[int, int, int] = (len(self._indices), *frames.shape[1:])

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        wanted = self._indices[start:stop]
        if len(wanted) == 0:
            return self._frames.read(0, 0, rows)
        cuts = np.flatnonzero(np.diff(wanted) != 1) + 1
        pieces = [
            self._frames.read(int(run[0]), int(run[-1]) + 1, rows) for run in np.split(wanted, cuts)
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def sources(self) -> list[Hashable]:
        """Say what each picture is."""
        sources = self._frames.sources()
        return [sources[index] for index in self._indices]
