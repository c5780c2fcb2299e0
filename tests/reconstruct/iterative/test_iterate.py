"""Iterations from few angles: how near to the truth, when they stop, that chunks do not show."""

import numpy as np
import pytest
from tests.reconstruct import shepp_logan

import tomobatch
from tomobatch.errors import UserError
from tomobatch.opencl.buffers import Shared
from tomobatch.opencl.devices import Device, find_device
from tomobatch.reconstruct.engine import Convergence
from tomobatch.reconstruct.geometry import make_geometry
from tomobatch.reconstruct.iterative.algebra import Algebra
from tomobatch.reconstruct.iterative.methods import ITERATIONS
from tomobatch.reconstruct.methods import METHODS, block_bytes, make_plan
from tomobatch.reconstruct.settings import ReconstructSettings
from tomobatch.reconstruct.timeline import Timeline

N_PX = 128
SIXTY = np.arange(60) * np.pi / 60
WEDGE = np.arange(60) * np.pi / 120
TRUTH, INSIDE = shepp_logan.picture(N_PX), shepp_logan.disk(N_PX, 0.98)


def measured(angles: np.ndarray, noise: float, **options: object) -> np.ndarray:
    """Return the exact sinogram with noise of a share of its highest value."""
    exact = shepp_logan.sinogram(N_PX, angles, **options)
    return exact + np.random.default_rng(0).normal(0, noise * exact.max(), exact.shape)


def rmse(image: np.ndarray, truth: np.ndarray = TRUTH, where: np.ndarray = INSIDE) -> float:
    return float(np.sqrt(np.mean((image - truth)[where] ** 2)))


@pytest.mark.parametrize(
    ("angles", "noise", "options", "most"),
    [
        (SIXTY, 0.01, {"method": "sirt", "non_negative": True}, 0.75),
        (SIXTY, 0.01, {"method": "cgls", "residual": "noise"}, 0.9),
        (SIXTY, 0.01, {"method": "tv", "non_negative": True}, 0.45),
        (SIXTY, 0.0, {"method": "tv", "non_negative": True}, 0.55),
        (WEDGE, 0.0, {"method": "sirt", "non_negative": True}, 0.85),
        (WEDGE, 0.01, {"method": "cgls"}, 0.9),
        (WEDGE, 0.01, {"method": "tv", "non_negative": True}, 0.75),
    ],
)
def test_few_angles_are_nearer_to_the_truth_than_fbp(angles, noise, options, most) -> None:
    """The share of FBP's error; asked for is 0.45 by TV, 60 angles and 1 % noise."""
    sinogram = measured(angles, noise)
    by_fbp = rmse(tomobatch.fbp(sinogram, angles)[0])
    assert rmse(tomobatch.iterate(sinogram, angles, **options).slices[0]) < most * by_fbp


@pytest.mark.parametrize("method", ITERATIONS)
def test_what_surrounds_the_slice_is_allowed_for(method) -> None:
    """The axis off the middle and between columns, a region, binning: the same slice."""
    options = {"method": method, "iterations": 15}
    centred = tomobatch.iterate(measured(SIXTY, 0), SIXTY, **options).slices[0]
    moved = measured(SIXTY, 0, n_cols=N_PX + 9, cor_px=66.3)
    off = tomobatch.iterate(moved, SIXTY, 66.3, size_px=N_PX, **options).slices[0]
    assert rmse(off) < 1.12 * rmse(centred)
    region = tomobatch.iterate(moved, SIXTY, 66.3, size_px=N_PX, roi=(20, 30, 40, 8), **options)
    assert (region.slices[0] == off[30:38, 20:60]).all()
    binned = tomobatch.iterate(moved, SIXTY, 66.3, size_px=N_PX, binning=2, **options).slices[0]
    half_px = N_PX // 2
    coarse = tomobatch.iterate(shepp_logan.sinogram(half_px, SIXTY), SIXTY, **options).slices[0]
    known = shepp_logan.picture(half_px), shepp_logan.disk(half_px)
    assert rmse(binned, *known) < 1.2 * rmse(coarse, *known)


def test_halves_of_a_full_turn_need_no_merging() -> None:
    angles = np.arange(120) * np.pi / 60
    rows = measured(angles, 0, n_cols=80, cor_px=14.2)
    half = tomobatch.iterate(rows, angles, 14.2, half_acquisition=True, size_px=N_PX).slices[0]
    whole = tomobatch.iterate(measured(SIXTY, 0), SIXTY).slices[0]
    assert rmse(half) < 1.2 * rmse(whole)


@pytest.mark.parametrize("residual", ["none", 0.15])
@pytest.mark.parametrize("method", ITERATIONS)
def test_chunks_do_not_show(method, residual) -> None:
    """Slices differ in noise, and each stops for itself; one alone comes out as among others."""
    exact = shepp_logan.sinogram(64, SIXTY)
    random = np.random.default_rng(0)
    rows = np.stack([random.normal(exact, noise) for noise in (0.1, 0.5, 1.0, 0.1, 0.3)])
    cors = 31.5 + np.array([0, 0.2, -0.3, 0, 1.7])
    options = {"method": method, "residual": residual, "iterations": 25}
    together = tomobatch.iterate(rows, SIXTY, cors, **options)
    counts = np.concatenate([block.n_iterations for block in together.convergence])
    assert (len(set(counts)) > 1) == (residual != "none")
    for row in range(5):
        alone = tomobatch.iterate(rows[row], SIXTY, cors[row : row + 1], **options)
        difference = np.abs(alone.slices[0] - together.slices[row]).max()
        assert difference <= 1e-6 * np.abs(together.slices[row]).max()
        assert alone.convergence[0].n_iterations == counts[row]


