"""A beam whose pattern moves: principal components of its flats, where they help (decision 39)."""

from dataclasses import replace

import numpy as np

from tomobatch.normalise.dynamic import find_modes, gains
from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.references import References
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.scan.flats import Flats
from tomobatch.scan.parts import Scan

_LOOKED_AT = 16
# The least share of the total variation that must go, and in standard errors.
_LEAST_GAIN, _LEAST_SIGMAS = 2e-3, 4.0


def follow_pattern(
    scan: Scan, flats: Flats, references: References, settings: NormaliseSettings
) -> tuple[References, list[str]]:
    """Let the projections follow the modes of the flats, if that helps where it was not fitted.

    In projections spread over the scan, each half of the pixels is mended with the weights that the
    other half gives. With `auto` the modes are used where the total variation falls that way, by
    0.2 % on average and by four standard errors.

    Returns
    -------
    The references, with modes if they are used; and what is to be said.
    """
    if settings.dynamic_flats is False:
        return references, []
    frames = [one.frames for one in flats.series]
    modes = find_modes(frames, references.dark, references.bad_pixels)
    if modes is None:
        return references, []
    n_projections = scan.header.n_projections
    count = min(_LOOKED_AT, n_projections)
    gained = []
    for number in np.linspace(0, n_projections - 1, count).round().astype(int).tolist():
        counts = scan.read_projections(number, number + 1)
        if np.isfinite(counts).all():
            gained.append(
                gains(normalise(counts, number, references, settings).line_integrals, modes)
            )
    of_all = np.concatenate(gained) if gained else np.zeros(1)
    mean, error = float(of_all.mean()), float(of_all.std() / np.sqrt(len(of_all)))
    helps = mean > max(_LEAST_GAIN, _LEAST_SIGMAS * error)
    if not helps and settings.dynamic_flats == "auto":
        return references, []
    return replace(references, modes=modes), [
        f"the pattern of the beam moves: the flats differ in {len(modes)} ways, of which every"
        f" projection gets its own share, and {mean:.1%} of the variation between neighbouring"
        " pixels goes; normalise.dynamic_flats: false switches it off"
    ]
