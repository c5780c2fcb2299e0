"""Sheets of scans: a line a scan, in columns separated by tabs, commas or, by Excel, semicolons."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tomobatch.errors import UserError


def read_sheet(path: Path) -> dict[str, dict[str, Any]]:
    """Read a sheet of scans.

    Its columns are ``scan``, ``path``, and dotted keys such as ``calibrate.cor_px``. A byte order
    mark, which Excel writes, is passed over; its first line tells what separates the columns.

    Raises
    ------
    UserError
        If the sheet is missing, is no text, or lacks one of the two columns.
    """
    if not path.is_file():
        raise UserError(f"scans: the sheet {path} does not exist; give its path from where you run")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(
            f"scans: {path} is no sheet (a text with the columns scan and path); if it is a scan, "
            f"write scans: {{{path.stem}: {path}}}"
        ) from None
    header = text.partition("\n")[0]
    delimiter = max("\t;,", key=header.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    missing = {"scan", "path"} - set(reader.fieldnames)
    if missing:
        raise UserError(f"scans: the sheet {path} lacks the column {sorted(missing)[0]!r}")
    scans: dict[str, dict[str, Any]] = {}
    for line, row in enumerate(reader, start=2):
        name = row.pop("scan")
        if not any(row.values()) and not name:
            continue
        if None in row:
            raise UserError(f"scans: {path} line {line} has more cells than the header has columns")
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
