"""The shifts of projections as later steps use them, in one JSON file."""

from pathlib import Path

from tomobatch.shifts import UNMOVED, Shifts


def load_shifts(path: str | None) -> Shifts:
    """Read the shifts; none where there is no file, as no alignment was asked for."""
    return UNMOVED if path is None else Shifts.from_json(Path(path).read_text(encoding="utf-8"))
