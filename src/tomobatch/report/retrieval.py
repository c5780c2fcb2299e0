"""What phase retrieval did: the middle of one projection before it, and after."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from tomobatch.normalise.missing import MISSING
from tomobatch.normalise.references import References
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.on_chunks.corrections import Corrections
from tomobatch.on_chunks.projections import preprocess_chunk
from tomobatch.phase.settings import PhaseSettings
from tomobatch.report.content import Image
from tomobatch.scan.parts import Scan
from tomobatch.tube.settings import TubeSettings

_SIDE_PX = 400
"""Bright and dark rims are pixels wide, and would be averaged away in a picture of the whole."""


def before_and_after(
    scan: Scan,
    number: int,
    retrieved: Image,
    references: References,
    settings: Mapping[str, Any],
) -> tuple[Image, Image] | None:
    """Return the middle of a projection without phase retrieval and with it.

    The one is made anew as the run made it, but for the retrieval, since the run keeps the other.

    Parameters
    ----------
    number
        Of the projection.
    retrieved
        Its line integrals (y, x), as the run has them.
    settings
        The scan's, section by section.

    Returns
    -------
    None where no phase was retrieved, or the projection is missing.
    """
    is_asked = PhaseSettings.model_validate(settings["phase"]).method != "none"
    if not is_asked or (retrieved == MISSING).all():
        return None
    done = preprocess_chunk(
        scan.read_projections(number, number + 1),
        None,
        number,
        references,
        NormaliseSettings.model_validate(settings["normalise"]),
        Corrections.of_scan(
            TubeSettings.model_validate(settings["tube"]), PhaseSettings(), scan.header
        ),
        scan.header.angles_rad[number : number + 1],
    )
    return _middle(done.normalised.line_integrals[0]), _middle(retrieved)


def _middle(image: Image) -> Image:
    top, left = (max(0, (size - _SIDE_PX) // 2) for size in image.shape)
    return np.ascontiguousarray(image[top : top + _SIDE_PX, left : left + _SIDE_PX])
