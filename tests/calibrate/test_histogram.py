"""Histograms that merge exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomobatch.calibrate.histogram import MOST_BINS, histogram_of, merge

finite = st.floats(-1e6, 1e6, width=32)
samples = st.lists(finite, min_size=1, max_size=60).map(lambda v: np.array(v, dtype=np.float32))


@settings(deadline=None)
@given(values=samples)
def test_every_value_is_in_its_bin(values):
    histogram = histogram_of(values)
    assert sum(histogram.counts) == len(values)
    assert len(histogram.counts) <= MOST_BINS + 1
    expected, _ = np.histogram(values.astype(np.float64), histogram.edges)
    # numpy closes the last bin at its upper edge; ours are all half open.
    assert values.max() < histogram.edges[-1]
    np.testing.assert_array_equal(histogram.counts, expected)


@settings(deadline=None)
@given(parts=st.lists(samples, min_size=1, max_size=5), seed=st.integers(0, 99))
def test_merging_neither_loses_nor_moves(parts, seed):
    histograms = [histogram_of(part) for part in parts]
    merged = merge(histograms)
    expected, _ = np.histogram(np.concatenate(parts).astype(np.float64), merged.edges)
    np.testing.assert_array_equal(merged.counts, expected)
    shuffled = np.random.default_rng(seed).permutation(len(parts))
    assert merge([histograms[i] for i in shuffled]) == merged
    assert merge([merge(histograms[:1]), *histograms[1:]]) == merged


def test_percentiles_to_a_bin():
    values = np.random.default_rng(0).normal(3, 0.5, 20_000)
    histogram = histogram_of(values)
    width = histogram.edges[1] - histogram.edges[0]
    percents = (0.1, 50, 99.9)
    found = histogram.percentiles(percents)
    np.testing.assert_allclose(found, np.percentile(values, percents), atol=width)


def test_one_value_makes_a_histogram():
    assert histogram_of(np.full(7, 0.25)).percentiles((0, 100)) == pytest.approx((0.25, 0.25))


def test_few_values_far_apart_do_not_make_many_bins():
    merged = merge([histogram_of(np.array([0.0, 1e-3])), histogram_of(np.array([1.0, 1.001]))])
    assert len(merged.counts) <= 2 * MOST_BINS
    assert sum(merged.counts) == 4
