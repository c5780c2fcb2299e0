"""What the filter of phase retrieval is, in figures that a person can judge."""

import math
from dataclasses import dataclass

from tomobatch.errors import UserError
from tomobatch.phase.settings import PhaseMethod, PhaseSettings

_KEV_UM = 12.398419843e-4
"""Energy times wavelength of a photon."""

NEAR_FIELD = 0.2
"""Least Fresnel number: at 0.08 the thickness of a known object was 6 % off, at 0.02 useless."""


@dataclass(frozen=True)
class PhaseBlur:
    """The filter of a scan's phase retrieval.

    Attributes
    ----------
    method
        Which filter.
    length_px
        ``L``, over which the filter blurs, in pixels: sqrt(lambda D (delta/beta) / (4 pi)).
    fresnel_number
        Pixel squared over wavelength times distance. The theory holds where it is large.
    unsharp_px, unsharp_strength
        The mask afterwards; None is none.
    """

    method: PhaseMethod
    length_px: float
    fresnel_number: float
    unsharp_px: float | None = None
    unsharp_strength: float = 1.0

    @property
    def warning(self) -> str | None:
        """What the user should know of it, in a line."""
        if self.fresnel_number >= NEAR_FIELD:
            return None
        return (
            f"phase retrieval far from the sample: a Fresnel number of {self.fresnel_number:.2g},"
            f" below {NEAR_FIELD:g}, where fine structures come out wrong by several percent;"
            " place the detector nearer, or take larger pixels"
        )


def make_blur(
    settings: PhaseSettings,
    *,
    energy_kev: float | None,
    pixel_um: float | None,
    distance_mm: float | None,
    magnification: float = 1.0,
) -> PhaseBlur | None:
    """Return the filter that the settings ask for; None if they ask for none.

    Parameters
    ----------
    energy_kev
        Energy of the photons.
    pixel_um
        Size of a pixel at the sample.
    distance_mm
        From sample to detector, as the file says; the settings' own goes first.
    magnification
        Of a diverging beam, in which the distance counts as so much less (Fresnel scaling).

    Raises
    ------
    UserError
        Where a figure is missing, or the formula is none.
    """
    if settings.method == "none":
        return None
    method = settings.method
    energy = _needed(energy_kev, method, "the energy of the photons", "datasets.energy_kev")
    pixel = _needed(pixel_um, method, "the size of a pixel", "datasets.pixel_size_um")
    distance = _needed(
        settings.distance_mm or distance_mm,
        method,
        "the distance from sample to detector",
        "phase.distance_mm",
    )
    ratio = settings.delta_beta or _delta_beta(settings, energy)
    wavelength_times_distance = _KEV_UM / energy * distance * 1e3 / magnification
    return PhaseBlur(
        method=settings.method,
        length_px=math.sqrt(wavelength_times_distance * ratio / (4 * math.pi)) / pixel,
        fresnel_number=pixel**2 / wavelength_times_distance,
        unsharp_px=settings.unsharp_px,
        unsharp_strength=settings.unsharp_strength,
    )


def _needed(value: float | None, method: str, what: str, key: str) -> float:
    """Return a figure that the file or the user knows; files write 0 for what they do not."""
    if value is None or not 0 < value < math.inf:
        raise UserError(f"phase.method: {method} needs {what}; set {key}")
    return value


def _delta_beta(settings: PhaseSettings, energy_kev: float) -> float:
    """Return delta over beta of the material, beta being of all that attenuates. Decision 38."""
    import xraylib

    try:
        index = xraylib.Refractive_Index(settings.material, energy_kev, settings.density_g_cm3)
    except ValueError as error:
        raise UserError(
            f"phase.material: {settings.material!r} at {energy_kev:g} keV: {error};"
            " write a formula such as SiO2 or C5H8O2, or give phase.delta_beta"
        ) from None
    return float((1 - index.real) / index.imag)
