"""Rows moved by parts of a pixel, against what they are drawn from."""

import numpy as np
import pytest

from tomobatch.align.move import moved
from tomobatch.shifts import Shifts

RNG = np.random.default_rng(5)
SHAPE = (24, 7, 80)
X_PX = tuple(map(float, RNG.uniform(-4, 4, SHAPE[1])))
Y_PX = tuple(map(float, RNG.uniform(-3, 3, SHAPE[1])))


def blobs(x_px, y_px):
    """Return smooth blobs, every projection's at another place; float32 (row, angle, x)."""
    row, _, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    x_px, y_px = (np.reshape(values, (1, -1, 1)) for values in (x_px, y_px))
    square = ((x - 41.3 - x_px) / 4) ** 2 + ((row - 11.2 - y_px) / 2.5) ** 2
    return np.exp(-square / 2).astype(np.float32)


def test_blobs_come_back_to_their_place():
    still = blobs(np.zeros(SHAPE[1]), np.zeros(SHAPE[1]))
    back = moved(blobs(X_PX, Y_PX), Shifts(X_PX, Y_PX, "drawn"), slice(None))
    np.testing.assert_allclose(back[6:18], still[6:18], atol=5e-3)


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (8, 12), (19, 24)])
def test_chunks_do_not_show(start, stop):
    rows = RNG.normal(size=SHAPE).astype(np.float32)
    shifts = Shifts(X_PX, Y_PX, "drawn")
    whole = moved(rows, shifts, slice(None))
    first, last = max(start - shifts.halo_rows, 0), min(stop + shifts.halo_rows, SHAPE[0])
    part = moved(rows[first:last], shifts, slice(start - first, stop - first))
    np.testing.assert_array_equal(part, whole[start:stop])


def test_whole_pixels_are_copied():
    rows = RNG.normal(size=SHAPE).astype(np.float32)
    back = moved(rows, Shifts((0.0,) * SHAPE[1], (2.0,) * SHAPE[1], "drawn"), slice(None))
    np.testing.assert_allclose(back[:-2], rows[2:], atol=1e-6)
    np.testing.assert_allclose(back[-1], rows[-1], atol=1e-6)


def test_level_ground_stays_level_to_its_edges():
    rows = np.full(SHAPE, 1.5, np.float32)
    np.testing.assert_allclose(
        moved(rows, Shifts(X_PX, Y_PX, "drawn"), slice(None)), 1.5, rtol=1e-6
    )
