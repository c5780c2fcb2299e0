"""Scans as people really have them end in the right volume, or in the words that a user needs."""

from pathlib import Path

import pytest
from tests.odd_scans import count_rows, geometry_rows, hdf5_rows, picture_rows
from tests.odd_scans.row import Row, check

ROWS = (*hdf5_rows.ROWS, *picture_rows.ROWS, *count_rows.ROWS, *geometry_rows.ROWS)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_odd_scan(row: Row, tmp_path: Path) -> None:
    check(row, tmp_path)
