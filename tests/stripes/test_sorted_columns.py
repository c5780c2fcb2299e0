import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tomobatch.stripes.sorted_columns import sort_columns, unsort_columns


@settings(deadline=None, max_examples=100)
@given(
    hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=80),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_sorts_any_finite_value_and_finds_the_way_back(columns):
    ranked, order = sort_columns(columns)
    assert np.array_equal(ranked, np.sort(columns, axis=1))
    assert np.array_equal(np.take_along_axis(columns, order, axis=1), ranked)
    assert np.array_equal(unsort_columns(ranked, order), columns)


def test_keeps_values_one_unit_in_the_last_place_apart():
    rng = np.random.default_rng(0)
    steps = rng.permutation(20_000).astype(np.int32)
    columns = (np.float32(1).view(np.int32) + steps).view(np.float32)[None]
    ranked, order = sort_columns(columns)
    assert np.array_equal(ranked[0], np.sort(columns[0]))
    assert np.array_equal(order[0], np.argsort(steps))
