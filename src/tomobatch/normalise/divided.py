"""References of projections that their scanner has divided by flats already."""

from dataclasses import replace

import numpy as np

from tomobatch.normalise.references import Drift, ReferenceCounts, References
from tomobatch.normalise.robust_mean import RawArray, robust_mean

# Of what a type holds: an open beam from there on is cut off in part by its noise alone.
_AT_ITS_END = 0.95


def no_references(shape: tuple[int, int]) -> References:
    """Return what leaves projections (y, x) as they are, for those divided by flats already."""
    return References(
        flats=np.ones((1, *shape), np.float32),
        flat_positions=np.zeros(1),
        dark=np.zeros(shape, np.float32),
        bad_pixels=np.zeros(shape, bool),
        noise=0.0,
        counts=ReferenceCounts(0, 0, 0, 0, 0),
        drift=Drift((1.0,), 0.0, np.zeros((1, 1), np.float32)),
    )


def white_references(
    shape: tuple[int, int], level: float, dtype: np.dtype[np.generic], darks: RawArray | None = None
) -> References:
    """Return the references of projections (y, x) that are divided by their flats already.

    Parameters
    ----------
    shape
        Of a projection.
    level
        Grey value of the open beam, the same in every pixel.
    dtype
        Of the projections: where the open beam is as bright as it can tell, no pixel of it counts
        as saturated.
    darks
        (n, y, x), grey values without beam; None for zero.
    """
    brightest = float(np.iinfo(dtype.str).max if dtype.kind in "iu" else np.finfo(np.float32).max)
    dark = np.zeros(shape, np.float32) if darks is None else robust_mean(darks).mean
    return replace(
        no_references(shape),
        flats=np.full((1, *shape), level, np.float32),
        dark=dark,
        drift=Drift((level,), 0.0, np.zeros((1, 1), np.float32)),
        saturation=brightest + (level >= _AT_ITS_END * brightest),
    )
