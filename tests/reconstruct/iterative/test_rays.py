"""Rows put on the projector's samples: where they come to lie, what is seen, how noisy they are."""

import numpy as np
import pytest

from tomobatch.errors import UserError
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.iterative.projector import make_grid
from tomobatch.reconstruct.iterative.rays import RayPlacer, noise_sigma


def place(rows: np.ndarray, cors: np.ndarray, **options):
    """Return the placed rows of an upright projection, what is seen, and where the samples lie."""
    grid = make_grid(make_geometry([0.0], rows.shape[-1], **options))
    placer, binning = RayPlacer(grid), grid.geometry.binning
    out = np.full((1, grid.n_samples, len(rows)), np.nan, np.float32)
    placer(rows[:, None].astype(np.float32), cors, out)
    return out[0], placer.seen(cors), binning * (np.arange(grid.n_samples) - grid.axis)


@pytest.mark.parametrize("cor", [31.5, 31.0, 29.28, 2.3])
def test_a_smooth_row_lies_about_its_axis(cor) -> None:
    def wave(t):
        return np.exp(-((t / 4.0) ** 2)) * (1 + 0.3 * np.sin(t))

    columns = np.arange(64)
    found, seen, t = place(wave(columns - cor)[None], np.array([cor]))
    inside = seen[:, 0] > 0
    assert found[inside, 0] == pytest.approx(wave(t[inside]), abs=2e-3)
    assert (found[~inside] == 0).all()
    assert t[inside].min() == pytest.approx(max(t.min(), -cor), abs=1.0)


def test_rows_that_need_no_shift_stay_as_they_are() -> None:
    rows = np.random.default_rng(0).normal(size=(2, 20))
    found, seen, t = place(rows, np.array([9.5, 6.5]))
    for lane, cor in enumerate((9.5, 6.5)):
        inside = seen[:, lane] > 0
        columns = np.rint(t[inside] + cor).astype(int)
        assert found[inside, lane] == pytest.approx(rows[lane, columns], abs=1e-5)


def test_binned_rows_are_means_of_columns() -> None:
    rows = np.random.default_rng(0).normal(size=(1, 24))
    found, seen, t = place(rows, np.array([11.5]), binning=2)
    for sample in np.flatnonzero(seen[:, 0]):
        left = round(t[sample] + 11.5 - 0.5)
        assert found[sample, 0] == pytest.approx(rows[0, left : left + 2].mean(), abs=1e-5)


def test_noise_is_told_and_edges_are_not() -> None:
    random = np.random.default_rng(0)
    box = np.where(np.abs(np.arange(400) - 200) < 90, 5.0, 0.0)
    rays = (box[None, :, None] + random.normal(0, [0.02, 0.3], (80, 400, 2))).astype(np.float32)
    assert noise_sigma(rays, np.ones((400, 2))) == pytest.approx([0.02, 0.3], rel=0.03)
    assert noise_sigma(rays, np.zeros((400, 2))) == pytest.approx([0, 0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_named(value) -> None:
    grid = make_grid(make_geometry(np.arange(5) / 2, 16))
    sinograms = np.ones((3, 5, 16), np.float32)
    sinograms[1, 4, 7] = value
    out = np.empty((5, grid.n_samples, 4), np.float32)
    with pytest.raises(UserError, match=r"not finite .* in row 41, projection 4"):
        RayPlacer(grid)(sinograms, np.full(3, 7.5), out, first_row=40)
