from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomobatch.chunks import ChunkGrid, size_for_budget

counts = st.integers(1, 10_000)


@given(counts, counts)
def test_chunks_cover_every_item_once_in_order_and_none_is_empty(n_items, size):
    ranges = list(ChunkGrid(n_items, size))
    assert ranges[0][0] == 0
    assert ranges[-1][1] == n_items
    assert all(start < stop for start, stop in ranges)
    assert all(before[1] == after[0] for before, after in pairwise(ranges))
    assert all(stop - start == size for start, stop in ranges[:-1])


def test_places_outside_the_grid_are_refused():
    grid = ChunkGrid(10, 4)
    for index in (-1, 3):
        with pytest.raises(IndexError):
            grid.range(index)
    for n_items, size in ((0, 1), (1, 0), (-1, 1)):
        with pytest.raises(ValueError, match="cannot chunk"):
            ChunkGrid(n_items, size)


@given(counts, st.floats(0.01, 1000), st.floats(0.01, 10_000), st.sampled_from([1, 2, 4, 8]))
def test_a_chunk_fits_the_budget_unless_one_item_does_not(n_items, item_mb, budget_mb, multiple_of):
    size = size_for_budget(n_items, item_mb, budget_mb, multiple_of)
    assert 1 <= size <= n_items
    assert size * item_mb <= budget_mb or size == 1
    assert size % multiple_of == 0 or size < multiple_of or size == n_items
