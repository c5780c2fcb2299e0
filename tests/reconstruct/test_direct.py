"""Back-projection in OpenCL against plain float64 numpy, for any geometry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.reconstruct import shepp_logan

from tomobatch.errors import UserError
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.slices import fbp
from tomobatch.reconstruct.twin import fbp_twin

# float32 transforms and sums of some tens of angles: a few 1e-6 of the largest value of a slice.
TOLERANCE = 1e-5


def half_turn(n: int) -> np.ndarray:
    return np.arange(n) * np.pi / n


def direct(*arguments, **options) -> np.ndarray:
    return fbp(*arguments, method="direct", **options)


def noise(n_rows: int, n_angles: int, n_cols: int) -> np.ndarray:
    """White noise: every column, row and angle counts, and no two lanes are alike."""
    rng = np.random.default_rng([n_rows, n_angles, n_cols])
    return rng.normal(size=(n_rows, n_angles, n_cols)).astype(np.float32)


def assert_like_reference(sinograms, angles, cors, **options) -> None:
    found = direct(sinograms, angles, cors, **options)
    filter_options = {name: options.pop(name) for name in ("filter", "padding") if name in options}
    geometry = make_geometry(angles, sinograms.shape[2], cor_px=cors, **options)
    rows = zip(sinograms, np.broadcast_to(cors, len(sinograms)), strict=True)
    expected = np.array([fbp_twin(s, geometry, c, **filter_options) for s, c in rows])
    assert found.dtype == np.float32
    # A region may lie where the filter leaves little of the rows: their rounding remains.
    scale = np.abs(expected).max() + 0.1 * np.abs(sinograms).max()
    assert found == pytest.approx(expected, abs=TOLERANCE * scale)


@pytest.mark.parametrize("n_rows", [1, 2, 15, 16, 17, 33])
def test_any_number_of_slices(n_rows) -> None:
    assert_like_reference(noise(n_rows, 12, 21), half_turn(12), 10.0)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_geometry(data) -> None:
    n_cols = data.draw(st.integers(2, 40), "columns")
    n_angles = data.draw(st.integers(1, 20), "angles")
    n_rows = data.draw(st.integers(1, 4), "rows")
    size = data.draw(st.integers(1, 50), "size")
    x0, y0 = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    nx, ny = data.draw(st.integers(1, size - x0)), data.draw(st.integers(1, size - y0))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), "seed"))
    assert_like_reference(
        noise(n_rows, n_angles, n_cols),
        random.uniform(-np.pi, 2 * np.pi, n_angles),
        random.uniform(0, n_cols - 1, n_rows),
        size_px=size,
        roi=(x0, y0, nx, ny),
        binning=data.draw(st.integers(1, min(nx, ny, 4)), "binning"),
        mask=data.draw(st.sampled_from([True, False, 3.5, 100.0]), "mask"),
        padding=data.draw(st.sampled_from(["edge", "zero"]), "padding"),
        filter=data.draw(st.sampled_from(["ramp", "hann", "shepp-logan"]), "filter"),
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(8, 40), st.floats(0, 1), st.integers(16, 40))
def test_half_acquisition(n_cols, place, n_angles) -> None:
    """The axis anywhere on the detector, from one edge to the other."""
    angles = np.arange(n_angles) * 2 * np.pi / n_angles
    cors = np.full(2, place * (n_cols - 1))
    assert_like_reference(noise(2, n_angles, n_cols), angles, cors, half_acquisition=True)


def test_wrong_geometry_does_not_pass() -> None:
    """The comparison can fail: a tenth of a pixel is seen."""
    sinograms, angles = noise(2, 12, 21), half_turn(12)
    expected = fbp_twin(sinograms[0], make_geometry(angles, 21), 10.1)
    found = direct(sinograms, angles, 10.0)[0]
    assert np.abs(found - expected).max() > 1000 * TOLERANCE * np.abs(expected).max()


@pytest.mark.parametrize(
    ("filter", "offsets_px", "tolerance"),
    [
        ("ramp", [-20, 20], 1e-6),
        # Between the columns the ramp lets through what the detector aliases: damped by a window.
        ("hann", [-20, -7.3, 11.9, 20], 0.0025),
    ],
)
def test_tilted_axis_gives_the_same_slice_in_every_row(filter, offsets_px, tolerance) -> None:
    """Rows whose axis lies up to 20 px to either side: the same slice, rms of a range of 1."""
    angles, n_px, n_cols = half_turn(200), 128, 190
    cors = (n_cols - 1) / 2 + np.array([0, *offsets_px])
    sinograms = [shepp_logan.sinogram(n_px, angles, n_cols=n_cols, cor_px=c) for c in cors]
    slices = direct(np.array(sinograms), angles, cors, filter=filter)
    assert np.sqrt(np.mean((slices[1:] - slices[0]) ** 2, axis=(1, 2))).max() <= tolerance


def test_half_acquisition_equals_a_detector_twice_as_wide() -> None:
    angles = np.arange(400) * 2 * np.pi / 400
    wide = shepp_logan.sinogram(128, angles, n_cols=129, cor_px=64)
    truth = direct(wide[:200], angles[:200], 64.0)[0]
    for start, stop in ((50, 129), (0, 79)):
        narrow = wide[:, start:stop]
        found = direct(narrow, angles, 64.0 - start, half_acquisition=True)[0]
        assert found.shape == (129, 129)
        # The step between the halves is sampled, and every ray is met twice half a column apart.
        assert np.sqrt(np.mean((found - truth) ** 2)) <= 0.01


def test_order_of_the_angles_does_not_matter() -> None:
    sinograms, angles = noise(1, 30, 32), half_turn(30)
    order = np.random.default_rng(1).permutation(30)
    in_order, shuffled = direct(sinograms, angles), direct(sinograms[:, order], angles[order])
    assert shuffled == pytest.approx(in_order, abs=TOLERANCE)


def test_binned_slice_is_the_mean_of_its_pixels() -> None:
    """Up to the linear interpolation of whole pixels, on a slice smoothed to make little of it."""
    angles = half_turn(100)
    sinogram = shepp_logan.sinogram(96, angles)[None]
    whole = direct(sinogram, angles, mask=False, filter="hann")[0]
    binned = direct(sinogram, angles, mask=False, filter="hann", binning=4)[0]
    difference = binned - whole.reshape(24, 4, 24, 4).mean((1, 3))
    assert np.sqrt(np.mean(difference**2)) <= 0.002


@pytest.mark.parametrize("method", ["auto", "direct", "fourier"])
def test_slices_do_not_depend_on_their_block(method) -> None:
    sinograms, angles = noise(35, 20, 33), half_turn(20)
    cors = np.linspace(14, 18, 35)
    whole = fbp(sinograms, angles, cors, method=method)
    for step in (1, 7, 32):
        parts = [
            fbp(sinograms[i : i + step], angles, cors[i : i + step], method=method)
            for i in range(0, 35, step)
        ]
        assert np.concatenate(parts) == pytest.approx(whole, abs=1e-6 * float(np.ptp(whole)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused(bad) -> None:
    sinograms = noise(35, 6, 9)
    sinograms[33, 4, 8] = bad
    with pytest.raises(UserError, match="row 33, projection 4"):
        fbp(sinograms, half_turn(6))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"cor_px": 9.1}, "outside the detector, 0 to 8"),
        ({"cor_px": [4.0, -0.1]}, r"cor_px: -0.1 \(row 1\)"),
        ({"cor_px": [4.0, np.nan]}, "row 1"),
        ({"cor_px": [4.0, 4.0, 4.0]}, "3 values for 2 sinograms"),
        ({"angles_rad": half_turn(5)}, "5 angles for 6 projections"),
        ({"filter": "ram-lak"}, "filter: 'ram-lak'"),
        ({"padding": "mirror"}, "padding: 'mirror'"),
        ({"method": "gridrec"}, "method: 'gridrec'"),
        ({"device": "tpu"}, "device: 'tpu'"),
        ({"sinograms": np.zeros(4)}, "shape"),
        ({"sinograms": np.zeros((0, 6, 9))}, "shape"),
    ],
)
def test_mistakes_are_refused(arguments, text) -> None:
    good = {"sinograms": noise(2, 6, 9), "angles_rad": half_turn(6)}
    with pytest.raises(UserError, match=text):
        fbp(**{**good, **arguments})
