"""Gridding in Fourier space against exact interpolation in float64, for any geometry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reconstruct.exact_rows import fbp_exact
from tests.reconstruct.gridding_error import largest_error

from tomobatch.errors import UserError
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct.fourier import STANDARD, FourierEngine
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.gridding import Spreading

FINE = Spreading(width=8, oversampling=2.0, degree=12)

# Of the largest value in a slice of white noise, the hardest input: every frequency counts.
# What the kernels promise (see the decision on accuracy), and float32 positions in the grid.
TOLERANCE = {STANDARD: 1e-2, FINE: 2e-5}


def half_turn(n: int) -> np.ndarray:
    return np.arange(n) * np.pi / n


def noise(n_rows: int, n_angles: int, n_cols: int) -> np.ndarray:
    rng = np.random.default_rng([n_rows, n_angles, n_cols])
    return rng.normal(size=(n_rows, n_angles, n_cols)).astype(np.float32)


def reconstruct(sinograms, geometry, cors, spreading=STANDARD, lanes=16, **options) -> np.ndarray:
    engine = FourierEngine(find_device("cpu"), geometry, lanes, spreading=spreading, **options)
    out = np.full((len(sinograms), *geometry.shape_px), np.nan, dtype=np.float32)
    engine(sinograms, np.broadcast_to(cors, len(sinograms)).astype(float), out)
    return out


def assert_exact(
    sinograms,
    angles,
    cors,
    spreading,
    lanes=16,
    filter="ramp",
    padding="edge",
    shared=None,
    **shape,
):
    geometry = make_geometry(angles, sinograms.shape[2], cor_px=cors, **shape)
    found = reconstruct(
        sinograms, geometry, cors, spreading, lanes, filter=filter, padding=padding, shared=shared
    )
    rows = zip(sinograms, np.broadcast_to(cors, len(sinograms)), strict=True)
    expected = np.array(
        [fbp_exact(s, geometry, c, filter=filter, padding=padding) for s, c in rows]
    )
    largest = TOLERANCE[spreading] * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=largest)


@pytest.mark.parametrize("spreading", [STANDARD, FINE])
@pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16])
def test_any_number_of_lanes(lanes, spreading) -> None:
    for n_rows in {1, lanes - 1, lanes} - {0}:
        assert_exact(noise(n_rows, 12, 21), half_turn(12), 9.7, spreading, lanes)


def assert_within_its_error(sinograms, angles, cors, spreading, filter, padding, **shape) -> None:
    """Hold every pixel against what gridding may err there, however few the samples."""
    geometry = make_geometry(angles, sinograms.shape[2], cor_px=cors, **shape)
    found = reconstruct(
        sinograms, geometry, cors, spreading, lanes=4, filter=filter, padding=padding
    )
    for one, sinogram, cor in zip(found, sinograms, cors, strict=True):
        expected = fbp_exact(sinogram, geometry, cor, filter=filter, padding=padding)
        most = largest_error(sinogram, geometry, cor, spreading, filter, padding)
        assert (np.abs(one - expected) <= most).all()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_geometry(data) -> None:
    n_cols = data.draw(st.integers(2, 40), "columns")
    n_angles = data.draw(st.integers(1, 20), "angles")
    n_rows = data.draw(st.integers(1, 4), "rows")
    size = data.draw(st.integers(1, 50), "size")
    x0, y0 = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    nx, ny = data.draw(st.integers(1, size - x0)), data.draw(st.integers(1, size - y0))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "seed"))
    assert_within_its_error(
        noise(n_rows, n_angles, n_cols),
        random.uniform(-np.pi, 2 * np.pi, n_angles),
        random.uniform(0, n_cols - 1, n_rows),
        data.draw(st.sampled_from([STANDARD, FINE]), "spreading"),
        size_px=size,
        roi=(x0, y0, nx, ny),
        binning=data.draw(st.integers(1, min(nx, ny, 4)), "binning"),
        mask=data.draw(st.sampled_from([True, False, 3.5, 100.0]), "mask"),
        padding=data.draw(st.sampled_from(["edge", "zero"]), "padding"),
        filter=data.draw(st.sampled_from(["ramp", "hann", "shepp-logan"]), "filter"),
    )


def test_a_single_short_projection_across_a_wide_slice() -> None:
    """All samples err alike at the slice's edge: 1.3 % of the largest value, and no more."""
    random = np.random.default_rng(142)
    assert_within_its_error(
        noise(1, 1, 2),
        random.uniform(-np.pi, 2 * np.pi, 1),
        random.uniform(0, 1, 1),
        STANDARD,
        size_px=16,
        roi=(0, 0, 6, 16),
        padding="edge",
        filter="ramp",
    )


@pytest.mark.parametrize("lanes", [1, 4, 16])
def test_work_items_that_share_a_tile(lanes) -> None:
    """The kernel of GPUs, on whatever device there is, for a grid of several tiles."""
    angles = np.random.default_rng(lanes).uniform(-np.pi, np.pi, 15)
    sinograms = noise(lanes, 15, 30)
    assert_exact(sinograms, angles, 14.2, FINE, lanes, mask=False, shared=True)


@settings(max_examples=10, deadline=None)
@given(st.integers(8, 40), st.floats(0, 1), st.integers(16, 40))
def test_half_acquisition(n_cols, place, n_angles) -> None:
    angles = np.arange(n_angles) * 2 * np.pi / n_angles
    cors = np.full(2, place * (n_cols - 1))
    assert_exact(noise(2, n_angles, n_cols), angles, cors, FINE, lanes=2, half_acquisition=True)


def test_lines_along_the_axes() -> None:
    """Angles whose cosine or sine is 0: lines that run between two rows of tiles."""
    angles = np.array([0.0, np.pi / 2, np.pi, -np.pi / 2, np.pi / 4])
    assert_exact(noise(2, 5, 40), angles, 19.5, FINE, lanes=2, mask=False)


def test_a_value_that_is_not_finite_is_named() -> None:
    sinograms = noise(3, 12, 21)
    sinograms[1, 7, 3] = np.nan
    with pytest.raises(UserError, match="row 1, projection 7"):
        reconstruct(sinograms, make_geometry(half_turn(12), 21), 10.0)


def test_a_tenth_of_a_pixel_is_seen() -> None:
    """The comparison can fail."""
    with pytest.raises(AssertionError):
        geometry = make_geometry(half_turn(12), 21)
        found = reconstruct(noise(1, 12, 21), geometry, 10.1, FINE)
        expected = fbp_exact(noise(1, 12, 21)[0], geometry, 10.0)
        assert found[0] == pytest.approx(expected, abs=TOLERANCE[FINE] * np.abs(expected).max())
