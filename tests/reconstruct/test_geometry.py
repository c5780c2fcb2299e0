"""Weights from angular gaps, sizes, regions, and the mistakes that are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tomobatch.errors import UserError
from tomobatch.reconstruct.geometry import angle_weights, make_geometry

STEPS = st.lists(st.floats(0.02, 0.1), min_size=8, max_size=60)


@pytest.mark.parametrize("n", [1, 2, 7, 180])
def test_uniform_half_turn_weighs_all_angles_alike(n: int) -> None:
    assert angle_weights(np.arange(n) * np.pi / n) == pytest.approx(np.full(n, np.pi / n))


def test_end_point_taken_twice_shares_its_weight() -> None:
    weights = angle_weights(np.linspace(0, np.pi, 181))
    assert weights[[0, -1]] == pytest.approx(np.full(2, np.pi / 360))
    assert weights[1:-1] == pytest.approx(np.full(179, np.pi / 180))


@pytest.mark.parametrize("n", [90, 91])
def test_full_turn_counts_each_direction_once(n: int) -> None:
    weights = angle_weights(np.arange(n) * 2 * np.pi / n)
    assert weights == pytest.approx(np.full(n, np.pi / n))


def test_missing_angles_are_made_up_for_by_their_neighbours() -> None:
    angles = np.delete(np.arange(90) * np.pi / 90, [40, 41])
    weights = angle_weights(angles) / (np.pi / 90)
    assert weights[[39, 40]] == pytest.approx([2, 2])
    assert np.delete(weights, [39, 40]) == pytest.approx(np.ones(86))


def test_missing_wedge_is_not_given_to_its_two_sides() -> None:
    weights = angle_weights(np.deg2rad(np.arange(0, 150.0)))
    assert weights == pytest.approx(np.full(150, np.pi / 180))


@pytest.mark.parametrize("missing_deg", [30, 60, 120])
def test_wedges_of_any_width(missing_deg) -> None:
    weights = angle_weights(np.deg2rad(np.arange(0, 180.0 - missing_deg)))
    assert weights == pytest.approx(np.full(180 - missing_deg, np.pi / 180))


@pytest.mark.parametrize("turns", [2, 10])
def test_repeated_angles_that_nearly_coincide_share_their_weight(turns) -> None:
    """A motor comes back to a place within some thousandths of a step, from either side."""
    jitter = np.random.default_rng(0).normal(0, 1e-5, (turns, 90))
    angles = (np.arange(90) * np.pi / 90 + np.pi * np.arange(turns)[:, None] + jitter).ravel()
    weights = angle_weights(angles)
    assert weights.sum() == pytest.approx(np.pi)
    assert weights.reshape(turns, 90).sum(axis=0) == pytest.approx(np.pi / 90, rel=0.01)


@given(STEPS, st.randoms(use_true_random=False), st.floats(-7, 7))
def test_weights_follow_the_angles_in_any_order(steps, random, start) -> None:
    angles = start + np.cumsum(steps) * (np.pi / np.sum(steps))
    order = list(range(len(angles)))
    random.shuffle(order)
    weights = angle_weights(angles)
    assert weights.sum() == pytest.approx(np.pi)
    assert (weights > 0).all()
    assert angle_weights(angles[order]) == pytest.approx(weights[order])


def test_output_positions_are_measured_from_the_axis() -> None:
    geometry = make_geometry([0.0], 8, roi=(2, 4, 4, 2), binning=2)
    assert geometry.shape_px == (1, 2)
    assert geometry.x_px.tolist() == [-1.0, 1.0]
    assert geometry.y_px.tolist() == [1.0]


def test_half_acquisition_sees_nearly_twice_the_detector() -> None:
    turn = np.arange(64) * 2 * np.pi / 64
    geometry = make_geometry(turn, 100, half_acquisition=True, cor_px=[4.0, 5.0])
    assert geometry.size_px == 189
    assert geometry.angle_weights.sum() == pytest.approx(2 * np.pi)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"angles_rad": []}, "angles_rad"),
        ({"angles_rad": [0.0, np.nan]}, "angles_rad"),
        ({"n_cols": 1}, "1 detector columns"),
        ({"size_px": 0}, "size_px: 0"),
        ({"roi": (0, 0, 9, 8)}, r"roi_px: \[0, 0, 9, 8\] is not inside"),
        ({"roi": (-1, 0, 4, 4)}, "roi_px"),
        ({"roi": (0, 0, 0, 4)}, "roi_px"),
        ({"binning": 0}, "binning: 0"),
        ({"binning": 9}, "binning: 9"),
        ({"mask": -1.0}, "mask"),
        ({"mask": float("nan")}, "mask"),
        ({"half_acquisition": True}, "360 degrees"),
    ],
)
def test_mistakes_are_refused(arguments, text) -> None:
    good = {"angles_rad": [0.0, 1.0], "n_cols": 8}
    with pytest.raises(UserError, match=text):
        make_geometry(**{**good, **arguments})


def test_what_the_mask_hides_is_not_reached() -> None:
    corners = make_geometry([0.0], 100, mask=False).reach_px
    assert corners == pytest.approx(np.hypot(49.5, 49.5))
    assert make_geometry([0.0], 100).reach_px == 50
    assert make_geometry([0.0], 100, mask=20.0).reach_px == 20
