"""Which pictures of a folder are the projections."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tomobatch.errors import UserError
from tomobatch.scan.header import Frames, ImageKey
from tomobatch.scan.lab_scan import LabScan
from tomobatch.scan.names import Series, checks_among, role, sort_series
from tomobatch.scan.picture_files import open_files, open_stack, pictures_of

# Pictures of other names, if they are so few beside the projections, are strangers among them.
_MOST_STRANGERS = 0.1


@dataclass
class Found:
    """What was found of a scan so far.

    Attributes
    ----------
    items
        Pictures and folders beside the projections.
    series
        What the names of the projections tell, if they are a file each.
    notes
        What was left out.
    lab
        What the file of a laboratory scanner says.
    """

    folder: Path
    items: list[Path]
    projections: Frames
    series: Series | None = None
    notes: list[str] = field(default_factory=list)
    lab: LabScan | None = None


def find_projections(folder: Path, items: list[Path]) -> Found:
    """Take the pictures that are neither flats nor darks, here or in the one other folder."""
    others = [item for item in items if role(bare_name(item)) is ImageKey.PROJECTION]
    named_checks = checks_among([bare_name(item) for item in others])
    checks = [item for item in others if bare_name(item) in named_checks]
    notes = []
    if checks:
        notes.append(
            f"{', '.join(item.name for item in checks)}: left out, as pictures taken to check the"
            " alignment"
        )
        others = [item for item in others if item not in checks]
    files = [item for item in others if item.is_file()]
    if not files and len(others) == 1 and others[0].is_dir():
        files = pictures_of(others[0])
    elif not files:
        raise UserError(_no_projections(folder, items, others))
    if len(files) == 1:
        return Found(folder, items, open_stack(files[0]), None, notes)
    series = _one_series(folder, sort_series(files), notes)
    where = f"folder {files[0].parent.name}"
    return Found(folder, items, open_files(where, series.paths), series, notes)


def _no_projections(folder: Path, items: list[Path], others: list[Path]) -> str:
    """Say why there are no projections, and which may be."""
    if others:
        return (
            f"{folder}: the projections may be in {' or '.join(item.name for item in others)};"
            " say which with datasets.projections"
        )
    if items:
        named = ", ".join(item.name for item in items[:4])
        return (
            f"{folder}: no pictures of projections in this folder: by their names all are flats or"
            f" darks ({named}); say which with datasets.projections"
        )
    return f"{folder}: no pictures of projections in this folder"


def _one_series(folder: Path, series: list[Series], notes: list[str]) -> Series:
    """Take the one series of pictures; a few of other names are left out.

    Raises
    ------
    UserError
        If there are several.
    """
    longest, *rest = series
    n_strangers = sum(len(one.paths) for one in rest)
    if n_strangers > _MOST_STRANGERS * len(longest.paths):
        if all(len(one.paths) == 1 for one in series):
            # Names without a number in common: their order is all they tell.
            return Series("", tuple(path for one in series for path in one.paths), np.empty(0))
        listed = ", ".join(f"{_example(one)} ({len(one.paths)})" for one in series[:4])
        raise UserError(
            f"{folder}: holds {len(series)} series of pictures: {listed}; say which are the"
            f" projections, such as datasets.projections: {_glob(longest)}"
        )
    if rest:
        named = ", ".join(_example(one) for one in rest[:4])
        notes.append(f"{named}: left out, as named otherwise than the {len(longest.paths)} others")
    return longest


def _example(series: Series) -> str:
    return series.paths[0].name if len(series.paths) == 1 else _glob(series)


def _glob(series: Series) -> str:
    return f"{series.pattern.replace('#', '*')}{series.paths[0].suffix}"


def bare_name(item: Path) -> str:
    """Return the name of a file without its suffix, or that of a folder."""
    return item.name if item.is_dir() else item.stem
