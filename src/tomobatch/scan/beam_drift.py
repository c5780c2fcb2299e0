"""A beam that changes while projections are taken, and that no flats and no monitor tell of."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tomobatch.normalise.references import References

_NEIGHBOURS = 8
_BRIGHTEST_PERCENTILE = 99.0
_LEAST_TRANSMISSION = 1e-3
# Of a line integral: what changes less is right to 5 % in any sample worth a scan.
_LEAST_CHANGE = 0.03
# How far air and sum may differ, as a share of the change: they change alike if it is the beam.
_LARGEST_DIFFERENCE = 0.3


def drift_remarks(
    counts: NDArray[np.integer | np.floating], numbers: NDArray[np.int64], references: References
) -> Iterator[str]:
    """Remark on a beam that the references do not follow.

    The brightest parts, which are air, and the mean line integral, which is the same from all
    directions, then change by the same amount.

    Parameters
    ----------
    counts
        Projections (n, y, x), spread over the scan.
    numbers
        Their numbers in the scan.
    references
        Averaged flats and darks, and what the monitor says.
    """
    good = ~references.bad_pixels
    flats = (references.flats - references.dark)[:, good]
    places = np.interp(numbers + 0.5, references.flat_positions, np.arange(len(flats)))
    air, mean = np.zeros(len(counts)), np.zeros(len(counts))
    for i, (picture, place) in enumerate(zip(counts, places, strict=True)):
        before = min(int(place), max(len(flats) - 2, 0))
        share = place - before
        beam = (1 - share) * flats[before] + share * flats[min(before + 1, len(flats) - 1)]
        transmission = (picture[good] - references.dark[good]) / np.maximum(beam, 1)
        n_groups = max(1, len(transmission) // _NEIGHBOURS)
        groups = transmission[: n_groups * _NEIGHBOURS].reshape(n_groups, -1).mean(axis=1)
        brightest = float(np.nanpercentile(groups, _BRIGHTEST_PERCENTILE))
        air[i] = -np.log(max(brightest, _LEAST_TRANSMISSION))
        mean[i] = float(np.nanmean(-np.log(np.maximum(transmission, _LEAST_TRANSMISSION))))
    if references.offsets is not None:
        air, mean = (line + references.offsets[numbers] for line in (air, mean))
    change = float(np.ptp(air))
    apart = float(np.std((air - air.mean()) - (mean - mean.mean())))
    if change > _LEAST_CHANGE and apart < _LARGEST_DIFFERENCE * float(np.std(air)):
        yield (
            f"the beam changes by {1 - np.exp(-change):.1%} while projections are taken, beside"
            " what the flats say: line integrals are off by as much; take flats after the scan as"
            " well, or record the current of the ring"
        )
