"""Angles in files beside a scan: text, CSV, or a numpy array."""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.scan.angles import FoundAngles, to_radians

SUFFIXES = (".txt", ".csv", ".tsv", ".dat", ".log", ".npy")
_TITLE = re.compile(r"angle|theta|rot|omega|phi|deg|rad", re.IGNORECASE)
_IN_WORDS = re.compile(r"\bangle\b\D*?(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)", re.IGNORECASE)


def names_angle_file(text: str) -> bool:
    """Whether what the config says is a file of angles, with a column or not."""
    return Path(_split(text)[0]).suffix.lower() in SUFFIXES


def refuse_on_s3(text: str) -> None:
    """Refuse a file of angles for a scan that jobs read on S3.

    Raises
    ------
    UserError
        If what the config says is one.
    """
    if names_angle_file(text):
        raise UserError(
            f"datasets.angles: {text} is not read on S3: write the angles into the scan,"
            " or give datasets.angle_range_deg"
        )


def read_angles_beside(scan: str, text: str) -> FoundAngles:
    """Read angles in radians from a file that lies beside a scan's.

    Raises
    ------
    UserError
        If the scan lies on S3, there is no such file, or no telling which numbers are angles.
    """
    if is_remote(scan):
        refuse_on_s3(text)
    return read_angle_file(Path(scan).parent, text)


def read_angle_file(folder: Path, text: str) -> FoundAngles:
    """Read angles in radians from a file.

    Parameters
    ----------
    folder
        Where the scan lies.
    text
        The file, and after a colon the column by its title or its number from 1. Without, it is the
        only column, the one whose title speaks of angles, or the only one that does not count.

    Raises
    ------
    UserError
        If there is no such file, or no telling which numbers are angles.
    """
    name, column = _split(text)
    path = folder / name
    if not path.is_file():
        raise UserError(f"{path}: no such file (datasets.angles)")
    if path.suffix.lower() == ".npy":
        try:
            values = np.asarray(np.load(path), np.float64).reshape(-1)
        except ValueError as error:
            raise UserError(f"{path}: not a list of angles: {error}") from error
        return to_radians(values, "", path.name)
    titles, table = _table(path)
    index = _column(path, titles, table, column)
    title = titles[index] if titles else ""
    unit = "rad" if re.search(r"rad", title, re.IGNORECASE) else ""
    unit = "deg" if re.search(r"deg|°", title, re.IGNORECASE) else unit
    return to_radians(table[:, index], unit, path.name)


def _split(text: str) -> tuple[str, str]:
    """Cut the column off a file's name."""
    name, colon, column = text.rpartition(":")
    return (name, column) if colon and Path(name).suffix.lower() in SUFFIXES else (text, "")


def _table(path: Path) -> tuple[list[str], NDArray[np.float64]]:
    """Read the titles, if there are some, and the numbers, float64 (row, column)."""
    lines = [line.strip() for line in path.read_text(errors="replace").splitlines()]
    titles: list[str] = []
    rows: list[list[float]] = []
    for line in lines:
        cells = _cells(line.lstrip("#%;! "))
        if not cells:
            continue
        try:
            rows.append([float(cell) for cell in cells])
        except ValueError as error:
            if rows and not line.startswith(("#", "%", ";", "!")):
                return _in_words(path, lines, error)
            titles = cells if not rows else titles
    if not rows or len({len(row) for row in rows}) != 1:
        return _in_words(path, lines, ValueError("its lines hold different counts of numbers"))
    return titles if len(titles) == len(rows[0]) else [], np.array(rows)


def _cells(line: str) -> list[str]:
    if ";" in line:
        # Where commas are decimal points, semicolons part the columns.
        return [cell.strip().replace(",", ".") for cell in line.split(";") if cell.strip()]
    if "," in line or "\t" in line:
        return [cell.strip().strip('"') for cell in re.split(r"[,\t]", line) if cell.strip()]
    return line.split()


def _in_words(
    path: Path, lines: list[str], error: ValueError
) -> tuple[list[str], NDArray[np.float64]]:
    """Take the numbers after the word angle, of a log that has one in many lines."""
    found = [match[1] for line in lines if (match := _IN_WORDS.search(line))]
    if len(found) < 2:
        raise UserError(f"{path}: not a list of angles, one a line: {error}")
    return [], np.array([[float(number)] for number in found])


def _column(path: Path, titles: list[str], table: NDArray[np.float64], wanted: str) -> int:
    """Choose the column of the angles."""
    n_columns = table.shape[1]
    if wanted:
        if wanted in titles:
            return titles.index(wanted)
        if wanted.isdigit() and 1 <= int(wanted) <= n_columns:
            return int(wanted) - 1
        raise UserError(
            f"{path}: no column {wanted!r} (datasets.angles); it has"
            f" {', '.join(titles) or n_columns} columns"
        )
    if n_columns == 1:
        return 0
    titled = [i for i, title in enumerate(titles) if _TITLE.search(title)]
    if len(titled) == 1:
        return titled[0]
    counts = np.arange(len(table))
    telling = [i for i in range(n_columns) if np.ptp(table[:, i] - counts) > 0]
    if len(telling) == 1:
        return telling[0]
    raise UserError(
        f"{path}: has {n_columns} columns ({', '.join(titles) or 'without titles'}), and no telling"
        f" which are the angles: write datasets.angles: {path.name}:COLUMN, a title or a number"
        " from 1"
    )
