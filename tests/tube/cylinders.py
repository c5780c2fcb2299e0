"""Projections of a water cylinder by a tube's beam, line integrals and spectrum known."""

import numpy as np
from tests.reconstruct.cone.cone_scans import scan

from tomobatch.beam import ConeBeam
from tomobatch.phantom.solids import Shape, Solid
from tomobatch.tube.settings import TubeSettings
from tomobatch.tube.spectrum import attenuation_per_cm, detected

RADIUS_CM = 2.0
N_PX, N_ROWS = 128, 9
RADIUS_PX = 50.0
ANGLES = np.arange(240) * 2 * np.pi / 240
BEAM = ConeBeam(600.0, 1200.0, 2.0, 2.0)

_PHOTONS = """
    0.00142 0.0117 0.0466 0.163 0.345 0.546 0.723 0.856 0.943 0.988 1.0 0.987
    0.958 0.919 0.872 0.822 0.77 0.718 0.667 0.617 0.569 0.523 0.479 0.436
    0.456 0.464 0.319 0.283 0.249 0.253 0.189 0.142 0.112 0.0819 0.051 0.0189
"""
SPEKPY_80_KV = tuple((9.0 + 2 * i, float(share)) for i, share in enumerate(_PHOTONS.split()))
"""Photons by keV at 80 kV behind 1 mm of aluminium, 12 degrees, by SpekPy 2.5.4, lines included."""

TRUE = TubeSettings(hardening="material", spectrum=SPEKPY_80_KV)


def lengths_px(is_cone: bool) -> np.ndarray:
    """Return how much water each ray crosses, float64 (row, angle, x)."""
    if is_cone:
        water = Solid(Shape.CYLINDER, 0.0, 0.0, 0.0, RADIUS_PX, RADIUS_PX, 200.0, 0.0, 1.0)
        return scan([water], BEAM, ANGLES, N_ROWS, N_PX).astype(np.float64)
    x = np.arange(N_PX) - (N_PX - 1) / 2
    chords = 2 * np.sqrt(np.maximum(RADIUS_PX**2 - x**2, 0))
    return np.broadcast_to(chords, (1, len(ANGLES), N_PX))


def measured(
    is_cone: bool,
    scatter: float = 0.0,
    material: tuple[str, float] = ("H2O", 1.0),
    radius_cm: float = RADIUS_CM,
) -> np.ndarray:
    """Return line integrals as the tube's beam gives them, float32 (row, angle, x)."""
    lengths_cm = lengths_px(is_cone) * radius_cm / RADIUS_PX
    energies, signal = detected(TRUE)
    per_cm = attenuation_per_cm(*material, energies, "material")
    through = sum(s * np.exp(-mu * lengths_cm) for s, mu in zip(signal, per_cm, strict=True))
    return -np.log((1 - scatter) * through + scatter).astype(np.float32)


def cupping_percent(image: np.ndarray) -> float:
    """Return by how much the middle of the cylinder lies below its rim."""
    y, x = np.mgrid[: len(image), : len(image)] - (len(image) - 1) / 2
    radius = np.hypot(x, y) / RADIUS_PX
    middle, rim = image[radius < 0.25].mean(), image[(radius > 0.8) & (radius < 0.9)].mean()
    return float(100 * (rim - middle) / rim)
