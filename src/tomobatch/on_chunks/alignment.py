"""How far the projections of a scan lie off, by some bands of its rows. Decision 118."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tomobatch.align import mass
from tomobatch.align.consistency import CUT_OFF, WHOLE, Turn, refine
from tomobatch.align.move import across_rows
from tomobatch.align.settings import AlignSettings
from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.beam import ConeBeam
from tomobatch.on_chunks.rows import rough_cors_px
from tomobatch.shifts import Shifts
from tomobatch.turn import angle_step, around, covers_full_turn

N_BANDS, BAND_ROWS = 3, 32
MOST_BAND_ROWS = N_BANDS * BAND_ROWS
"""Of a scan that is one band."""
MOST_COLUMNS = 1024
"""Wider rows are binned: a shift is found to some hundredths of a column all the same."""
_STILL_PX = 0.15
"""Shifts of less, rms, blur nothing, and are no more than an error of the axis makes of them."""
_FEWEST_ANGLES = 16
_AXIS_ROWS = 6
"""Of each band, that tell roughly where the axis is."""
_UNEVEN = 2.5
"""Times the typical step: a wider one, and neighbours in angle tell nothing."""


@dataclass(frozen=True)
class Band:
    """Neighbouring rows: the first one's number in the scan, and sinograms (row, angle, x)."""

    first: int
    rows: Float32Array


