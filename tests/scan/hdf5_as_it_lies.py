"""NXtomo files as beamlines leave them, and what is read of them."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from tests.scan import stacks

from tomobatch.errors import UserError
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings

STACK = np.concatenate([stacks.DARKS, stacks.FLATS_BEFORE, stacks.PROJECTIONS])

KEY = np.repeat([2, 1, 0], [stacks.N_DARKS, stacks.N_FLATS, stacks.N_PROJECTIONS])

ANGLES = np.concatenate([np.zeros(stacks.N_DARKS + stacks.N_FLATS), stacks.THETA_DEG])


def write(
    path: Path,
    pictures: Callable[[h5py.Group], None] | None = None,
    stack: np.ndarray = STACK,
    key: np.ndarray = KEY,
    entry: str = "entry",
) -> Path:
    """Write an NXtomo file whose pictures come as ``pictures`` puts them."""
    with h5py.File(path, "w") as file:
        detector = file.create_group(f"{entry}/instrument/detector")
        detector.attrs["NX_class"] = "NXdetector"
        if pictures is None:
            detector["data"] = stack
        else:
            pictures(detector)
        detector["image_key"] = key
        file[f"{entry}/sample/rotation_angle"] = ANGLES[: len(key)]
        file[f"{entry}/sample/rotation_angle"].attrs["units"] = "degree"
        plotted = file.create_group(f"{entry}/data")
        plotted["data"] = h5py.SoftLink(f"/{entry}/instrument/detector/data")
        plotted["image_key"] = h5py.SoftLink(f"/{entry}/instrument/detector/image_key")
    return path


def check(path: Path, datasets: DatasetSettings | None = None, n_flats: int = 3) -> tuple[str, ...]:
    """Check that the scan comes back, and return what is said of it."""
    with open_scan(path, datasets) as scan:
        assert scan.header.problems == ()
        found = scan.read_projections(0, scan.header.n_projections)
        np.testing.assert_array_equal(found, stacks.PROJECTIONS[: len(found)])
        assert len(found) == stacks.N_PROJECTIONS
        np.testing.assert_allclose(np.rad2deg(scan.header.angles_rad), stacks.THETA_DEG)
        assert scan.header.n_flats == n_flats
        np.testing.assert_array_equal(scan.flat_series()[0].frames, stacks.FLATS_BEFORE)
        np.testing.assert_array_equal(scan.darks(), stacks.DARKS)
        return scan.header.notes


def refusal(path: Path, datasets: DatasetSettings | None = None) -> str:
    with pytest.raises(UserError) as error:
        open_scan(path, datasets)
    assert "\n" not in str(error.value)
    return str(error.value)


def camera_file(path: Path, stack: np.ndarray = STACK) -> Path:
    path.parent.mkdir(exist_ok=True)
    with h5py.File(path, "w") as file:
        file["entry/data/frames"] = stack
    return path
