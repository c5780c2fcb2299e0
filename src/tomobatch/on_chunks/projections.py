"""What step 1 does to a chunk of projections."""

from dataclasses import dataclass, replace

from tomobatch.arrays import Float64Array
from tomobatch.normalise.missing import MISSING, Missing, find_missing, mend_pixels
from tomobatch.normalise.normalise import Normalised, normalise
from tomobatch.normalise.references import References
from tomobatch.normalise.robust_mean import RawArray
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.on_chunks.corrections import Corrections
from tomobatch.phase.retrieve import retrieve_phase
from tomobatch.tube.curve import make_straightening, straighten


@dataclass(frozen=True)
class Preprocessed:
    """A chunk of projections as line integrals.

    Attributes
    ----------
    normalised
        Its line integrals (projection, y, x), and what was mended; a missing projection is marked.
    missing
        Which projections hold no picture of their own.
    n_mended
        Pixels that were no numbers.
    """

    normalised: Normalised
    missing: Missing
    n_mended: int


def preprocess_chunk(
    counts: RawArray,
    before: RawArray | None,
    start: int,
    references: References,
    settings: NormaliseSettings,
    corrections: Corrections,
    angles_rad: Float64Array,
) -> Preprocessed:
    """Turn a chunk of projections from counts into line integrals.

    Parameters
    ----------
    counts
        (projection, y, x).
    before
        (y, x), the projection before them; None at the start of the scan.
    start
        Number in the scan of the first of them.
    references
        Of the same scan.
    settings, corrections
        How.
    angles_rad
        float64 (projection,), of those of the chunk.

    Raises
    ------
    UserError
        When they do not fit the references.
    """
    missing = find_missing(counts, before, references, angles_rad)
    counts, n_mended = mend_pixels(counts)
    normalised = normalise(counts, start, references, settings)
    straightening = make_straightening(corrections.tube)
    if straightening is not None:
        n_darker = straighten(normalised.line_integrals, straightening)
        normalised = replace(normalised, clipped=normalised.clipped + n_darker)
    # What stands in no picture says nothing of the others.
    there = ~missing.any
    normalised = replace(
        normalised, clipped=normalised.clipped * there, saturated=normalised.saturated * there
    )
    if corrections.phase is not None:
        retrieve_phase(normalised.line_integrals, corrections.phase)
    # The next step sees all angles, and bridges what is missing.
    normalised.line_integrals[missing.any] = MISSING
    return Preprocessed(normalised, missing, n_mended)
