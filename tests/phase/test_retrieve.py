"""Phase retrieval against waves that Fresnel's integral takes through a known object."""

import math
from dataclasses import replace

import numpy as np
import pytest

from tomobatch.errors import UserError
from tomobatch.phase.blur import make_blur
from tomobatch.phase.retrieve import retrieve_phase
from tomobatch.phase.settings import PhaseSettings

KEV_UM = 12.398419843e-4
N_PX, FINER = 256, 4


def propagate(thickness_um, pixel_um, wavelength_um, distance_um, delta, beta):
    """Return the intensity behind an object, by Fresnel's integral; both on one fine grid."""
    wave = np.exp(-2 * np.pi / wavelength_um * (beta + 1j * delta) * thickness_um)
    fy, fx = (np.fft.fftfreq(n, pixel_um) for n in thickness_um.shape)
    phase = np.pi * wavelength_um * distance_um * (fx**2 + fy[:, np.newaxis] ** 2)
    return np.abs(np.fft.ifft2(np.fft.fft2(wave) * np.exp(-1j * phase))) ** 2


def binned(fine):
    return fine.reshape(N_PX, FINER, N_PX, FINER).mean((1, 3))


def spheres(seed, pixel_um):
    """Return the thickness of overlapping spheres, on the fine grid."""
    rng = np.random.default_rng(seed)
    x = (np.arange(N_PX * FINER) + 0.5) * pixel_um / FINER
    width_um = N_PX * pixel_um
    thickness = np.zeros((len(x), len(x)))
    for _ in range(25):
        radius = width_um * rng.uniform(0.02, 0.12)
        y0, x0 = rng.uniform(1.2 * radius, width_um - 1.2 * radius, 2)
        squared = radius**2 - (x - x0) ** 2 - (x[:, np.newaxis] - y0) ** 2
        thickness += 2 * np.sqrt(np.maximum(squared, 0))
    return thickness


def seen(material, density, energy_kev, pixel_um, distance_mm, seed=2):
    """Return thickness (um), line integrals as measured, the filter, and mu (1/um)."""
    import xraylib

    index = xraylib.Refractive_Index(material, energy_kev, density)
    wavelength_um = KEV_UM / energy_kev
    fine = spheres(seed, pixel_um)
    intensity = propagate(
        fine, pixel_um / FINER, wavelength_um, distance_mm * 1e3, 1 - index.real, index.imag
    )
    settings = PhaseSettings(
        method="paganin", material=material, density_g_cm3=density, distance_mm=distance_mm
    )
    blur = make_blur(settings, energy_kev=energy_kev, pixel_um=pixel_um, distance_mm=None)
    measured = -np.log(binned(intensity))[np.newaxis].astype(np.float32)
    return binned(fine), measured, blur, 4 * np.pi * index.imag / wavelength_um


def error(thickness, line_integrals, mu):
    """Return the rms error, as a share of the mean thickness where there is some."""
    found = line_integrals[0] / mu
    return math.sqrt(np.mean((found - thickness) ** 2)) / thickness[thickness > 0].mean()


@pytest.mark.parametrize(
    ("material", "density", "energy_kev", "pixel_um", "distance_mm", "most"),
    [
        ("C5H8O2", 1.18, 20, 1.0, 10, 0.015),
        ("C5H8O2", 1.18, 20, 1.0, 50, 0.015),
        ("SiO2", 2.2, 30, 1.0, 50, 0.015),
        ("Al", 2.7, 40, 2.0, 100, 0.015),
        ("H2O", 1.0, 25, 6.0, 1000, 0.025),
    ],
)
@pytest.mark.parametrize("method", ["paganin", "generalised"])
def test_the_thickness_of_a_known_object_comes_back(
    material, density, energy_kev, pixel_um, distance_mm, most, method
):
    thickness, measured, blur, mu = seen(material, density, energy_kev, pixel_um, distance_mm)
    assert blur.fresnel_number >= 0.3
    assert blur.warning is None
    assert error(thickness, measured, mu) > 1, "there is nothing to be retrieved"
    retrieve_phase(measured, replace(blur, method=method))
    assert error(thickness, measured, mu) < most


@pytest.mark.parametrize("shape", [(64, 80), (37, 53)])
def test_it_is_the_filter_of_the_paper_on_a_mirrored_picture(shape):
    """In doubles, by Fourier transforms, in metres: ``1 + pi lambda D (delta/beta) f^2``."""
    energy_kev, pixel_m, distance_m, ratio = 20.0, 1e-6, 0.01, 1000.0
    settings = PhaseSettings(method="paganin", delta_beta=ratio, distance_mm=1e3 * distance_m)
    blur = make_blur(settings, energy_kev=energy_kev, pixel_um=1e6 * pixel_m, distance_mm=None)
    transmission = np.random.default_rng(0).uniform(0.2, 1, shape)
    mirrored = np.pad(transmission, [(0, n) for n in shape], mode="symmetric")
    fy, fx = (np.fft.fftfreq(n, pixel_m) for n in mirrored.shape)
    wavelength_m = 1e-6 * KEV_UM / energy_kev
    filtered = 1 + np.pi * wavelength_m * distance_m * ratio * (fy[:, None] ** 2 + fx**2)
    expected = -np.log(np.fft.ifft2(np.fft.fft2(mirrored) / filtered).real)
    found = -np.log(transmission)[np.newaxis].astype(np.float32)
    retrieve_phase(found, blur)
    np.testing.assert_allclose(found[0], expected[: shape[0], : shape[1]], atol=1e-5)


