"""Projections that hold no picture, and pixels that hold no number (decision 37)."""

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from tomobatch.arrays import BoolArray, Float32Array, Float64Array
from tomobatch.normalise.references import References
from tomobatch.normalise.robust_mean import RawArray

MISSING = np.float32(-1e30)
"""Line integrals of a projection that is missing: a number, as no array of a run may hold NaN."""

# Of the open beam: where not even the brightest hundredth of a picture has more, no beam was there.
_UNLIT_SHARE = 0.01
_BRIGHTEST_PERCENTILE = 99.0
# A row is lit from this share of its open beam on. Where it has less than this share of the light
# of the picture before, what is dark after it may be the sample.
_LIT_SHARE, _STEADY = 0.05, 0.7
# Fewer dark rows, and this share of all, are the edge of something opaque that moves.
_FEWEST_CUT_ROWS, _CUT_SHARE = 2, 1 / 32
# Dark pictures at an end of what is seen: more of them may be a sample that has sunk.
_MOST_AT_AN_END = 3
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
    cut
        Rows without beam, which the pictures at the angles around have: it was not read to its end.
    repeated
        A picture before it, to the bit: the camera, or the writer, gave it twice.
    broken
        Too many pixels that are no numbers.
    """

    blank: BoolArray
    cut: BoolArray
    repeated: BoolArray
    broken: BoolArray

    @property
    def any(self) -> BoolArray:
        """Every projection that is missing."""
        return self.blank | self.cut | self.repeated | self.broken

    def numbers(self, first: int) -> dict[str, list[int]]:
        """Return the numbers in the scan of those of each kind, if there are some."""
        kinds = {
            "blank": self.blank,
            "cut": self.cut,
            "repeated": self.repeated,
            "broken": self.broken,
        }
        return {
            kind: (first + np.flatnonzero(which)).tolist()
            for kind, which in kinds.items()
            if which.any()
        }


def find_missing(
    projections: RawArray,
    before: RawArray | None,
    references: References,
    angles_rad: Float64Array,
) -> Missing:
    """Find the projections that hold no picture of their own.

    Only what is given is compared: a copy of a picture further before, and a cut one without others
    at the angles around, are not seen.

    Parameters
    ----------
    projections
        (n, y, x), in counts.
    before
        (y, x), the projection before them; None at the start of the scan.
    references
        Of the same scan.
    angles_rad
        float64 (n,), of the projections, in any order.
    """
    n_projections = len(projections)
    blank, broken = (np.zeros(n_projections, bool) for _ in range(2))
    step = max(1, int(np.sqrt(references.dark.size / _SAMPLED_PIXELS)))
    good = ~references.bad_pixels[::step, ::step]
    dark = references.dark[::step, ::step]
    beam = references.flats.mean(axis=0)[::step, ::step] - dark
    rows_beam = np.sum(beam, axis=1, where=good)
    has_beam = rows_beam > _UNLIT_SHARE * rows_beam.max()
    rows_light = np.ones((n_projections, len(good)))
    for index, picture in enumerate(projections):
        if picture.dtype.kind == "f":
            broken[index] = np.mean(~np.isfinite(picture)) > _MOST_BROKEN
        signal = np.nan_to_num(picture[::step, ::step] - dark)
        light = np.percentile(signal[good] / beam[good], _BRIGHTEST_PERCENTILE)
        same = bool((picture == picture.flat[0]).all())
        blank[index] = (same or light < _UNLIT_SHARE) and not broken[index]
        rows = np.sum(signal, axis=1, where=good)
        rows_light[index, has_beam] = rows[has_beam] / rows_beam[has_beam]
    whole = np.flatnonzero(~(blank | broken))
    cut, repeated = (np.zeros(n_projections, bool) for _ in range(2))
    around = whole[np.argsort(np.mod(angles_rad[whole], 2 * np.pi), kind="stable")]
    cut[around] = _cut_short(rows_light[around])
    whole = whole[~cut[whole]]
    repeated[whole] = _repeated(projections, whole, before, step)
    return Missing(blank, cut, repeated, broken)


def _cut_short(light: Float64Array) -> BoolArray:
    """Tell which pictures lack rows that those around them have.

    Nothing opaque covers a whole row in one picture and leaves it as lit as before in the next: it
    comes and goes by degrees, over more than one step of the angle.

    Parameters
    ----------
    light
        float64 (n, y), of each row in the order of the angles, as a share of the open beam.
    """
    before = _Side.of(light)
    after = _Side.of(light[::-1]).turned
    n_dark = before.n_dark + after.n_dark - 1
    cut = before.steady & after.steady
    for one, other in ((before, after), (after, before)):
        # At an end there is one side alone, which has to bear more.
        cut |= one.steady & one.sure & other.nothing & (n_dark <= _MOST_AT_AN_END)
    cut &= light < _UNLIT_SHARE
    fewest = max(_FEWEST_CUT_ROWS, _CUT_SHARE * light.shape[1])
    return np.asarray(np.count_nonzero(cut, axis=1) >= fewest)


@dataclass(frozen=True)
class _Side:
    """What every row (n, y) has on one side: in the last picture in which it is not dark.

    Attributes
    ----------
    steady
        It is lit there, and not less by much than in the one of them before.
    sure
        There are two such pictures.
    nothing
        There is none.
    n_dark
        Dark pictures up to this one, it included, since there was one.
    """

    steady: BoolArray
    sure: BoolArray
    nothing: BoolArray
    n_dark: npt.NDArray[np.int64]

    @property
    def turned(self) -> "_Side":
        """The same with the pictures in reverse order."""
        return _Side(self.steady[::-1], self.sure[::-1], self.nothing[::-1], self.n_dark[::-1])

    @classmethod
    def of(cls, light: Float64Array) -> "_Side":
        """Return the side before, of the light (n, y) of each row."""
        steady, sure, nothing = (np.zeros(light.shape, bool) for _ in range(3))
        counted = np.zeros(light.shape, np.int64)
        near, far = np.full((2, light.shape[1]), np.nan)
        n_dark = np.zeros(light.shape[1], np.int64)
        for index, rows in enumerate(light):
            is_dark = rows < _UNLIT_SHARE
            n_dark = (n_dark + 1) * is_dark
            nothing[index], sure[index], counted[index] = np.isnan(near), ~np.isnan(far), n_dark
            steady[index] = (near >= _LIT_SHARE) & ~(near < _STEADY * far)
            far, near = np.where(is_dark, far, near), np.where(is_dark, near, rows)
        return cls(steady, sure, nothing, counted)


def _repeated(
    projections: RawArray, which: npt.NDArray[np.intp], before: RawArray | None, step: int
) -> BoolArray:
    """Tell which of some projections are equal to one before them, or to ``before``."""
    # A few pixels tell most apart; the whole pictures are compared where those are equal.
    seen: dict[int, list[RawArray]] = {}

    def is_new(picture: RawArray) -> bool:
        alike = seen.setdefault(zlib.crc32(picture[::step, ::step].tobytes()), [])
        if any(np.array_equal(picture, other) for other in alike):
            return False
        alike.append(picture)
        return True

    if before is not None:
        is_new(before)
    return np.array([not is_new(projections[index]) for index in which], bool)


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
