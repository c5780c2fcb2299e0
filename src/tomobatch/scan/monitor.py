"""A beam that changes from projection to projection, by the monitor that the file has of it."""

from dataclasses import replace

import numpy as np

from tomobatch.normalise.references import References
from tomobatch.scan.parts import Scan

_LOOKED_AT = 24
# What changes less changes nothing that can be seen.
_LEAST_CHANGE = 2e-3
_BRIGHTEST_PERCENTILE = 98.0


def follow_monitor(scan: Scan, references: References) -> tuple[References, list[str]]:
    """Let the line integrals follow the monitor of the beam, if the projections bear it out.

    The brightest parts of projections spread over the scan, mostly air, must scatter less with the
    monitor taken into account than without; else it read something else, or at another time.

    Parameters
    ----------
    scan
        An open scan.
    references
        Its averaged flats and darks.

    Returns
    -------
    The references, with offsets if the monitor is followed; and what is to be said.
    """
    offsets = scan.beam_offsets(references.flat_positions)
    if offsets is None or np.ptp(offsets) < _LEAST_CHANGE:
        return references, []
    count = min(_LOOKED_AT, len(offsets))
    numbers = np.linspace(0, len(offsets) - 1, count).round().astype(int)
    good = ~references.bad_pixels
    places = np.interp(numbers + 0.5, references.flat_positions, np.arange(len(references.flats)))
    brightness = []
    for number, place in zip(numbers, places, strict=True):
        before = min(int(place), len(references.flats) - 1)
        after = min(before + 1, len(references.flats) - 1)
        share = place - before
        flat = (1 - share) * references.flats[before] + share * references.flats[after]
        picture = scan.read_projections(int(number), int(number) + 1)[0]
        signal = (picture[good] - references.dark[good]) / (flat - references.dark)[good]
        brightness.append(max(float(np.percentile(signal, _BRIGHTEST_PERCENTILE)), 1e-6))
    without = float(np.std(np.log(brightness)))
    followed = float(np.std(np.log(brightness) - offsets[numbers]))
    change = f"the monitor of the beam changes by {np.ptp(offsets):.1%} beside the flats"
    if followed >= without:
        return references, [
            f"{change}, and the projections do not follow it: it is not used (the air scatters by"
            f" {followed:.2%} with it, by {without:.2%} without)"
        ]
    return replace(references, offsets=offsets.astype(np.float32)), [
        f"{change}: every projection is scaled by it, and the air scatters by {followed:.2%} in"
        f" place of {without:.2%}; normalise.monitor switches it off"
    ]