def test_far_from_the_sample_it_warns():
    thickness, measured, blur, mu = seen("C5H8O2", 1.18, 20, 1.0, 200)
    assert "a Fresnel number of 0.081, below 0.2" in blur.warning
    retrieve_phase(measured, blur)
    assert error(thickness, measured, mu) > 0.025


def test_projections_are_filtered_each_for_itself():
    _, measured, blur, _ = seen("SiO2", 2.2, 30, 1.0, 50)
    stack = np.concatenate([measured, np.zeros_like(measured), measured[:, ::-1]])
    retrieve_phase(stack, blur)
    retrieve_phase(measured, blur)
    np.testing.assert_array_equal(stack[0], measured[0])
    assert np.abs(stack[1]).max() < 1e-6
    np.testing.assert_allclose(stack[2], measured[0, ::-1], atol=1e-5)


def test_a_uniform_frame_is_left_as_it_is_to_its_edges():
    _, _, blur, _ = seen("SiO2", 2.2, 30, 1.0, 50)
    frames = np.full((2, 37, 53), 1.25, np.float32)
    retrieve_phase(frames, blur)
    np.testing.assert_allclose(frames, 1.25, rtol=1e-5)


def test_an_unsharp_mask_steepens_an_edge():
    _, _, blur, _ = seen("SiO2", 2.2, 30, 1.0, 50)
    edge = np.zeros((1, 64, 64), np.float32)
    edge[:, :, 32:] = 1
    masked = edge.copy()
    retrieve_phase(edge, blur)
    retrieve_phase(masked, replace(blur, unsharp_px=10.0, unsharp_strength=1.0))
    assert np.diff(masked[0, 32]).max() > 1.2 * np.diff(edge[0, 32]).max()
    assert masked[0, 32, 20:44].mean() == pytest.approx(edge[0, 32, 20:44].mean(), abs=0.02)


def test_delta_over_beta_counts_all_that_attenuates():
    """The figure that nabu's own test holds for quartz glass; scattering is part of beta."""
    given = {"material": "SiO2", "density_g_cm3": 2.2, "distance_mm": 100}
    by_formula = PhaseSettings(method="paganin", **given)
    by_ratio = PhaseSettings(method="paganin", delta_beta=840.76, distance_mm=100)
    one, other = (
        make_blur(settings, energy_kev=31, pixel_um=1.0, distance_mm=None)
        for settings in (by_formula, by_ratio)
    )
    assert one.length_px == pytest.approx(other.length_px, rel=1e-3)


def test_the_figures_of_the_filter():
    settings = PhaseSettings(method="paganin", delta_beta=1987, distance_mm=None)
    blur = make_blur(settings, energy_kev=20, pixel_um=1.0, distance_mm=10)
    wavelength_um = KEV_UM / 20
    assert blur.length_px == pytest.approx(math.sqrt(wavelength_um * 1e4 * 1987 / 4 / math.pi))
    assert blur.fresnel_number == pytest.approx(1 / (wavelength_um * 1e4))
    nearer = make_blur(settings, energy_kev=20, pixel_um=1.0, distance_mm=20, magnification=2.0)
    assert nearer == blur


@pytest.mark.parametrize(
    ("given", "known", "said"),
    [
        ({}, {"energy_kev": None}, "the energy of the photons; set datasets.energy_kev"),
        ({}, {"pixel_um": None}, "the size of a pixel; set datasets.pixel_size_um"),
        ({}, {"distance_mm": None}, "distance from sample to detector; set phase.distance_mm"),
        ({}, {"distance_mm": 0.0}, "distance from sample to detector; set phase.distance_mm"),
        ({}, {"distance_mm": math.nan}, "distance from sample to detector; set phase.distance_mm"),
        (
            {"delta_beta": None, "material": "Xq9", "density_g_cm3": 1},
            {},
            "phase.material: 'Xq9' at 20 keV",
        ),
    ],
)
def test_what_is_missing_is_said(given, known, said):
    settings = PhaseSettings(**{"method": "paganin", "delta_beta": 100, **given})
    with pytest.raises(UserError) as error:
        make_blur(settings, **{"energy_kev": 20, "pixel_um": 1, "distance_mm": 10, **known})
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "give delta_beta, or material"),
        ({"delta_beta": 3, "material": "Al", "density_g_cm3": 2.7}, "give delta_beta, or material"),
        ({"material": "Al"}, "give density_g_cm3"),
    ],
)
def test_one_ratio_is_given(given, said):
    with pytest.raises(ValueError, match=said):
        PhaseSettings(method="paganin", **given)
