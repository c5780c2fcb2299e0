"""Sheets of scans: a line a scan, in tab- or comma-separated columns."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tomobatch.errors import UserError


def read_sheet(path: Path) -> dict[str, dict[str, Any]]:
    """Read a sheet of scans.

    Its columns are ``scan``, ``path``, and dotted keys such as ``calibrate.cor_px``.

    Raises
    ------
    UserError
        If the sheet is missing, or lacks one of the two columns.
    """
    if not path.is_file():
        raise UserError(f"scans: the sheet {path} does not exist; give its path from where you run")
    delimiter = "," if path.suffix.lower() == ".csv" else "\t"
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, delimiter=delimiter)
        missing = {"scan", "path"} - set(reader.fieldnames or ())
        if missing:
            raise UserError(f"scans: the sheet {path} lacks the column {sorted(missing)[0]!r}")
        scans: dict[str, dict[str, Any]] = {}
        for line, row in enumerate(reader, start=2):
            name = row.pop("scan")
            if name in scans:
                raise UserError(f"scans: {path} line {line} names the scan {name!r} a second time")
            scans[name] = _nest(row)
    return scans


def _nest(row: Mapping[str, str | None]) -> dict[str, Any]:
    """Turn ``{"a.b": "12"}`` into ``{"a": {"b": "12"}}``; empty cells go."""
    nested: dict[str, Any] = {}
    for key, value in row.items():
        if value:
            *sections, last = key.split(".")
            target = nested
            for section in sections:
                target = target.setdefault(section, {})
            target[last] = value
    return nested
