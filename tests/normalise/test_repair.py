import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tomobatch.normalise.repair import plan_repair


@settings(deadline=None, max_examples=100)
@given(
    bad=hnp.arrays(bool, hnp.array_shapes(min_dims=2, max_dims=2, max_side=25)),
    good=st.integers(0, 10**6),
)
def test_every_bad_pixel_is_replaced_by_good_ones_only(bad, good):
    bad.flat[good % bad.size] = False
    plan = plan_repair(bad)
    assert np.array_equal(plan.pixels, np.flatnonzero(bad))
    assert not bad.flat[plan.neighbours].any()
    assert np.allclose(plan.weights.sum(axis=1), 1, atol=1e-6)
    assert (plan.weights >= 0).all()


def test_a_single_pixel_is_bridged_by_the_ones_around_it():
    y, x = np.mgrid[:9, :9]
    slope = 3.0 * x - 2.0 * y
    bad = np.zeros((9, 9), bool)
    bad[4, 4] = True
    plan = plan_repair(bad)
    assert np.isclose((slope.flat[plan.neighbours[0]] * plan.weights[0]).sum(), slope[4, 4])


def test_inside_a_large_hole_the_nearest_good_pixel_stands_in():
    bad = np.zeros((30, 30), bool)
    bad[5:25, 5:25] = True
    plan = plan_repair(bad)
    middle = np.searchsorted(plan.pixels, 14 * 30 + 14)
    assert plan.weights[middle].tolist() == [1] + [0] * 7
    # (14, 14) is ten rows below the good row 4 and ten columns right of the good column 4.
    assert plan.neighbours[middle, 0] in (4 * 30 + 14, 14 * 30 + 4)


def test_shares_fall_with_the_square_of_the_distance():
    bad = np.zeros((9, 9), bool)
    bad[4, 4] = True
    plan = plan_repair(bad)
    places = np.stack(np.unravel_index(plan.neighbours[0], bad.shape), axis=1)
    squares = ((places - 4) ** 2).sum(axis=1)
    assert sorted(squares) == [1] * 4 + [2] * 4
    np.testing.assert_allclose(plan.weights[0] * squares, 1 / 6, rtol=1e-6)
