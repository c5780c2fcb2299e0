"""What the correction of a tube's beam leaves of a cylinder's cupping, by SpekPy's spectra.

Prints a page of Markdown: ``python benchmarks/tube.py > benchmarks/results/tube.md``, in an
environment that has SpekPy as well. The cylinders' transmission is averaged over each pixel; the
spectra hold the tube's lines. By ``spectrum`` the correction knows them, by ``kv`` the voltage and
the filters alone; "mean" is by how much the mean energy that is detected is then off.
"""

import numpy as np
import spekpy

from tomobatch.reconstruct.slices import fbp
from tomobatch.tube.curve import make_straightening
from tomobatch.tube.settings import TubeSettings
from tomobatch.tube.spectrum import attenuation_per_cm, detected

N_PX, FINER, RADIUS_PX, TARGET_DEG, LOWEST_KEV = 128, 16, 50.0, 12.0, 5.0
ANGLES = np.arange(240) * 2 * np.pi / 240
WATER, ALUMINIUM = ("H2O", 1.0, 4.0), ("Al", 2.7, 1.0)
"""Formula, density (g/cm3) and diameter (cm)."""
CASES = (
    (WATER, 40, {"Al": 0.5}),
    (WATER, 60, {"Al": 0.5}),
    (WATER, 80, {"Al": 1.0}),
    (WATER, 100, {"Al": 1.0, "Cu": 0.1}),
    (WATER, 120, {"Al": 1.0}),
    (WATER, 140, {"Cu": 0.5}),
    (WATER, 200, {"Cu": 1.0}),
    (ALUMINIUM, 60, {"Al": 1.0}),
    (ALUMINIUM, 80, {"Al": 1.0}),
    (ALUMINIUM, 100, {"Al": 1.0}),
    (ALUMINIUM, 120, {"Al": 1.0}),
    (ALUMINIUM, 140, {"Cu": 0.5}),
    (ALUMINIUM, 200, {"Cu": 0.5}),
)


def spectrum_of(kv: float, filters_mm: dict[str, float]) -> tuple[tuple[float, float], ...]:
    """Return SpekPy's photons by keV."""
    tube = spekpy.Spek(kvp=kv, th=TARGET_DEG)
    for element, thickness_mm in filters_mm.items():
        tube.filter(element, thickness_mm)
    energies, photons = tube.get_spectrum(edges=False)
    return tuple(
        (float(energy), float(share))
        for energy, share in zip(energies, photons, strict=True)
        if energy >= LOWEST_KEV
    )


def cupping_percent(line_integrals: np.ndarray) -> float:
    """Return by how much the middle of the cylinder lies below its rim, by its profile (x)."""
    rows = np.broadcast_to(line_integrals.astype(np.float32), (1, len(ANGLES), N_PX))
    image = fbp(rows.copy(), ANGLES, (N_PX - 1) / 2, device="cpu")[0]
    y, x = np.mgrid[:N_PX, :N_PX] - (N_PX - 1) / 2
    radius = np.hypot(x, y) / RADIUS_PX
    middle, rim = image[radius < 0.25].mean(), image[(radius > 0.8) & (radius < 0.9)].mean()
    return float(100 * (rim - middle) / rim)


def row(material: tuple[str, float, float], kv: float, filters_mm: dict[str, float]) -> str:
    """Return a row of the table."""
    formula, density, diameter_cm = material
    given = {"hardening": "material", "material": formula, "density_g_cm3": density}
    known = TubeSettings.model_validate({**given, "spectrum": spectrum_of(kv, filters_mm)})
    by_kv = TubeSettings.model_validate({**given, "kv": kv, "filters_mm": filters_mm})
    x = (np.arange(N_PX * FINER) + 0.5) / FINER - N_PX / 2
    chords_cm = np.sqrt(np.maximum(1 - (x / RADIUS_PX) ** 2, 0)) * diameter_cm
    energies, signal = detected(known)
    per_cm = attenuation_per_cm(formula, density, energies, "material")
    through = sum(s * np.exp(-mu * chords_cm) for s, mu in zip(signal, per_cm, strict=True))
    measured = -np.log(through.reshape(N_PX, FINER).mean(1)).astype(np.float32)
    curves = (make_straightening(settings) for settings in (known, by_kv))
    straight = [curve.at(measured) for curve in curves if curve is not None]
    cells = " | ".join(f"{cupping_percent(one):.2f}" for one in (measured, *straight))
    behind = ", ".join(f"{mm:g} mm {element}" for element, mm in filters_mm.items())
    off = 100 * (np.dot(*detected(by_kv)) / np.dot(energies, signal) - 1)
    return f"| {10 * diameter_cm:g} mm of {formula} at {kv} kV, {behind} | {cells} | {off:.1f} |"


def main() -> None:
    """Print the page."""
    print("# The beam of a tube\n")
    print(f"`python benchmarks/tube.py`; SpekPy {spekpy.__version__}, {TARGET_DEG:g} degrees.\n")
    print("| cupping of a cylinder, % | not corrected | by `spectrum` | by `kv` | mean, % |")
    print("|---|---:|---:|---:|---:|")
    for case in CASES:
        print(row(*case))


if __name__ == "__main__":
    main()
