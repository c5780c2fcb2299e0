"""A full turn about an axis near the detector's edge is merged by itself, and said to be.

The sample is a sum of Gaussians, whose projections and slices are exact; it reaches twice as far
from the axis as the detector does on its narrow side.
"""

import h5py
import numpy as np
import pytest
from tests.in_process import reconstruct

N_COLS, N_ROWS, N_ANGLES, COR = 96, 8, 256, 21.3
RNG = np.random.default_rng(11)
# x and y from the axis, width, height in the slice, and where along the rows it is strongest.
SPOTS = [
    (*(r * np.cos(a), r * np.sin(a)), w, 0.06 / w, z)
    for r, a, w, z in zip(
        RNG.uniform(0, 62, 40),
        RNG.uniform(0, 2 * np.pi, 40),
        RNG.uniform(1.5, 4, 40),
        RNG.uniform(0, N_ROWS, 40),
        strict=True,
    )
]


def weight(row, z):
    return np.exp(-((row - z) ** 2) / 20)


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("half") / "half.nx"
    angles = np.linspace(0, 2 * np.pi, N_ANGLES, endpoint=False)
    lines = np.zeros((N_ANGLES, N_ROWS, N_COLS))
    cols, rows = np.arange(N_COLS), np.arange(N_ROWS)
    for x, y, w, height, z in SPOTS:
        u = x * np.cos(angles) + y * np.sin(angles) + COR
        profile = np.exp(-((cols - u[:, None]) ** 2) / (2 * w**2)) * height * w * np.sqrt(2 * np.pi)
        lines += weight(rows, z)[None, :, None] * profile[:, None]
    flats = np.full((4, N_ROWS, N_COLS), 40_000.0)
    noise = np.random.default_rng(3).normal(0, 40, lines.shape)
    stack = np.concatenate([0 * flats + 100, flats + 100, 40_000 * np.exp(-lines) + noise + 100])
    with h5py.File(path, "w") as file:
        file["entry/instrument/detector/data"] = stack.round().astype(np.uint16)
        file["entry/instrument/detector/image_key"] = [2] * 4 + [1] * 4 + [0] * N_ANGLES
        file["entry/sample/rotation_angle"] = np.r_[np.zeros(8), np.rad2deg(angles)]
        file["entry/sample/rotation_angle"].attrs["units"] = "deg"
    return path


def truth(row, size):
    places = np.arange(size) - (size - 1) / 2
    x, y = places[None], places[:, None]
    return sum(
        weight(row, z) * height * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * w**2))
        for cx, cy, w, height, z in SPOTS
    )


def test_both_sides_are_merged_and_it_is_said(scan, tmp_path):
    done = reconstruct(tmp_path, scan)
    assert done.calibration.line.mid_px == pytest.approx(COR, abs=0.25)
    assert any("its halves are merged, and the slices are 192 px wide" in w for w in done.warnings)
    volume = done.volume
    assert volume.shape == (N_ROWS, 2 * N_COLS, 2 * N_COLS)
    expected = truth(4, 2 * N_COLS)
    assert np.corrcoef(volume[4].ravel(), expected.ravel())[0, 1] > 0.98
    scale = np.sum(volume[4] * expected) / np.sum(expected**2)
    assert scale == pytest.approx(1, abs=0.03)


def test_it_is_switched_off_by_the_configuration(scan, tmp_path):
    done = reconstruct(tmp_path, scan, {"reconstruct": {"half_acquisition": False}})
    assert done.volume.shape == (N_ROWS, N_COLS, N_COLS)
    assert any(
        "half_acquisition is false: the slices hold what lies near" in w for w in done.warnings
    )


def test_a_width_that_is_given_is_kept_and_the_line_to_add_is_said(scan, tmp_path):
    done = reconstruct(tmp_path, scan, {"reconstruct": {"size_px": 80}})
    assert done.volume.shape == (N_ROWS, 80, 80)
    assert any(
        "give reconstruct.half_acquisition: true, with a size_px" in w for w in done.warnings
    )
