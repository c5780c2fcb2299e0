"""Projections that hold no picture, and pixels that hold no number (decision 37)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from tomobatch.arrays import BoolArray, Float32Array
from tomobatch.normalise.references import References
from tomobatch.normalise.robust_mean import RawArray

MISSING = np.float32(-1e30)
"""Line integrals of a projection that is missing: a number, as no array of a run may hold NaN."""

# Of the open beam: where not even the brightest hundredth of a picture has more, no beam was there.
_UNLIT_SHARE = 0.01
_BRIGHTEST_PERCENTILE = 99.0
# Of a picture: with more pixels that are no numbers it cannot be mended from within.
_MOST_BROKEN = 0.1
_SAMPLED_PIXELS = 1 << 16


@dataclass(frozen=True)
class Missing:
    """Which of a run of projections hold no picture of their own, each bool (n,).

    Attributes
    ----------
    blank
        One value everywhere, or no beam.
    repeated
        The picture before, to the bit: the camera, or the writer, gave it twice.
    broken
        Too many pixels that are no numbers.
    """

    blank: BoolArray
    repeated: BoolArray
    broken: BoolArray

    @property
    def any(self) -> BoolArray:
        """Every projection that is missing."""
        return self.blank | self.repeated | self.broken

    def numbers(self, first: int) -> dict[str, list[int]]:
        """Return the numbers in the scan of those of each kind, if there are some."""
        kinds = {"blank": self.blank, "repeated": self.repeated, "broken": self.broken}
        return {
            kind: (first + np.flatnonzero(which)).tolist()
            for kind, which in kinds.items()
            if which.any()
        }


def find_missing(projections: RawArray, before: RawArray | None, references: References) -> Missing:
    """Find the projections that hold no picture of their own.

    Parameters
    ----------
    projections
        (n, y, x), in counts.
    before
        (y, x), the projection before them; None at the start of the scan.
    references
        Of the same scan.
    """
    n_projections = len(projections)
    blank, repeated, broken = (np.zeros(n_projections, bool) for _ in range(3))
    step = max(1, int(np.sqrt(references.dark.size / _SAMPLED_PIXELS)))
    good = ~references.bad_pixels[::step, ::step]
    dark = references.dark[::step, ::step][good]
    beam = references.flats.mean(axis=0)[::step, ::step][good] - dark
    previous = before
    for index, picture in enumerate(projections):
        if picture.dtype.kind == "f":
            broken[index] = np.mean(~np.isfinite(picture)) > _MOST_BROKEN
        signal = picture[::step, ::step][good] - dark
        light = np.percentile(np.nan_to_num(signal) / beam, _BRIGHTEST_PERCENTILE)
        same = bool((picture == picture.flat[0]).all())
        blank[index] = (same or light < _UNLIT_SHARE) and not broken[index]
        if previous is not None and not blank[index] and not broken[index]:
            repeated[index] = np.array_equal(picture, previous)
        previous = picture
    return Missing(blank, repeated, broken)


def mend_pixels(projections: RawArray) -> tuple[RawArray, int]:
    """Give pixels that are no numbers the value of the nearest one, in a copy if there are some.

    Returns
    -------
    The projections (n, y, x), and how many pixels were mended.
    """
    if projections.dtype.kind != "f":
        return projections, 0
    bad = ~np.isfinite(projections)
    if not bad.any():
        return projections, 0
    mended = projections.copy()
    n_mended = 0
    for picture, broken in zip(mended, bad, strict=True):
        if broken.any() and not broken.all():
            nearest = ndimage.distance_transform_edt(
                broken, return_distances=False, return_indices=True
            )
            picture[broken] = picture[tuple(nearest)][broken]
            n_mended += int(np.count_nonzero(broken))
        elif broken.all():
            picture[:] = 0
    return mended, n_mended


def bridge(sinograms: Float32Array, angles_rad: npt.NDArray[np.float64]) -> BoolArray:
    """Fill projections that are marked as missing from those at the nearest angles.

    Between two neighbours on the circle, linearly; beyond the end of less than a turn, the nearest.

    Parameters
    ----------
    sinograms
        float32 (row, angle, x), filled in place.
    angles_rad
        float64 (angle,), in any order.

    Returns
    -------
    Which were filled, bool (angle,).
    """
    missing = np.asarray(sinograms[0, :, 0] == MISSING)
    there = np.flatnonzero(~missing)
    if not missing.any() or len(there) == 0:
        return missing
    place = np.mod(angles_rad, 2 * np.pi)
    there = there[np.argsort(place[there], kind="stable")]
    known = place[there]
    for index in np.flatnonzero(missing):
        after = int(np.searchsorted(known, place[index])) % len(there)
        ends = there[after - 1], there[after]
        gaps = [float(np.mod(sign * (place[end] - place[index]), 2 * np.pi))
                for sign, end in zip((-1, 1), ends, strict=True)]  # fmt: skip
        share = gaps[0] / (gaps[0] + gaps[1]) if sum(gaps) < np.pi / 2 else float(gaps[1] < gaps[0])
        sinograms[:, index] = (1 - share) * sinograms[:, ends[0]] + share * sinograms[:, ends[1]]
    return missing
