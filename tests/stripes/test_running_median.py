import numpy as np
import pytest
import scipy.ndimage as ndi
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tomobatch.stripes.running_median import running_median


def median_by_definition(columns, window_px):
    """Sort every window, mirrored at both ends."""
    half = window_px // 2
    mirrored = np.pad(columns, ((half, half), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(mirrored, window_px, axis=0)
    return np.sort(windows, axis=-1)[..., half]


@settings(deadline=None, max_examples=60)
@given(
    columns=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=70),
        # Few distinct values, so that ties and repeated infinities of the filling are met.
        elements=st.sampled_from([-np.inf, -2.5, -1.0, 0.0, 0.5, 1.0, 3e38, np.inf]),
    ),
    half=st.integers(0, 30),
)
def test_ties_and_windows_wider_than_the_row(columns, half):
    window_px = 2 * half + 1
    expected = median_by_definition(columns, window_px)
    assert np.array_equal(running_median(columns, window_px), expected)


@pytest.mark.parametrize("n_ranks", [127, 128, 129, 300])
@pytest.mark.parametrize("window_px", [3, 21, 51])
def test_equals_scipy_across_blocks_of_ranks(n_ranks, window_px):
    columns = np.random.default_rng(n_ranks).normal(size=(90, n_ranks)).astype(np.float32)
    expected = ndi.median_filter(columns, (window_px, 1), mode="reflect")
    assert np.array_equal(running_median(columns, window_px), expected)
