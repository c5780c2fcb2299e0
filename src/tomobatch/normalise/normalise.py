"""From raw counts to line integrals."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tomobatch.errors import UserError
from tomobatch.normalise.bad_pixels import plan_repair
from tomobatch.normalise.references import References
from tomobatch.normalise.robust_mean import RawArray
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.normalise.twin import normalise_frame


@dataclass(frozen=True)
class Normalised:
    """Line integrals of a chunk of projections, and what was mended in it.

    Attributes
    ----------
    line_integrals
        float32 (n, y, x), minus the logarithm of transmission; always finite.
    zingers, clipped, saturated
        int64 (n,), pixels of each projection that were taken for zingers, that were clipped before
        the logarithm, and whose raw counts were at the end of their range.
    repaired
        Bad pixels replaced in each projection.
    """

    line_integrals: npt.NDArray[np.float32]
    zingers: npt.NDArray[np.int64]
    clipped: npt.NDArray[np.int64]
    saturated: npt.NDArray[np.int64]
    repaired: int


def normalise(
    projections: RawArray,
    first_projection: int,
    references: References,
    settings: NormaliseSettings | None = None,
) -> Normalised:
    """Correct a chunk of raw projections with flats and darks, and take minus the logarithm.

    Every projection is treated by itself, so the result does not depend on how a scan is cut into
    chunks.

    Parameters
    ----------
    projections
        (n, y, x) of any integer or float type, in counts.
    first_projection
        Index in the scan of the first of them.
    references
        Of the same scan and shape (y, x).
    settings
        None for the defaults.

    Raises
    ------
    UserError
        When the shapes differ, or a projection holds values that are not finite.
    """
    settings = NormaliseSettings() if settings is None else settings
    if projections.shape[1:] != references.dark.shape:
        raise UserError(
            f"projections of {projections.shape[1:]} pixels (y, x) do not fit "
            f"flats of {references.dark.shape}"
        )
    repair = plan_repair(references.bad_pixels)
    line_integrals = np.empty(projections.shape, np.float32)
    zingers, clipped, saturated = np.zeros((3, len(projections)), np.int64)
    limit = saturation_counts(projections.dtype, settings)
    for i, raw in enumerate(projections):
        if not np.isfinite(raw).all():
            raise UserError(f"projection {first_projection + i} holds values that are not finite")
        flat = flat_at(first_projection + i, references, settings)
        frame = normalise_frame(
            raw,
            flat,
            references.dark.astype(np.float64),
            repair,
            settings.zinger_threshold,
            (settings.transmission_min, settings.transmission_max),
        )
        line_integrals[i] = frame.line_integrals
        zingers[i], clipped[i] = frame.n_zingers, frame.n_clipped
        saturated[i] = np.count_nonzero(raw >= limit)
    return Normalised(line_integrals, zingers, clipped, saturated, len(repair.pixels))


def flat_at(
    projection: int, references: References, settings: NormaliseSettings
) -> npt.NDArray[np.float64]:
    """Return the flat float64 (y, x) that belongs to a projection index."""
    flats = references.flats.astype(np.float64)
    if settings.flats == "mean" or len(flats) == 1:
        return np.asarray(flats.mean(axis=0))
    place = np.interp(projection, references.flat_positions, np.arange(len(flats)))
    before = min(int(place), len(flats) - 2)
    share = place - before
    return np.asarray((1 - share) * flats[before] + share * flats[before + 1])


def saturation_counts(
    dtype: np.dtype[np.integer | np.floating], settings: NormaliseSettings
) -> float:
    """Return the raw counts from which a pixel is saturated."""
    if settings.saturation_counts is not None:
        return settings.saturation_counts
    return float(np.iinfo(dtype).max) if dtype.kind in "iu" else float("inf")
