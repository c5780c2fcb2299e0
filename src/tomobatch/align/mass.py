"""Shifts by what parallel rays conserve: each plane's mass, and the path of the centre of mass."""

import numpy as np
from scipy import ndimage

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.calibrate.moments import TOLERATED_MASS_SPREAD, circle, weigh
from tomobatch.calibrate.rim import ends_of

FEWEST_ROWS = 8
"""Of a band in which planes can be told from each other."""
# From coarse to fine, in rows: what the planes' masses are smoothed by, and the steps with each.
_SMOOTHING_ROWS, _STEPS = (6.0, 3.0, 1.5, 1.0), 4
_CONE_HARMONICS = 3
_MARGIN = 1 / 3  # of the rows at most that are left out at either end, as what moved comes in there


def is_whole(band: Float32Array) -> bool:
    """Whether the sample lies within the detector's width in rows (row, angle, x)."""
    return weigh(band.mean(axis=0)) is not None


def sees_air(band: Float32Array) -> bool:
    """Whether most projections (row, angle, x) end in air, though some may be moved out of it."""
    mean = band.mean(axis=0)
    levels = [np.median(np.abs(np.median(end, axis=1))) for end in ends_of(mean)]
    return bool(max(levels) < TOLERATED_MASS_SPREAD * mean.max())


def margin_rows(n_rows: int, y_px: Float64Array) -> int:
    """Return the rows at either end of a band that shifts bring in from beyond it."""
    farthest = int(np.ceil(np.abs(y_px).max()))
    return min(farthest + 1, int(n_rows * _MARGIN)) if farthest else 0


def vertical(bands: list[Float32Array]) -> Float64Array:
    """Return how far down each projection lies, (angle,), by the mass of every plane.

    The mass of a plane across the axis is the same in all projections: that of a row by itself
    tells little, the profile of many is matched to the median profile.

    Parameters
    ----------
    bands
        float32 (row, angle, x) each, of `FEWEST_ROWS` or more.
    """
    masses = [_masses(band) for band in bands]
    y_px = np.zeros(masses[0].shape[1])
    for smoothing in _SMOOTHING_ROWS:
        for _ in range(_STEPS):
            step, power = np.zeros((2, len(y_px)))
            for mass in masses:
                score, weight = _match(mass, y_px, smoothing)
                step += score
                power += weight
            if not power.all():
                return np.zeros(len(y_px))
            y_px += np.clip(step / power, -smoothing, smoothing)
            y_px -= np.median(y_px)
    return y_px


def path_of(angles_rad: Float64Array, *, is_cone: bool) -> Float64Array:
    """Return what the path of a centre of mass is made of, (angle, term): an offset and harmonics.

    Those of a cone, whose near parts are seen larger, fall with the opening of its fan.
    """
    harmonics = range(1, _CONE_HARMONICS + 1) if is_cone else (1,)
    waves = [circle(m * angles_rad)[:, 1:] for m in harmonics]
    return np.column_stack([np.ones(len(angles_rad)), *waves])


def horizontal(bands: list[Float32Array], path: Float64Array) -> tuple[Float64Array, list[float]]:
    """Return how far to the right each projection lies, (angle,), by its centre of mass.

    That is what is left of it once its path is taken out: a circle, in parallel rays.

    Parameters
    ----------
    bands
        float32 (row, angle, x) each, in place vertically; where `is_whole` is true.
    path
        What it may be made of, float64 (angle, term), an offset first; see `path_of`.

    Returns
    -------
    The shifts, and the column of the axis in each band.
    """
    off, axes_px = [], []
    for band in bands:
        weighed = weigh(band.mean(axis=0))
        if weighed is None:
            continue
        gone = weighed.moment / weighed.mass
        solution = np.linalg.lstsq(path, gone, rcond=None)[0]
        off.append(gone - path @ solution)
        axes_px.append(float(solution[0]) + (band.shape[2] - 1) / 2)
    if len(off) < len(bands):
        return np.zeros(len(path)), []
    return np.mean(off, axis=0), axes_px


def _masses(band: Float32Array) -> Float64Array:
    """Return the mass of every row in every projection (row, angle), above the level at the rim."""
    left, right = (np.median(end, axis=2) for end in ends_of_rows(band))
    above = band.sum(axis=2, dtype=np.float64)
    return np.asarray(above - band.shape[2] * (left + right) / 2)


def ends_of_rows(band: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Return the outermost columns of rows (row, angle, x) at the left and at the right."""
    n_rows, n_angles, n_x = band.shape
    left, right = ends_of(band.reshape(-1, n_x))
    return left.reshape(n_rows, n_angles, -1), right.reshape(n_rows, n_angles, -1)


def _match(
    mass: Float64Array, y_px: Float64Array, smoothing: float
) -> tuple[Float64Array, Float64Array]:
    """Return score and weight of a further step down for every projection, by least squares.

    An offset of all rows is left out, as beams change.
    """
    rows = np.arange(len(mass))
    placed = np.stack(
        [np.interp(rows + y, rows, one) for one, y in zip(mass.T, y_px, strict=True)], axis=1
    )
    placed = ndimage.gaussian_filter1d(placed, smoothing, axis=0)
    usual = np.median(placed, axis=1)
    margin = margin_rows(len(mass), y_px)
    inside = slice(margin, len(mass) - margin)
    slope = np.gradient(usual)[inside]
    slope = slope - slope.mean()
    return -slope @ (placed - usual[:, np.newaxis])[inside], np.full(len(y_px), slope @ slope)