def test_blocks_that_end_out_of_order_are_told_in_the_order_of_their_rows() -> None:
    """As those of two engines side by side do."""
    timeline = Timeline([], "cgls")
    late, early = (Convergence(np.ones((1, 2)), np.array([n]), np.zeros(1)) for n in (5, 3))
    timeline.note(late, 16)
    timeline.note(early, 0)
    assert timeline.convergence == [early, late]


def test_the_residual_is_what_is_left_of_the_projections() -> None:
    sinogram = measured(SIXTY, 0.01)
    norms = {}
    for method in ITERATIONS:
        found = tomobatch.iterate(sinogram, SIXTY, method=method, iterations=12).convergence[0]
        assert found.residuals.shape == (1, 13)
        assert found.residuals[0, 0] == pytest.approx(1)
        assert found.n_iterations == [12]
        assert found.noise[0] == pytest.approx(
            0.01 * sinogram.max() * sinogram.size**0.5 / np.linalg.norm(sinogram), rel=0.25
        )  # the phantom's own curvature counts as well
        norms[method] = found.residuals[0]
    assert (np.diff(norms["sirt"]) < 0).all()
    assert (np.diff(norms["cgls"]) < 0).all()
    # Conjugate gradients leave less than others of as many projections.
    assert (norms["cgls"][2:] < norms["sirt"][2:]).all()


def test_a_start_from_fbp_is_ahead() -> None:
    sinogram = measured(SIXTY, 0)
    starts = {
        start: tomobatch.iterate(sinogram, SIXTY, iterations=3, start=start)
        for start in ("zero", "fbp")
    }
    residuals = {name: one.convergence[0].residuals[0] for name, one in starts.items()}
    assert residuals["fbp"][0] < 0.2
    assert rmse(starts["fbp"].slices[0]) < 0.5 * rmse(starts["zero"].slices[0])


def test_a_constraint_holds_from_any_start() -> None:
    sinogram = measured(SIXTY, 0.02)
    for method in ("sirt", "tv"):
        for start in ("zero", "fbp"):
            options = {"method": method, "iterations": 4, "start": start}
            free = tomobatch.iterate(sinogram, SIXTY, **options)
            kept = tomobatch.iterate(sinogram, SIXTY, non_negative=True, **options)
            assert free.slices.min() < 0
            assert kept.slices.min() == 0


def test_a_residual_out_of_reach_is_told() -> None:
    found = tomobatch.iterate(measured(SIXTY, 0.05), SIXTY, residual=1e-6, iterations=4)
    assert found.convergence[0].unreached == 1
    assert found.convergence[0].n_iterations == [4]


def test_an_empty_slice_stays_empty() -> None:
    for method in ITERATIONS:
        found = tomobatch.iterate(np.zeros((60, 32)), SIXTY, method=method, iterations=3)
        assert (found.slices == 0).all()
        assert np.isfinite(found.convergence[0].residuals).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "art"}, "method: .*'sirt'"),
        ({"method": "fourier"}, "method: 'fourier' does not iterate; sirt, cgls and tv do"),
        ({"iterations": 0}, "iterations: .*greater than or equal to 1"),
        ({"residual": 1.5}, "residual: .*less than 1"),
        ({"method": "cgls", "non_negative": True}, "cgls knows no constraint"),
    ],
)
def test_bad_options_get_one_line(options, message) -> None:
    with pytest.raises(UserError, match=message):
        tomobatch.iterate(np.zeros((60, 32)), SIXTY, **options)


@pytest.mark.cpu
@pytest.mark.parametrize("options", [{}, {"binning": 3}, {"roi": (5, 9, 11, 7)}])
@pytest.mark.parametrize("method", ITERATIONS)
def test_buffers_are_as_large_as_counted(method, options, monkeypatch) -> None:
    taken = []
    make = Shared.__init__

    def record(self, queue, shape) -> None:
        taken.append(4 * int(np.prod(shape)))
        make(self, queue, shape)

    monkeypatch.setattr(Shared, "__init__", record)
    geometry, chosen = make_geometry(SIXTY, 100, **options), ReconstructSettings(start="fbp")
    METHODS[method].make(find_device("cpu"), geometry, 8, chosen)
    counted = METHODS[method].buffer_bytes(geometry, 8, on_device=False)
    n_own = ITERATIONS[method].images_of(Algebra) + ITERATIONS[method].n_rays
    # Beside them come the slices, of the start as well, which are no buffers of the device's own.
    assert sum(taken) <= sum(counted[:n_own]) + sum(counted[n_own + 1 :])
    assert sorted(taken)[-n_own:] >= sorted(counted[:n_own])
    assert sum(taken) >= sum(counted[:n_own])


def test_blocks_shrink_to_the_memory_there_is(monkeypatch) -> None:
    geometry, device = make_geometry(SIXTY, 256), find_device("cpu")
    free = block_bytes("tv", geometry, 64) // 2
    monkeypatch.setattr(Device, "free_memory_bytes", lambda self: free)
    lanes = make_plan(device, geometry, 64, "tv").lanes
    assert lanes < 16
    assert sum(METHODS["tv"].buffer_bytes(geometry, lanes, on_device=False)) <= free
