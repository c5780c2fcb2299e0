"""What projections are divided by: the signal of the open beam at the time of each."""

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array
from tomobatch.normalise.references import References
from tomobatch.normalise.settings import NormaliseSettings


def flat_places(
    projections: npt.NDArray[np.integer], references: References, settings: NormaliseSettings
) -> tuple[npt.NDArray[np.int32], Float32Array]:
    """Return for each projection index the series of flats before it and the share of the next.

    A projection is taken between its index and the next; on average at the middle.
    """
    n_series = 1 if settings.flats == "mean" else len(references.flats)
    place = np.interp(projections + 0.5, references.flat_positions[:n_series], np.arange(n_series))
    before = np.minimum(place.astype(np.int32), max(n_series - 2, 0))
    return before, (place - before).astype(np.float32)


def signals(references: References, settings: NormaliseSettings) -> Float32Array:
    """Return float32 (series, y, x), flat minus dark, with zero for bad pixels."""
    flats = references.flats
    if settings.flats == "mean":
        flats = flats.mean(axis=0, keepdims=True, dtype=np.float64)
    return np.where(references.bad_pixels, 0, flats - references.dark).astype(np.float32)
