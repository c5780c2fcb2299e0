"""Scans of TIFF files, and what is read of them."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from tests.scan import stacks

from tomobatch.errors import UserError
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

N = stacks.N_PROJECTIONS

NUMBERED = [f"p_{index:04d}" for index in range(N)]


def write(
    folder: Path, names: list[str], stack: np.ndarray = stacks.PROJECTIONS, **options: object
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in zip(names, stack, strict=True):
        tifffile.imwrite(folder / f"{name}.tif", picture, **options)
    return folder


def write_scan(folder: Path, names: list[str] | None = None, **options: object) -> Path:
    """Write projections of the given names, with flats and darks in folders beside them."""
    write(folder, NUMBERED if names is None else names, **options)
    write(folder / "flats", [f"f{i}" for i in range(stacks.N_FLATS)], stacks.FLATS_BEFORE)
    write(folder / "darks", [f"d{i}" for i in range(stacks.N_DARKS)], stacks.DARKS)
    return folder


def check(
    path: Path, datasets: DatasetSettings | None = None, kept: list[int] | None = None
) -> tuple[str, ...]:
    """Check that the scan comes back, and return what is said of it."""
    with open_scan(path, datasets) as scan:
        assert scan.header.problems == ()
        found = scan.read_projections(0, scan.header.n_projections)
        expected = stacks.PROJECTIONS if kept is None else stacks.PROJECTIONS[kept]
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(scan.read_projections(2, 4), expected[2:4])
        np.testing.assert_array_equal(scan.flat_series()[0].frames, stacks.FLATS_BEFORE)
        np.testing.assert_array_equal(scan.darks(), stacks.DARKS)
        return scan.header.notes


def refusal(path: Path, datasets: DatasetSettings | None = None) -> str:
    with pytest.raises(UserError) as error:
        open_scan(path, datasets)
    assert "\n" not in str(error.value)
    return str(error.value)