def bands_to_look_at(n_rows: int) -> list[tuple[int, int]]:
    """Return the rows [start, stop) of each band: three of a high scan, or all rows in one."""
    if n_rows <= MOST_BAND_ROWS:
        return [(0, n_rows)]
    middles = [(2 * i + 1) * n_rows // (2 * N_BANDS) for i in range(N_BANDS)]
    return [(middle - BAND_ROWS // 2, middle + BAND_ROWS // 2) for middle in middles]


def rows_to_align(n_rows: int) -> int:
    """Return how many rows of a scan are looked at."""
    return sum(stop - start for start, stop in bands_to_look_at(n_rows))


def find_shifts(
    bands: Sequence[Band],
    angles_rad: npt.NDArray[np.float64],
    n_rows: int,
    settings: AlignSettings,
    beam: ConeBeam | None = None,
) -> Shifts:
    """Return how far each projection lies from where it should.

    Parameters
    ----------
    bands
        Without stripes, and nothing missing.
    angles_rad
        float64 (angle,), in any order.
    n_rows
        Rows of the scan.
    settings
        How to look.
    beam
        The cone beam; None for parallel rays.
    """
    if len(angles_rad) < _FEWEST_ANGLES:
        return Shifts(how=f"{len(angles_rad)} projections are too few to tell")
    order, rising = around(angles_rad if beam is None else beam.sense * angles_rad)
    index = np.arange(len(angles_rad)) if order is None else np.arange(len(angles_rad))[order]
    binning = -(-bands[0].rows.shape[2] // MOST_COLUMNS)
    rows = [_binned(band.rows[:, index], binning) for band in bands]
    vertical = settings.vertical and min(map(len, rows)) >= mass.FEWEST_ROWS
    whole = (beam is None or covers_full_turn(rising)) and all(map(mass.is_whole, rows))
    even = _is_even(rising)
    how = []
    x_px, y_px, axes_px = np.zeros(len(rising)), np.zeros(len(rising)), list[float]()
    if settings.method != "consistency" and whole:
        how.append("mass")
        x_px, y_px, axes_px = _by_mass(rows, rising, vertical=vertical, is_cone=beam is not None)
    if settings.method != "mass" and even:
        how.append("consistency")
        if not axes_px:
            axes_px = _rough_axes(bands, rows, rising, n_rows, beam)
        n_x = rows[0].shape[2]
        wedge = WHOLE if all(map(mass.sees_air, rows)) else CUT_OFF
        turns = [_turn(rising, n_x, at_px, beam, binning) for at_px in axes_px]
        turns = [replace(turn, wedge=wedge) for turn in turns]
        x_px, y_px = refine(rows, (x_px, y_px), turns, settings.iterations, vertical=vertical)
    if not how:
        return Shifts(how=_why_not(whole=whole, even=even))
    x_px *= binning
    return _settled(x_px, y_px, index, " and ".join(how))


def _by_mass(
    rows: list[Float32Array], rising: Float64Array, *, vertical: bool, is_cone: bool
) -> tuple[Float64Array, Float64Array, list[float]]:
    """Return shifts along and across rows, and the column of the axis in each band."""
    path = mass.path_of(rising, is_cone=is_cone)
    y_px = mass.vertical(rows) if vertical else np.zeros(len(rising))
    if is_cone:
        y_px -= path @ np.linalg.lstsq(path, y_px, rcond=None)[0]
    placed = rows
    if np.any(y_px):
        margins = [mass.margin_rows(len(one), y_px) for one in rows]
        kept = [slice(m, len(one) - m) for one, m in zip(rows, margins, strict=True)]
        placed = [across_rows(one, y_px, some) for one, some in zip(rows, kept, strict=True)]
    x_px, axes_px = mass.horizontal(placed, path)
    return x_px, y_px, axes_px


def _rough_axes(
    bands: Sequence[Band],
    rows: list[Float32Array],
    rising: Float64Array,
    n_rows: int,
    beam: ConeBeam | None,
) -> list[float]:
    """Return the column of the axis in the middle of each band, as it looks before alignment."""
    if beam is not None:
        return [(one.shape[2] - 1) / 2 for one in rows]
    places = [np.arange(_AXIS_ROWS) * len(one) // _AXIS_ROWS for one in rows]
    seen = np.concatenate([one[at] for one, at in zip(rows, places, strict=True)])
    numbers = [int(band.first + i) for band, at in zip(bands, places, strict=True) for i in at]
    found = rough_cors_px(seen, numbers, rising, n_rows)
    return [float(np.median(some)) for some in found.reshape(len(rows), -1)]


def _turn(
    rising: Float64Array, n_x: int, axis_px: float, beam: ConeBeam | None, binning: int
) -> Turn:
    """Return how a band of so many binned columns goes on beyond its angles."""
    radius = max(axis_px, n_x - 1 - axis_px)
    step = angle_step(rising)
    half = abs(float(np.ptp(rising)) + step - np.pi) < 1.5 * step
    if beam is not None:
        # A point on the near side of the circle moves faster.
        radius /= max(1 - radius * binning / beam.source_voxels, 0.5)
    mirror = axis_px if half and beam is None else None
    return Turn(rising, radius, mirror, covers_full_turn(rising))


def _settled(
    x_px: Float64Array, y_px: Float64Array, index: npt.NDArray[np.intp], how: str
) -> Shifts:
    """Return shifts in the order of the projections; none where all are too small to matter."""
    sizes = [float(np.sqrt(np.mean(values**2))) for values in (x_px, y_px)]
    if max(sizes) < _STILL_PX:
        return Shifts(how=f"projections lie within {max(sizes):.2f} px rms, by {how}")
    in_order = np.empty((2, len(index)))
    in_order[:, index] = np.round([x_px, y_px], 4)
    return Shifts(tuple(map(float, in_order[0])), tuple(map(float, in_order[1])), how)


def _is_even(rising: Float64Array) -> bool:
    """Whether neighbours are about as far apart everywhere, so that each bears the other out."""
    steps = np.diff(rising)
    return bool(steps.max() <= _UNEVEN * angle_step(rising) and steps.min() > 0)


def _why_not(*, whole: bool, even: bool) -> str:
    missing = []
    if not whole:
        missing.append("the sample reaches beyond the detector, or a cone's turn is short")
    if not even:
        missing.append("the steps between angles are uneven")
    return "; ".join(missing)


def _binned(rows: Float32Array, binning: int) -> Float32Array:
    """Return rows with columns averaged; what is left over at the end is dropped."""
    if binning == 1:
        return rows
    n = rows.shape[2] // binning
    kept = rows[:, :, : n * binning].reshape(*rows.shape[:2], n, binning)
    return np.asarray(kept.mean(axis=3), np.float32)
