"""What names of picture files tell: flats and darks, order, series, angles (decision 45)."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomobatch.scan.header import ImageKey

_WORD = r"(?:^|[^a-z])(?:{})(?:[^a-z]|$)"
_FLAT = re.compile(
    _WORD.format("flats?|flat_?fields?|ff|whites?|open_?beam|ob|io|i0(?!\\d)|refs?|refhst|bright")
)
_DARK = re.compile(_WORD.format("darks?|dark_?fields?|df|di|dc"))
_AFTER = re.compile(_WORD.format("after|post|end"))
_BEFORE = re.compile(_WORD.format("before|pre|start"))
_CHECK = re.compile(r"(?:^|[^\d.])(?:0+|0?90|180|270|360)[ _-]?(?:deg|degrees?|°)(?:[^a-z]|$)")
_IN_DEGREES = re.compile(r"\d[ _-]?(?:deg|°)")
_DEGREES = re.compile(r"deg|°|angle|theta|(?:^|[^a-z])(?:ang|rot|phi)[^a-z]*$")
# A minus is a sign only after what separates words; between a word and a number it is a dash.
_NUMBER = re.compile(r"((?:(?<=[_= ])-|^-)?\d+(?:\.\d+)?)")


def role(name: str) -> ImageKey:
    """Tell what a file or folder holds by its name, without its suffix."""
    name = name.lower()
    if _DARK.search(name):
        return ImageKey.DARK
    return ImageKey.FLAT if _FLAT.search(name) else ImageKey.PROJECTION


def checks_among(names: Sequence[str]) -> list[str]:
    """Find the names of pictures taken at right angles to check the alignment.

    In a series whose names are all angles, none is.
    """
    checks = [name for name in names if _CHECK.search(name.lower())]
    others = [name for name in names if name not in checks]
    if not others or any(_IN_DEGREES.search(name.lower()) for name in others):
        return []
    return checks


def taken_after(name: str) -> bool | None:
    """Whether flats were taken after the scan by their name; None if it does not say."""
    if _AFTER.search(name.lower()):
        return True
    return False if _BEFORE.search(name.lower()) else None


@dataclass(frozen=True)
class Series:
    """Files whose names differ in numbers alone, in their order.

    Attributes
    ----------
    pattern
        The names with ``#`` for every number that differs, for messages.
    paths
        The files.
    numbers
        The number that orders them, float64 (n,); empty if there is none.
    angles_deg
        Angles that the names tell, float64 (n,); None if they tell none.
    """

    pattern: str
    paths: tuple[Path, ...]
    numbers: NDArray[np.float64]
    angles_deg: NDArray[np.float64] | None = None

    def slots(self) -> NDArray[np.int64] | None:
        """Return the place of each picture among evenly numbered ones, of which some are missing.

        None if none is missing, or if the numbers are no such row.
        """
        steps = np.diff(self.numbers)
        if len(steps) == 0 or self.angles_deg is not None:
            return None
        usual = Counter(steps.tolist()).most_common(1)[0][0]
        if usual <= 0 or (steps == usual).all() or np.mod(steps, usual).any():
            return None
        slots = np.rint((self.numbers - self.numbers[0]) / usual).astype(np.int64)
        few = slots[-1] + 1 - len(slots) <= 0.1 * len(slots)
        return slots if few else None


def sort_series(paths: Sequence[Path]) -> list[Series]:
    """Sort files into series by their names, the longest series first."""
    by_text: dict[tuple[str, ...], list[tuple[Path, list[str]]]] = defaultdict(list)
    for path in paths:
        parts = _NUMBER.split(path.stem)
        by_text[tuple(parts[::2])].append((path, parts[1::2]))
    series = [one for texts, items in by_text.items() for one in _of_one_text(texts, items)]
    return sorted(series, key=lambda one: (-len(one.paths), one.pattern))


def _of_one_text(texts: tuple[str, ...], items: list[tuple[Path, list[str]]]) -> list[Series]:
    """Make the series of names that differ in their numbers alone."""
    fields = [_values(column) for column in zip(*(numbers for _, numbers in items), strict=True)]
    n_values = [len(np.unique(field)) for field in fields]
    if not fields or max(n_values) == 1:
        return [Series(items[0][0].stem, tuple(path for path, _ in items), np.empty(0))]
    running = max(range(len(fields)), key=lambda i: (n_values[i], i))
    others = [i for i, n in enumerate(n_values) if 1 < n < n_values[running]]
    if n_values[running] < len(items) and others:
        # One number comes several times: another one tells the series apart.
        split = min(others, key=lambda i: n_values[i])
        parts = [np.flatnonzero(fields[split] == value) for value in np.unique(fields[split])]
        return [one for part in parts for one in _of_one_text(texts, [items[i] for i in part])]
    order = np.argsort(fields[running], kind="stable")
    pattern = "".join(
        text + (("#" if n_values[i] > 1 else items[0][1][i]) if i < len(fields) else "")
        for i, text in enumerate(texts)
    )
    angles = _angles(texts, [[numbers[i] for _, numbers in items] for i in range(len(fields))])
    return [
        Series(
            pattern,
            tuple(items[i][0] for i in order),
            fields[running][order],
            None if angles is None else angles[order],
        )
    ]


def _values(column: Sequence[str]) -> NDArray[np.float64]:
    """Return the numbers of one place in all names.

    Where the part before the point never changes, that after it counts pictures: 1.9, 1.10.
    """
    if all("." in number for number in column):
        whole = {number.split(".")[0] for number in column}
        if len(whole) == 1:
            return np.array([float(number.split(".")[1]) for number in column])
    return np.array([float(number) for number in column])


def _angles(texts: tuple[str, ...], columns: list[list[str]]) -> NDArray[np.float64] | None:
    """Return the angles that names tell: with decimals, or by the word before or after them."""
    for index in reversed(range(len(columns))):
        values = np.array([float(number) for number in columns[index]])
        if len(np.unique(values)) < max(2, len(values) - 1):
            continue
        spelt = _DEGREES.search(texts[index].lower()) or texts[index + 1].lower().lstrip(
            "_ "
        ).startswith(("deg", "°"))
        decimals = any("." in number for number in columns[index])
        if spelt or (decimals and len({number.split(".")[0] for number in columns[index]}) > 1):
            return values
    return None
