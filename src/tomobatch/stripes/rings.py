"""How strong the rings of a slice are, as a figure without a unit.

A ring is what all directions from the axis have in common. The slice is read along radii, its slow
part along them taken away, and sectors of directions are correlated with each other: noise differs
from sector to sector and adds nothing, structure differs as well, rings are the same in all. The
figure is 0 where there are none, whatever the noise, and at most 1.
"""

import math

import numpy as np
import scipy.ndimage as ndi

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.spread import NORMAL_MAD, median
from tomobatch.stripes.running_median import running_median

_N_SECTORS = 24
# Sectors this close share pixels and structure, and do not count as a pair.
_NEAREST_PAIR = 2
_INNERMOST_PX = 4.0
# Share of half the slice's width that is looked at: what lies further out is padding's.
_OUTERMOST = 0.92
# Values beyond are edges, not rings.
_CLIPPED_SIGMAS = 3.0
_HIGH_PASS_PX = 9


def ring_figure(image: Float32Array) -> float:
    """Return the mean correlation of the high-passed radial profiles of separate sectors.

    Parameters
    ----------
    image
        float32 (y, x), a whole slice whose axis is its centre, at least 32 px wide.

    Returns
    -------
    float
        0 where there are no rings; below 0 by chance.
    """
    profiles = sector_profiles(image)
    deviation = profiles - profiles.mean(axis=0)
    norm = np.sqrt((deviation**2).sum(axis=0))
    if not norm.all():
        return 0.0
    correlation = (deviation / norm).T @ (deviation / norm)
    apart = np.abs(np.subtract.outer(np.arange(_N_SECTORS), np.arange(_N_SECTORS)))
    apart = np.minimum(apart, _N_SECTORS - apart)
    return float(correlation[apart >= _NEAREST_PAIR].mean())


def sector_profiles(image: Float32Array) -> Float64Array:
    """Return the high-passed mean along the radius of every sector, float64 (radius, sector)."""
    middle = (len(image) - 1) / 2
    radii = np.arange(_INNERMOST_PX, _OUTERMOST * len(image) / 2)
    n_directions = _N_SECTORS * max(8, math.ceil(math.pi * radii[-1] / _N_SECTORS))
    directions = np.arange(n_directions) * (2 * np.pi / n_directions)
    y = middle + radii[:, None] * np.sin(directions)
    x = middle + radii[:, None] * np.cos(directions)
    polar = ndi.map_coordinates(image, [y, x], order=1, mode="nearest")
    # Beyond its ends the outermost value stands.
    reach = _HIGH_PASS_PX // 2
    polar -= running_median(np.pad(polar, ((reach, reach), (0, 0)), mode="edge"), _HIGH_PASS_PX)[
        reach:-reach
    ]
    limit = _CLIPPED_SIGMAS * NORMAL_MAD * float(median(np.abs(polar).ravel()))
    np.clip(polar, -limit, limit, out=polar)
    sectors = polar.reshape(len(radii), _N_SECTORS, -1)
    profiles: Float64Array = sectors.mean(axis=2, dtype=np.float64)
    return profiles
