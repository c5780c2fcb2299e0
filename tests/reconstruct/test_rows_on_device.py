"""Rows that the device pads, transforms and filters are those of the host."""

import numpy as np
import pytest
from tests.reconstruct import numpy_transforms

from tomobatch.errors import UserError
from tomobatch.opencl.devices import find_device
from tomobatch.reconstruct import rows_on_device
from tomobatch.reconstruct.direct import DirectEngine
from tomobatch.reconstruct.fourier import FourierEngine
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.methods import METHODS

LANES = 4


@pytest.fixture(autouse=True)
def _transforms(monkeypatch) -> None:
    numpy_transforms.stand_in(monkeypatch)


def noise(n_rows: int, n_angles: int, n_cols: int) -> np.ndarray:
    random = np.random.default_rng([n_rows, n_angles, n_cols])
    return random.normal(size=(n_rows, n_angles, n_cols)).astype(np.float32)


def slices(engine, sinograms, turn_rad, padding, *, on_device, **shape) -> np.ndarray:
    n_rows, n_angles, n_cols = sinograms.shape
    cors = np.linspace(0.4, 0.6, n_rows) * (n_cols - 1)
    angles = np.arange(n_angles) * turn_rad / n_angles
    geometry = make_geometry(angles, n_cols, cor_px=cors, **shape)
    made = engine(find_device("cpu"), geometry, LANES, padding=padding, on_device=on_device)
    out = np.full((n_rows, *geometry.shape_px), np.nan, dtype=np.float32)
    made(sinograms, cors, out, 10)
    return out


@pytest.mark.parametrize("engine", [DirectEngine, FourierEngine])
@pytest.mark.parametrize("padding", ["edge", "zero"])
@pytest.mark.parametrize(
    ("n_rows", "n_angles", "n_cols", "turn_rad", "shape"),
    [
        (LANES, 17, 21, np.pi, {}),
        (3, 17, 21, np.pi, {"roi": (3, 0, 9, 20)}),
        (1, 5, 2, np.pi, {}),  # the margin of two columns goes around the ring
        (2, 8, 9, np.pi, {"size_px": 40, "mask": False}),
        (3, 40, 31, 2 * np.pi, {"half_acquisition": True}),
        (3, 20, 30, np.pi, {"binning": 2}),
    ],
)
def test_slices_are_those_of_the_host(engine, padding, n_rows, n_angles, n_cols, turn_rad, shape):
    """Float32 transforms in another order: a few parts in 10^7 of the largest."""
    sinograms = noise(n_rows, n_angles, n_cols)
    found, expected = (
        slices(engine, sinograms, turn_rad, padding, on_device=on_device, **shape)
        for on_device in (True, False)
    )
    assert found == pytest.approx(expected, abs=3e-6 * float(np.abs(expected).max()))


@pytest.mark.parametrize("engine", [DirectEngine, FourierEngine])
def test_parts_of_the_angles_give_the_same(engine, monkeypatch) -> None:
    """Three parts of seven angles for 17: the last one reaches back."""
    sinograms = noise(3, 17, 21)
    whole = slices(engine, sinograms, np.pi, "edge", on_device=True)
    monkeypatch.setattr(rows_on_device, "angles_a_part", lambda *_: 7)
    in_parts = slices(engine, sinograms, np.pi, "edge", on_device=True)
    assert np.array_equal(in_parts, whole)


@pytest.mark.parametrize("engine", [DirectEngine, FourierEngine])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named(engine, value) -> None:
    sinograms = noise(3, 12, 21)
    sinograms[1, 7, 20] = value
    sinograms[2, 3, 0] = value
    with pytest.raises(UserError, match="row 11, projection 7"):
        slices(engine, sinograms, np.pi, "zero", on_device=True)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_column_that_counts_nothing_is_looked_at_as_well(value) -> None:
    """In half acquisition the edge near the axis has the weight 0."""
    sinograms = noise(1, 40, 31)
    sinograms[0, 5, 0] = value
    cors, angles = np.array([3.0]), np.arange(40) * 2 * np.pi / 40
    geometry = make_geometry(angles, 31, cor_px=cors, half_acquisition=True)
    engine = DirectEngine(find_device("cpu"), geometry, 1, on_device=True)
    with pytest.raises(UserError, match="row 0, projection 5"):
        engine(sinograms, cors, np.empty((1, *geometry.shape_px), np.float32))


@pytest.mark.parametrize("method", METHODS)
def test_buffers_are_counted(method) -> None:
    """As many bytes more as sinograms, padded rows and spectra take, of one part."""
    geometry = make_geometry(np.arange(50) * np.pi / 50, 100)
    on_host, on_device = (
        METHODS[method].buffer_bytes(geometry, LANES, on_device=on_device)
        for on_device in (False, True)
    )
    assert on_device[: len(on_host)] == on_host
    rows = LANES * 50
    sinograms, padded, spectra = on_device[len(on_host) :][:3]
    assert sinograms == 4 * rows * 100
    assert padded >= 4 * rows * 200
    assert spectra == padded + 8 * rows
