"""What a full turn is, in whatever order and over however many turns the angles come."""

import numpy as np
import pytest

from tomobatch.turn import angle_step, around, covers_full_turn, is_in_time, runs_of_one_angle


def degrees(start: float, stop: float, n: int) -> np.ndarray:
    return np.deg2rad(np.linspace(start, stop, n, endpoint=False))


@pytest.mark.parametrize(
    ("angles_rad", "is_full"),
    [
        (degrees(0, 360, 100), True),
        (degrees(0, 350, 100), True),
        (degrees(0, 320, 100), True),
        (degrees(0, 313, 100), False),
        (degrees(0, 180, 100), False),
        (degrees(-90, 90, 100), False),
        (degrees(0, 212, 100), False),
        (degrees(360, 0, 100), True),
        (np.mod(degrees(200, 380, 100), 2 * np.pi), False),
        (degrees(0, 1080, 600), True),
        (np.mod(np.arange(200) * 1.9416, np.pi), False),
        (np.mod(np.arange(200) * 2.4, 2 * np.pi), True),
        (np.concatenate([degrees(0, 120, 50), degrees(180, 300, 50)]), False),
    ],
)
def test_a_full_turn_has_no_wide_gap(angles_rad, is_full):
    assert covers_full_turn(angles_rad) == is_full


def test_one_turn_stays_as_it_is():
    angles = degrees(-90, 270, 100)
    order, ordered = around(angles)
    assert order is None
    assert ordered is angles
    order, ordered = around(angles[::-1])
    assert order == slice(None, None, -1)
    assert ordered.tolist() == angles.tolist()


def test_a_half_turn_written_around_the_circle_begins_after_its_gap():
    """200 to 380 degrees, written as 200..360 and 0..20."""
    angles = np.mod(degrees(200, 380, 90), 2 * np.pi)
    order, ordered = around(angles)
    assert order.tolist() == list(range(90))
    np.testing.assert_allclose(np.diff(ordered), np.deg2rad(2), atol=1e-12)


def test_turns_on_turns_are_folded_and_told_to_be_alike():
    order, ordered = around(degrees(0, 1080, 600))
    assert sorted(order) == list(range(600))
    assert (np.diff(ordered) > -1e-9).all()
    runs = runs_of_one_angle(ordered)
    assert len(runs) == 200
    assert angle_step(ordered) == pytest.approx(np.deg2rad(1.8))


def test_interlaced_turns_have_no_angle_twice():
    """Four turns of 20 angles, each begun a quarter of a step later."""
    turns = [2 * np.pi * (turn + turn / 80 + np.arange(20) / 20) for turn in range(4)]
    order, ordered = around(np.concatenate(turns))
    assert runs_of_one_angle(ordered) is None
    assert len(set(order)) == 80


def test_rounding_leaves_the_first_angle_the_first():
    """A third turn whose angles come out a rounding error below those of the first."""
    angles = np.concatenate([degrees(10, 200, 95), degrees(10, 200, 95) + 4 * np.pi])
    order, ordered = around(angles)
    assert set(order[:2]) == {0, 95}
    assert np.ptp(ordered) < np.pi * 1.06


@pytest.mark.parametrize(
    ("angles_deg", "expected"),
    [
        (np.arange(100) * 1.8, True),
        (-np.arange(100) * 1.8, True),
        (np.mod(200 + np.arange(100) * 1.8, 360), True),
        (np.mod(20 - np.arange(100) * 1.8, 360), True),
        (np.mod(np.arange(100) * 111.24611797, 180), False),
        (np.arange(300) * 3.6 * 1.003, False),  # three turns
    ],
)
def test_neighbours_in_angle_are_neighbours_in_time_or_not(angles_deg, expected):
    order, _ = around(np.deg2rad(angles_deg))
    assert is_in_time(order) is expected
