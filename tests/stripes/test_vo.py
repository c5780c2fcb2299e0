"""Every method against algotom, the implementation of the methods' author.

algotom sorts and sums partly in float64 where this package does in float32: values agree to a few
units in the last place (tolerance 2e-6 on values of about 1). Where two values of a column are
nearly equal, rounding can swap their ranks, which then exchanges two values of the result: up to 1
pixel in 2000 may differ by more, and by at most 0.001. The slow part that ``filtering`` sorts runs
through the same values again and again: there, up to 1 in 200 and 0.05.
"""

import numpy as np
import pytest
from algotom.prep import removal
from tests.stripes.sinograms import transmission

from tomobatch.stripes import vo
from tomobatch.stripes.settings import Tuning

METHODS = {
    "sorting": (vo.sorting, lambda s, snr, la, sm: removal.remove_stripe_based_sorting(s, sm)),
    "filtering": (
        vo.filtering,
        lambda s, snr, la, sm: removal.remove_stripe_based_filtering(s, 3, sm),
    ),
    "large": (vo.large, lambda s, snr, la, sm: removal.remove_large_stripe(s, snr, la)),
    "dead": (vo.dead, lambda s, snr, la, sm: removal.remove_dead_stripe(s, snr, la)),
    "all": (vo.everything, lambda s, snr, la, sm: removal.remove_all_stripe(s, snr, la, sm)),
}


@pytest.mark.parametrize("shape", [(181, 301), (120, 96), (361, 512), (20, 96)])
@pytest.mark.parametrize("method", METHODS)
def test_equals_algotom(method, shape):
    sinogram = transmission(*shape, seed=shape[0])
    ours, algotoms = METHODS[method]
    expected = algotoms(sinogram, 3.0, 51, 21)
    found = ours(np.ascontiguousarray(sinogram.T), Tuning()).T
    off = np.abs(found - expected)
    assert np.abs(expected - sinogram).max() > 0.05, "the method must have had something to do"
    assert np.mean(off > 2e-6) <= (0.005 if method == "filtering" else 0.0005)
    assert off.max() < (0.05 if method == "filtering" else 0.001)


@pytest.mark.parametrize("columns", [[0], [-1], [0, 1], [-2, -1], [0, -1]])
def test_dead_columns_at_the_edge_have_nothing_beside_them_to_bridge_from(columns):
    """They are left to the smoothing of large stripes; nothing is read beyond the detector."""
    rng = np.random.default_rng(0)
    sinogram = np.exp(-rng.normal(1, 0.05, (200, 180)).astype(np.float32))
    sinogram[columns] = 0.4
    found = vo._bridged(sinogram, Tuning(3.0, 11, 5))
    assert np.array_equal(found[columns], sinogram[columns])


@pytest.mark.parametrize(("snr", "large_px", "small_px"), [(1.5, 31, 5), (5.0, 81, 31)])
def test_settings_mean_what_they_mean_in_algotom(snr, large_px, small_px):
    sinogram = transmission(150, 200, seed=2)
    tuning = Tuning(snr, large_px, small_px)
    for ours, algotoms in METHODS.values():
        expected = algotoms(sinogram, snr, large_px, small_px)
        off = np.abs(ours(np.ascontiguousarray(sinogram.T), tuning).T - expected)
        assert np.median(off) < 2e-7
        assert np.mean(off > 2e-6) <= 0.005
