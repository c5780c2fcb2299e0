"""Hardening and scatter of a tube's beam, on a water cylinder with exact line integrals."""

import numpy as np
import pytest
from tests.tube.cylinders import (
    ANGLES,
    BEAM,
    N_PX,
    N_ROWS,
    RADIUS_CM,
    RADIUS_PX,
    SPEKPY_80_KV,
    TRUE,
    cupping_percent,
    measured,
)

from tomobatch.errors import UserError
from tomobatch.on_chunks.corrections import Corrections
from tomobatch.reconstruct.cone import fdk
from tomobatch.reconstruct.slices import fbp
from tomobatch.tube.curve import HIGHEST, make_straightening, straighten
from tomobatch.tube.settings import TubeSettings
from tomobatch.tube.spectrum import attenuation_per_cm, detected

BY_TUBE = TubeSettings(hardening="material", kv=80, filters_mm={"Al": 1})


def middle_slice(line_integrals, is_cone):
    if is_cone:
        return fdk(line_integrals, ANGLES, BEAM)[N_ROWS // 2]
    return fbp(line_integrals, ANGLES, (N_PX - 1) / 2, device="cpu")[0]


def straightened(line_integrals, settings):
    straight = line_integrals.copy()
    straighten(straight, make_straightening(settings))
    return straight


@pytest.fixture(scope="module", params=[False, True], ids=["parallel", "cone"])
def seen(request):
    return measured(request.param), request.param


@pytest.mark.parametrize("settings", [TRUE, BY_TUBE], ids=["spectrum", "kv"])
def test_a_water_cylinder_is_flat(seen, settings):
    line_integrals, is_cone = seen
    assert cupping_percent(middle_slice(line_integrals, is_cone)) > 4, "there is nothing to mend"
    image = middle_slice(straightened(line_integrals, settings), is_cone)
    assert abs(cupping_percent(image)) < 1


def test_an_aluminium_cylinder_is_flat_by_the_voltage():
    line_integrals = measured(False, material=("Al", 2.7), radius_cm=0.5)
    assert cupping_percent(middle_slice(line_integrals, False)) > 10, "there is nothing to mend"
    settings = BY_TUBE.model_copy(update={"material": "Al", "density_g_cm3": 2.7})
    image = middle_slice(straightened(line_integrals, settings), False)
    assert abs(cupping_percent(image)) < 1


def test_a_polynomial_fitted_to_the_cylinder_flattens_it(seen):
    line_integrals, is_cone = seen
    measured_at = np.linspace(0, 2, 50)
    truth = make_straightening(TRUE).at(measured_at)
    powers = np.stack([measured_at, measured_at**2, measured_at**3], axis=1)
    coefficients = tuple(map(float, np.linalg.lstsq(powers, truth, rcond=None)[0]))
    settings = TubeSettings(hardening="polynomial", coefficients=coefficients)
    image = middle_slice(straightened(line_integrals, settings), is_cone)
    assert abs(cupping_percent(image)) < 1


def test_grey_values_are_those_of_the_energy():
    """At 40 keV water attenuates 0.2683 /cm (NIST's tables); xraylib's is within 1 %."""
    settings = TRUE.model_copy(update={"energy_kev": 40.0})
    image = middle_slice(straightened(measured(False), settings), False)
    per_cm = image[60:68, 60:68].mean() * RADIUS_PX / RADIUS_CM
    assert per_cm == pytest.approx(0.2683, rel=0.01)


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_scattered_light_is_taken_off_before_the_beam_is_straightened(share):
    scattered = measured(False, scatter=share)
    plain = straightened(measured(False), TRUE)
    both = straightened(scattered, TRUE.model_copy(update={"scatter": share}))
    np.testing.assert_allclose(both, plain, atol=1e-4)
    assert abs(cupping_percent(middle_slice(straightened(scattered, TRUE), False))) > 1


def test_pixels_darker_than_the_scattered_light_are_counted():
    curve = make_straightening(TubeSettings(scatter=0.18))
    assert curve.darkest == pytest.approx(-np.log(0.2))
    transmission = np.array([[[1.0, 0.21, 0.19]], [[0.5, 0.05, 0.01]]])
    assert straighten(-np.log(transmission).astype(np.float32), curve).tolist() == [1, 2]
    assert straighten(np.full((1, 1, 3), 9, np.float32), make_straightening(TRUE)).tolist() == [0]


def test_a_straightened_line_integral_is_finite_and_rises():
    line_integrals = np.linspace(-1, 14, 3001, dtype=np.float32)
    for settings in (TRUE, BY_TUBE, TubeSettings(scatter=0.3), TubeSettings(scatter=1e-6)):
        straight = make_straightening(settings).at(line_integrals)
        assert np.isfinite(straight).all()
        assert (np.diff(straight) > 0).all()
    assert make_straightening(TRUE).at(np.zeros(1, np.float32)) == 0


def test_one_energy_hardens_nothing():
    curve = make_straightening(TubeSettings(hardening="material", spectrum=((60.0, 1.0),)))
    values = np.array([-0.1, 0.0, 0.7, 5.0, HIGHEST, 12.0], np.float32)
    np.testing.assert_allclose(curve.at(values), values, atol=1e-5)


def test_a_polynomial_is_evaluated_as_far_as_it_rises():
    settings = TubeSettings(hardening="polynomial", coefficients=(1.0, 0.0, -0.01))
    curve = make_straightening(settings)
    top = np.sqrt(1 / 0.03)
    assert curve.at(np.array([2.0], np.float32)) == pytest.approx(2 - 0.08, abs=1e-4)
    assert curve.at(np.array([9.0], np.float32)) == pytest.approx(top - 0.01 * top**3, abs=1e-4)
    assert "falls beyond a line integral of 5.78" in curve.warning
    with pytest.raises(UserError, match=r"falls beyond a line integral of 1.* should rise"):
        make_straightening(TubeSettings(hardening="polynomial", coefficients=(1.0, -0.5)))


def test_the_spectrum_of_a_tube_is_near_that_of_spekpy():
    energies, signal = detected(BY_TUBE)
    # Without lines the model misses mean energies by up to 3 %: its constant serves flatness.
    assert energies @ signal == pytest.approx(np.dot(*detected(TRUE)), rel=0.02)
    assert signal.sum() == pytest.approx(1)


def test_nothing_asked_for_is_nothing_done():
    assert make_straightening(TubeSettings()) is None


def test_what_is_done_stands_in_the_report():
    settings = TubeSettings(hardening="polynomial", coefficients=(1.0, 0.1, -0.01), scatter=0.02)
    said = Corrections(settings)
    assert said.words == {
        "Beam of the tube": "2 % scattered light taken off; hardening by a polynomial; a line"
        " integral of 2 becomes 2.5"
    }
    assert len(said.warnings) == 1
    assert Corrections().words == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"material": "Xq2"}, "tube.material: 'Xq2'"),
        ({"scintillator": "Zz"}, "tube.scintillator: 'Zz'"),
        ({"filters_mm": {"CsI": 1}}, "tube.filters_mm: 'CsI' is not the symbol of an element"),
        ({"filters_mm": {"Pb": 1e5}}, "nothing of the spectrum reaches the detector"),
    ],
)
def test_what_is_none_is_said(given, said):
    settings = TubeSettings.model_validate({"hardening": "material", "kv": 80, **given})
    with pytest.raises(UserError) as error:
        make_straightening(settings)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"hardening": "polynomial"}, "give coefficients"),
        ({"hardening": "material", "kv": 80, "spectrum": SPEKPY_80_KV}, "give kv"),
    ],
)
def test_what_a_method_needs_is_asked_for(given, said):
    with pytest.raises(ValueError, match=said):
        TubeSettings(**given)


def test_the_attenuation_of_water():
    """NIST's tables (XCOM, with coherent scattering) at 60 keV: 0.2059 /cm."""
    assert attenuation_per_cm("H2O", 1.0, 60.0, "material")[0] == pytest.approx(0.2059, rel=0.01)
