"""The robust line against points of which some are wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomobatch.calibrate.line import fit_line


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    slope=st.floats(-0.02, 0.02),
    wrong_share=st.floats(0, 0.25),
)
def test_wrong_points_are_left_out(seed, slope, wrong_share):
    rng = np.random.default_rng(seed)
    rows = np.arange(120.0)
    cors = 500 + slope * rows + 0.05 * rng.standard_normal(120)
    wrong = rng.random(120) < wrong_share
    cors[wrong] += rng.choice([-1, 1], wrong.sum()) * rng.uniform(2, 300, wrong.sum())
    line, kept = fit_line(rows, cors, np.full(120, 0.05))
    assert not (kept & wrong).any()
    assert kept.sum() > 0.95 * (~wrong).sum()
    # Five standard deviations of a fit to at least 80 points.
    assert line.slope == pytest.approx(slope, abs=5 * 0.05 / np.sqrt(80 * 120**2 / 12))
    assert line.at(np.array([60.0]))[0] == pytest.approx(500 + 60 * slope, abs=5 * 0.05 / 80**0.5)


def test_uncertainty_is_that_of_the_scatter():
    """Errors in units of the stated ones have a standard deviation of 1, within sampling."""
    rng = np.random.default_rng(0)
    rows = np.arange(40.0)
    pulls = []
    for _ in range(300):
        line, _ = fit_line(rows, 0.1 * rng.standard_normal(40), np.full(40, 0.02))
        end = np.array([39.0])
        pull_at_end = float(line.at(end)[0] / line.sigma_at(end)[0])
        pulls.append([line.mid_px / line.mid_sigma_px, line.slope / line.slope_sigma, pull_at_end])
    np.testing.assert_allclose(np.std(pulls, axis=0), 1, atol=0.2)


def test_neighbours_that_err_alike_count_as_fewer():
    rng = np.random.default_rng(1)
    rows = np.arange(200.0)
    alone = rng.standard_normal(200) * 0.1
    alike = np.repeat(alone[::10], 10)
    independent, _ = fit_line(rows, alone, np.full(200, 0.1))
    dependent, _ = fit_line(rows, alike, np.full(200, 0.1))
    assert dependent.mid_sigma_px > 2 * independent.mid_sigma_px


def test_about_another_row_is_the_same_line():
    rng = np.random.default_rng(2)
    rows = np.arange(30.0)
    line, _ = fit_line(rows, 0.01 * rows + 0.1 * rng.standard_normal(30), np.full(30, 0.1))
    moved = line.about(100.0)
    where = np.array([-5.0, 12.0, 70.0])
    np.testing.assert_allclose(moved.at(where), line.at(where))
    np.testing.assert_allclose(moved.sigma_at(where), line.sigma_at(where))


@pytest.mark.parametrize("n_rows", [1, 2, 4])
def test_few_rows_make_a_level_line(n_rows):
    rows = np.arange(float(n_rows))
    line, kept = fit_line(rows, 10 + rows, np.full(n_rows, 0.1))
    assert line.slope == 0
    assert line.slope_sigma is None
    assert line.mid_sigma_px >= 0.1 / np.sqrt(n_rows)
    assert kept.all()


def test_a_slope_that_noise_hides_is_level():
    rng = np.random.default_rng(3)
    line, _ = fit_line(np.arange(10.0), 5 * rng.standard_normal(10), np.full(10, 5.0))
    assert line.slope == 0
    assert line.slope_sigma is None
