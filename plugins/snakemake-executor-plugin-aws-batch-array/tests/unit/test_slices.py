import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakemake_executor_plugin_aws_batch_array.slices import (
    balanced_slice,
    longest_slice,
    slice_holding,
)

counts = st.integers(0, 3000)
sizes = st.integers(1, 300)


@given(counts, sizes)
def test_slices_cover_every_item_once_and_in_order(n_items, n_slices):
    items = [item for i in range(n_slices) for item in balanced_slice(n_items, n_slices, i)]

    assert items == list(range(n_items))


@given(counts, sizes)
def test_lengths_differ_by_one_at_most(n_items, n_slices):
    lengths = {len(balanced_slice(n_items, n_slices, i)) for i in range(n_slices)}

    assert max(lengths) - min(lengths) <= 1
    assert max(lengths) == longest_slice(n_items, n_slices)


@given(st.integers(1, 3000), sizes, st.data())
def test_the_slice_holding_an_item_holds_it(n_items, n_slices, data):
    item = data.draw(st.integers(0, n_items - 1))

    assert item in balanced_slice(n_items, n_slices, slice_holding(n_items, n_slices, item))


@pytest.mark.parametrize(("n_items", "n_slices", "index"), [(-1, 1, 0), (5, 0, 0), (5, 2, 2)])
def test_impossible_slices_are_refused(n_items, n_slices, index):
    with pytest.raises(ValueError, match="slice"):
        balanced_slice(n_items, n_slices, index)


@pytest.mark.parametrize("item", [-1, 5])
def test_an_item_outside_is_in_no_slice(item):
    with pytest.raises(ValueError, match="outside"):
        slice_holding(5, 2, item)
