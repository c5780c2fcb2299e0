"""Line integrals and volume of analytic solids, against sums over points."""

import numpy as np
import pytest

from tomobatch.phantom.project import line_integrals, phantom_volume
from tomobatch.phantom.solids import Shape, Solid, sphere
from tomobatch.phantom.specimen import bead_pack

N_ROWS, N_COLS, COR_PX = 21, 40, 18.3
SOLIDS = {
    "ellipsoid": Solid(Shape.ELLIPSOID, 2.5, -3.1, 1.2, 9.0, 5.0, 6.0, 0.4, 0.02),
    "cylinder": Solid(Shape.CYLINDER, -2.0, 1.5, -1.0, 7.0, 4.0, 5.3, 1.9, 0.03),
    "box": Solid(Shape.BOX, 1.0, 2.0, 0.4, 6.0, 3.5, 4.25, 2.5, 0.05),
}


def inside(solid: Solid, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    cosine, sine = np.cos(solid.angle_rad), np.sin(solid.angle_rad)
    dx, dy = x - solid.x_px, y - solid.y_px
    along = (dx * cosine + dy * sine) / solid.a_px
    aside = (dy * cosine - dx * sine) / solid.b_px
    height = (z - solid.z_px) / solid.c_px
    if solid.shape is Shape.BOX:
        return np.maximum(np.maximum(abs(along), abs(aside)), abs(height)) < 1
    if solid.shape is Shape.CYLINDER:
        return (along**2 + aside**2 < 1) & (abs(height) < 1)
    return along**2 + aside**2 + height**2 < 1


def march(solid: Solid, theta: float, row: int, column: int, tilt_deg: float) -> float:
    """Sum along the rays of one pixel in steps of 0.005 pixel, the pixel's rays as stated."""
    tilt = np.deg2rad(tilt_deg)
    along = np.arange(-30, 30, 0.005)
    total = 0.0
    for down in (row - 0.25, row + 0.25):
        for across in (column - 0.25, column + 0.25):
            right, below = across - COR_PX, down - (N_ROWS - 1) / 2
            u = right * np.cos(tilt) - below * np.sin(tilt)
            v = right * np.sin(tilt) + below * np.cos(tilt)
            x = u * np.cos(theta) - along * np.sin(theta)
            y = u * np.sin(theta) + along * np.cos(theta)
            total += inside(solid, x, y, np.full_like(x, v)).sum() * 0.005 / 4
    return total * solid.attenuation_per_px


@pytest.mark.parametrize("name", SOLIDS)
@pytest.mark.parametrize("theta", [0.0, 0.4, np.pi / 2, 2.9])
def test_line_integrals_equal_sums_along_rays(name: str, theta: float) -> None:
    solid = SOLIDS[name]
    found = line_integrals(
        [solid], theta, n_rows=N_ROWS, n_cols=N_COLS, cor_px=COR_PX, tilt_deg=3.0
    )
    pixels = [(row, column) for row in range(4, 18, 3) for column in range(6, 34, 4)]
    expected = [march(solid, theta, *pixel, tilt_deg=3.0) for pixel in pixels]
    assert max(expected) > 0.1
    # A sum in steps of 0.005 misses at most one step at either end of the chord.
    assert [found[pixel] for pixel in pixels] == pytest.approx(
        expected, abs=0.011 * solid.attenuation_per_px
    )


def test_samples_converge_to_the_mean_over_a_pixel() -> None:
    solids = list(SOLIDS.values())
    errors = []
    size = {"n_rows": N_ROWS, "n_cols": N_COLS, "cor_px": COR_PX}
    finest = line_integrals(solids, 0.3, **size, samples=32)
    for samples in (1, 2, 8):
        found = line_integrals(solids, 0.3, **size, samples=samples)
        errors.append(np.abs(found - finest).mean())
    assert errors[0] > 1.5 * errors[1] > 3 * errors[2]


def test_half_a_turn_mirrors_about_the_axis() -> None:
    size = {"n_rows": N_ROWS, "n_cols": N_COLS, "cor_px": (N_COLS - 1) / 2}
    solids = list(SOLIDS.values())
    first = line_integrals(solids, 0.7, **size)
    later = line_integrals(solids, 0.7 + np.pi, **size)
    assert first.max() > 0.3
    np.testing.assert_allclose(later, first[:, ::-1], atol=1e-12)


@pytest.mark.parametrize("tilt_deg", [-2.0, 0.0, 0.4])
def test_a_rod_on_the_axis_shows_the_axis_in_every_row(tilt_deg: float) -> None:
    rod = Solid(Shape.CYLINDER, 0.0, 0.0, 0.0, 5.0, 5.0, 100.0, 0.0, 1.0)
    found = line_integrals(
        [rod], 1.1, n_rows=N_ROWS, n_cols=N_COLS, cor_px=COR_PX, tilt_deg=tilt_deg, samples=8
    )
    middles = found @ np.arange(N_COLS) / found.sum(axis=1)
    from_middle = np.arange(N_ROWS) - (N_ROWS - 1) / 2
    expected = COR_PX + np.tan(np.deg2rad(tilt_deg)) * from_middle
    # What is left is the edge of the rod, sampled eight times a pixel.
    np.testing.assert_allclose(middles, expected, atol=0.01)


@pytest.mark.parametrize("name", SOLIDS)
def test_volume_holds_the_mass_of_the_solid(name: str) -> None:
    solid = SOLIDS[name]
    volume = phantom_volume([solid], N_COLS, N_ROWS, samples=6)
    product = solid.a_px * solid.b_px * solid.c_px
    shares = {Shape.ELLIPSOID: 4 / 3 * np.pi, Shape.CYLINDER: 2 * np.pi, Shape.BOX: 8.0}
    mass = shares[solid.shape] * product * solid.attenuation_per_px
    # Points a sixth of a pixel apart miss a surface by up to a twelfth, mostly evened out.
    assert volume.sum(dtype=np.float64) == pytest.approx(mass, rel=0.01)
    rows = slice(8, 12)
    np.testing.assert_array_equal(
        phantom_volume([solid], N_COLS, N_ROWS, rows, samples=6), volume[rows]
    )


def test_projections_and_volume_share_their_axes() -> None:
    """Plain filtered back-projection by the project's convention gives the volume's own slice."""
    n, n_angles, cor_px = 48, 96, 25.2
    solids = [
        sphere(9.0, -6.0, 0.0, 7.0, 0.02),
        Solid(Shape.BOX, -8.0, 5.0, 0.0, 6.0, 3.0, 4.0, 0.5, 0.03),
    ]
    thetas = np.linspace(0, np.pi, n_angles, endpoint=False)
    rows = np.stack(
        [line_integrals(solids, t, n_rows=1, n_cols=n, cor_px=cor_px, samples=4)[0] for t in thetas]
    )
    taps = np.arange(-n + 1, n)
    ramp = np.where(taps % 2 == 1, -1 / (np.pi * np.where(taps == 0, 1, taps)) ** 2, 0.0)
    ramp[taps == 0] = 0.25
    centred = np.arange(n) - (n - 1) / 2
    found = np.zeros((n, n))
    for theta, row in zip(thetas, rows, strict=True):
        filtered = np.convolve(row, ramp, mode="same" if n % 2 else "full")[n - 1 : 2 * n - 1]
        where = centred * np.cos(theta) + centred[:, None] * np.sin(theta) + cor_px
        found += np.interp(where, np.arange(n), filtered, 0, 0) * np.pi / n_angles
    expected = phantom_volume(solids, n, 1)[0]
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.97
    x, y = centred, centred[:, None]
    core = np.hypot(x - 9.0, y + 6.0) < 4.5
    assert found[core].mean() == pytest.approx(0.02, rel=0.02)


def test_bead_pack_keeps_its_large_sphere_uniform() -> None:
    n_cols, n_rows = 64, 32
    specimen = bead_pack(n_cols, n_rows, np.random.default_rng(5))
    volume = phantom_volume(specimen.solids, n_cols, n_rows)
    assert volume.min() >= -1e-6
    uniform = specimen.uniform
    z, y, x = np.ogrid[:n_rows, :n_cols, :n_cols]
    apart = np.sqrt(
        (z - (n_rows - 1) / 2 - uniform.z_px) ** 2
        + (y - (n_cols - 1) / 2 - uniform.y_px) ** 2
        + (x - (n_cols - 1) / 2 - uniform.x_px) ** 2
    )
    core = apart < uniform.radius_px - 1.5
    assert core.sum() > 2000
    np.testing.assert_allclose(volume[core], uniform.attenuation_per_px, rtol=1e-5)
    assert len(specimen.solids) > 100
