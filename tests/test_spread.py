"""Medians by one rank are numpy's, and noise is told from what varies smoothly."""

import numpy as np
import pytest

from tomobatch.spread import median, white_noise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (2,), (101,), (64, 7), (5, 90), (3, 4, 6)])
def test_a_median_is_numpys(shape, dtype):
    values = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    for axis in range(-1, len(shape)):
        found = median(values, axis)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, np.median(values, axis=axis))


@pytest.mark.parametrize("n_values", [6, 7])
@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_counts_as_in_numpy(odd, n_values):
    for n_odd in range(1, n_values - 2):
        values = np.arange(2.0 * n_values).reshape(2, n_values)
        values[1, :n_odd] = odd
        np.testing.assert_array_equal(median(values), np.median(values, axis=1))


@pytest.mark.parametrize("axis", [0, 1])
def test_white_noise_is_told_from_what_varies_smoothly(axis):
    smooth = 100 * np.sin(np.arange(300) / 40)
    values = np.expand_dims(smooth, 1 - axis) + np.zeros((300, 300))
    assert white_noise(values, axis) < 0.1
    values += np.random.default_rng(0).normal(0, 2, values.shape)
    assert white_noise(values, axis) == pytest.approx(2, rel=0.02)  # of 90,000 values, 0.4 %
