"""From the line integrals that a tube's beam gives to those of one energy. Decision 117."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from tomobatch.arrays import Float32Array, Float64Array, Int32Array
from tomobatch.cores import n_usable_cores
from tomobatch.errors import UserError
from tomobatch.tube.settings import TubeSettings
from tomobatch.tube.spectrum import attenuation_per_cm, detected

HIGHEST = 10.0
"""Line integral up to which the curve is laid out: a transmission of 5e-5."""
_N_KNOTS = 2001
_LEAST_RISE = 2.0
"""A polynomial that falls below this line integral is a mistake."""
_MOST_SCATTERED = 0.9
"""Of what a pixel reads: more is never taken off, as noise would be all that is left."""


@dataclass(frozen=True)
class Straightening:
    """A rising curve, and what to say of it.

    Attributes
    ----------
    values
        Line integrals as they should be, at evenly spaced measured ones from 0 to ``HIGHEST``;
        beyond both ends the curve goes on straight.
    words
        What it does, for the report.
    warning
        What the user should know; None if nothing.
    darkest
        The measured line integral beyond which a pixel reads less than is to be taken off it.
    """

    values: tuple[float, ...]
    words: str
    warning: str | None = None
    darkest: float = math.inf

    @cached_property
    def _table(self) -> Float64Array:
        return np.array(self.values)

    def at(self, measured: Float32Array) -> Float32Array:
        """Return what line integrals of any shape should be; float32."""
        values = self._table
        step = HIGHEST / (len(values) - 1)
        straight = np.interp(measured, np.linspace(0, HIGHEST, len(values)), values)
        straight += (values[1] - values[0]) / step * np.minimum(measured, 0)
        straight += (values[-1] - values[-2]) / step * np.maximum(measured - HIGHEST, 0)
        return straight.astype(np.float32)


def straighten(line_integrals: Float32Array, curve: Straightening) -> Int32Array:
    """Replace line integrals (projection, row, column) by those of the curve, in place.

    Returns
    -------
    int32 (projection,)
        Pixels that read less than the scattered light that is to be taken off them.
    """

    def one(projection: Float32Array) -> int:
        n_darker = int(np.count_nonzero(projection > curve.darkest))
        projection[...] = curve.at(projection)
        return n_darker

    with ThreadPoolExecutor(n_usable_cores()) as threads:
        return np.array(list(threads.map(one, line_integrals)), np.int32)


@lru_cache(maxsize=8)
def _cached(text: str) -> Straightening | None:
    return _make(TubeSettings.model_validate_json(text))


def make_straightening(settings: TubeSettings) -> Straightening | None:
    """Return the curve that the settings ask for; None if they ask for none.

    Raises
    ------
    UserError
        A material that is none; a polynomial that falls.
    """
    return _cached(settings.model_dump_json())


def _make(settings: TubeSettings) -> Straightening | None:
    measured = np.linspace(0, HIGHEST, _N_KNOTS)
    words, warning = [], None
    straight = measured
    if settings.scatter > 0:
        straight = _without_scatter(straight, settings.scatter)
        words.append(f"{100 * settings.scatter:g} % scattered light taken off")
    if settings.hardening == "polynomial":
        straight, warning = _by_polynomial(straight, settings)
        words.append("hardening by a polynomial")
    elif settings.hardening == "material":
        straight, energy_kev = _by_material(straight, settings)
        words.append(f"hardening as in {settings.material}, to {energy_kev:.3g} keV")
    if not words:
        return None
    two = float(np.interp(2, measured, straight))
    words.append(f"a line integral of 2 becomes {two:.3g}")
    darkest = -math.log(settings.scatter / _MOST_SCATTERED) if settings.scatter > 0 else math.inf
    return Straightening(tuple(map(float, straight)), "; ".join(words), warning, darkest)


def _without_scatter(measured: Float64Array, share: float) -> Float64Array:
    """Take off what is the same everywhere; air keeps a line integral of zero."""
    transmission = np.exp(-measured)
    left = np.maximum(transmission - share, (1 - _MOST_SCATTERED) * transmission)
    return np.asarray(-np.log(left / (1 - share)))


def _by_polynomial(
    measured: Float64Array, settings: TubeSettings
) -> tuple[Float64Array, str | None]:
    """Evaluate the polynomial, as far as it rises; beyond, it stays."""
    straight = np.polynomial.Polynomial((0.0, *(settings.coefficients or ())))(measured)
    falls = np.diff(straight) <= 0
    if not falls.any():
        return straight, None
    top = int(np.argmax(falls))
    said = f"tube.coefficients: the polynomial falls beyond a line integral of {measured[top]:.3g}"
    if measured[top] < _LEAST_RISE:
        raise UserError(f"{said}; it should rise as far as the sample absorbs, as [1, 0.05] does")
    straight[top:] = straight[top]
    return straight, f"{said}: what the sample absorbs more than that is taken for as much"


def _by_material(measured: Float64Array, settings: TubeSettings) -> tuple[Float64Array, float]:
    """Ask how much of the material absorbs as much, and what it absorbs at one energy."""
    energies, signal = detected(settings)
    energy_kev = settings.energy_kev or float(energies @ signal)
    material = settings.material, settings.density_g_cm3
    per_cm = attenuation_per_cm(*material, energies, "material")
    at_one = attenuation_per_cm(*material, energy_kev, "energy_kev")[0]
    # As much as the most penetrating part of the beam needs, in steps that grow with the length.
    longest_cm = 1.1 * float(measured[-1]) / float(per_cm[signal > 0].min())
    lengths_cm = longest_cm * np.linspace(0, 1, 8 * _N_KNOTS) ** 2
    parts = signal[signal > 0]
    through = np.array([parts @ np.exp(-per_cm[signal > 0] * length) for length in lengths_cm])
    return at_one * np.interp(measured, -np.log(through), lengths_cm), energy_kev
