import numpy as np
import pytest
from algotom.util.utility import detect_stripe
from hypothesis import given, settings
from hypothesis import strategies as st

from tomobatch.stripes.detection import find_stripes, widened


@settings(deadline=None, max_examples=100)
@given(
    seed=st.integers(0, 2**32 - 1),
    n_columns=st.integers(20, 400),
    snr=st.floats(1.1, 6.0),
    strength=st.floats(-0.5, 0.5),
)
def test_finds_what_algotom_finds(seed, n_columns, snr, strength):
    rng = np.random.default_rng(seed)
    profile = rng.normal(1, 0.01, n_columns)
    profile[rng.integers(n_columns)] += strength
    expected = widened(detect_stripe(profile, snr) > 0)
    assert np.array_equal(find_stripes(profile, snr), expected)


def test_a_strong_column_is_found_with_its_neighbours():
    profile = np.random.default_rng(3).normal(1, 0.01, 200)
    profile[[0, 50]] = 1.3, 0.7
    assert np.flatnonzero(find_stripes(profile, 3.0)).tolist() == [0, 1, 49, 50, 51]


@pytest.mark.parametrize("n_columns", [1, 2, 3, 7, 100])
def test_nothing_is_found_without_noise(n_columns):
    assert not find_stripes(np.ones(n_columns), 3.0).any()
