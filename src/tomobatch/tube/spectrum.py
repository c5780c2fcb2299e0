"""What a detector sees of the beam of a tube, by energy."""

import math

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.errors import UserError
from tomobatch.tube.settings import TubeSettings

_STEP_KEV = 0.5
_TUNGSTEN_G_CM3 = 19.3
_WHIDDINGTON = 1.3e6
"""Squared energy that electrons lose a mass of target, keV2 cm2/g (Whiddington's law),
as chosen against the spectra of SpekPy."""
_LOWEST_KEV = 5.0
"""Below, neither windows of tubes nor samples let anything through."""


def attenuation_per_cm(
    formula: str, density_g_cm3: float, energies_kev: npt.ArrayLike, key: str
) -> Float64Array:
    """Return the linear attenuation coefficient, scattering included, at some energies.

    Raises
    ------
    UserError
        A formula that is none, named by its key of the configuration.
    """
    import xraylib

    energies = np.atleast_1d(np.asarray(energies_kev, np.float64))
    try:
        per_g = [xraylib.CS_Total_CP(formula, float(energy)) for energy in energies]
    except ValueError as error:
        raise UserError(
            f"tube.{key}: {formula!r}: {error}; write a formula such as Al, CsI or H2O,"
            " and energies up to 1000 keV"
        ) from None
    return density_g_cm3 * np.array(per_g)


def detected(settings: TubeSettings) -> tuple[Float64Array, Float64Array]:
    """Return energies (keV) and how much of the signal without a sample is of each; sum 1.

    Without a measured spectrum, that of the tube is Kramers' (Phil. Mag. 46 (1923) 836) behind
    tungsten and filters, without characteristic lines. A detector integrates energy: each photon
    that the scintillator stops counts by its own.

    Raises
    ------
    UserError
        A filter or scintillator that is none, or a beam that does not pass the filters.
    """
    if settings.spectrum is not None:
        energies, photons = np.array(sorted(settings.spectrum), np.float64).T
    else:
        energies, photons = _kramers(settings)
    signal = photons * energies
    if settings.scintillator is not None:
        thickness_cm = settings.scintillator_um * 1e-4
        density = settings.scintillator_g_cm3
        stops = attenuation_per_cm(settings.scintillator, density, energies, "scintillator")
        signal *= -np.expm1(-stops * thickness_cm)
    total = signal.sum()
    if not total > 0:
        raise UserError("tube: nothing of the spectrum reaches the detector; check the filters")
    return energies, signal / total


def _kramers(settings: TubeSettings) -> tuple[Float64Array, Float64Array]:
    """Return energies (keV) and relative numbers of photons behind the filters."""
    import xraylib

    if settings.kv is None:
        raise ValueError("the settings ask for kv")
    energies = np.arange(_LOWEST_KEV + _STEP_KEV / 2, settings.kv, _STEP_KEV)
    photons = settings.kv / energies - 1
    # Photons of an energy come from as deep as electrons have at least that much left, on average
    # from half that depth, and leave the target at an angle.
    depth_cm = (settings.kv**2 - energies**2) / (2 * _TUNGSTEN_G_CM3 * _WHIDDINGTON)
    path_cm = depth_cm / math.tan(math.radians(settings.target_deg))
    photons *= np.exp(-attenuation_per_cm("W", _TUNGSTEN_G_CM3, energies, "kv") * path_cm)
    for element, thickness_mm in settings.filters_mm.items():
        try:
            density = xraylib.ElementDensity(xraylib.SymbolToAtomicNumber(element))
        except ValueError:
            raise UserError(
                f"tube.filters_mm: {element!r} is not the symbol of an element, as Al or Cu"
            ) from None
        stops = attenuation_per_cm(element, density, energies, "filters_mm")
        photons *= np.exp(-stops * thickness_mm / 10)
    return energies, photons
