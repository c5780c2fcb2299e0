"""Which slices a report shows to slide through."""

import numpy as np
import pytest
import zarr

from tomobatch.report.gather import stack


def volume(n_slices, side, value):
    values = np.arange(n_slices, dtype=np.float32)[:, None, None] + np.float32(value)
    return zarr.array(np.tile(values, (1, side, side)))


@pytest.mark.parametrize(
    ("shapes", "numbers", "value"),
    [
        # Small volumes are shown whole, at their finest level.
        ([(5, 40), (5, 20)], [0, 1, 2, 3, 4], 0),
        # Of large ones the coarsest level that fills the picture; a slice stands for two.
        ([(8, 900), (4, 450), (2, 225)], [1, 3, 5, 7], 100),
    ],
)
def test_slices_are_numbered_as_the_finest_level_numbers_them(shapes, numbers, value):
    levels = [volume(*shape, 100 * n) for n, shape in enumerate(shapes)]
    found = stack(levels)
    assert [number for number, _ in found] == numbers
    assert [float(image.mean()) for _, image in found] == [value + n for n in range(len(numbers))]


def test_of_many_slices_some_from_the_first_to_the_last():
    found = stack([volume(1000, 4, 0)])
    numbers = [number for number, _ in found]
    assert len(numbers) == 24
    assert (numbers[0], numbers[-1]) == (0, 999)
    assert set(np.diff(numbers)) <= {43, 44}
