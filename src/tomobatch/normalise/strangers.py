"""Flats and darks that do not belong to their series: the shutter was closed, or left open."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array
from tomobatch.normalise.robust_mean import RawArray, frame_levels
from tomobatch.normalise.series import ReferenceSeries

# A flat with less than half or more than twice the signal of its series was taken with another
# beam; a dark above the others by this share of the flats' signal saw light.
_LARGEST_FACTOR = 2.0
_LIT_SHARE = 0.02
# More of a series than this cannot be the strangers in it.
_LARGEST_SHARE = 1 / 3
_NAMED = 5


def without_strange_darks(darks: RawArray, flat_level: float) -> tuple[RawArray, list[str]]:
    """Leave out the darks (n, y, x) that saw light.

    Parameters
    ----------
    darks
        In counts.
    flat_level
        Median counts of the flats.

    Returns
    -------
    The darks that are left, and what was left out, a line each.
    """
    levels = frame_levels(darks)
    usual = float(np.sort(levels)[(len(levels) - 1) // 2])
    lit = levels - usual > _LIT_SHARE * (flat_level - usual)
    if not lit.any() or flat_level <= usual:
        return darks, []
    brightest = (levels.max() - usual) / (flat_level - usual)
    if np.count_nonzero(lit) > max(1, _LARGEST_SHARE * len(lit)):
        return darks, [
            f"{np.count_nonzero(lit)} of {len(lit)} darks saw up to {brightest:.0%} of the beam,"
            " too many to say which are right: all are used; name good ones with datasets.darks"
        ]
    return darks[~lit], [
        f"{np.count_nonzero(lit)} of {len(lit)} darks saw up to {brightest:.0%} of the beam and"
        f" are left out: {_numbers(lit)} (the first is 0)"
    ]


def without_strange_flats(
    series: ReferenceSeries, dark: Float32Array
) -> tuple[ReferenceSeries, list[str]]:
    """Leave out the flats of a series that were taken with far less or far more beam.

    Parameters
    ----------
    series
        Flats in counts.
    dark
        float32 (y, x), counts without beam.
    """
    levels = frame_levels(series.frames, dark)
    usual = float(np.median(levels))
    if usual <= 0:
        return series, []
    strange = (levels < usual / _LARGEST_FACTOR) | (levels > usual * _LARGEST_FACTOR)
    n_strange = int(np.count_nonzero(strange))
    if n_strange == 0:
        return series, []
    found = f"{n_strange} of the {len(levels)} flats {series.when}"
    how_bright = f"{levels[strange].min() / usual:.1%} to {levels[strange].max() / usual:.1%}"
    if n_strange > max(1, _LARGEST_SHARE * len(levels)):
        return series, [
            f"{found} have {how_bright} of the signal of the others, too many to say which are"
            " right: all are used; name good ones with datasets.flats"
        ]
    kept = replace(series, frames=series.frames[~strange])
    return kept, [
        f"{found} have {how_bright} of the signal of the others and are left out:"
        f" {_numbers(strange)} (the first is 0)"
    ]


def _numbers(which: npt.NDArray[np.bool_]) -> str:
    numbers = np.flatnonzero(which)
    return ", ".join(map(str, numbers[:_NAMED])) + (", ..." if len(numbers) > _NAMED else "")
