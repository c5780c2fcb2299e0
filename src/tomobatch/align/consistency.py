"""Shifts by what projections can be at all: neighbours in angle differ no more than a turn makes.

The two-dimensional spectrum of a sinogram is empty where the frequency along the angle exceeds that
along x times the sample's radius (Edholm et al., Proc. SPIE 671 (1986) 8): a projection that is out
of place puts something there. What is left of a sinogram without it is what the others say the
projection should be; each is matched to that, again and again.
"""

from dataclasses import dataclass

import numpy as np
import scipy.fft
from scipy import ndimage

from tomobatch.align.mass import margin_rows
from tomobatch.align.move import across_rows, along_rows
from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.cores import n_usable_cores
from tomobatch.turn import angle_step

_COARSE, _FINE = (1.5, 0.0, 3.0), (0.7, 0.0, 1.0)
"""Standard deviations across rows, angles and columns that projections are smoothed by."""
_EDGE_PX = 8
_LONGEST_STEP_PX = 1.0
_ENOUGH_PX = 0.005
"""Change of all shifts, rms, from which on further iterations change nothing to be seen."""
WHOLE, CUT_OFF = (1.0, 2.0), (3.0, 4.0)
"""Cycles a turn by which the wedge opens beyond the sample's radius, and over which it fades: more
for a sample that reaches beyond the detector, whose parts come and go."""
_PADDING = 1.25
_SLOW = 5
"""Half waves over all projections, below which a movement is slow."""


@dataclass(frozen=True)
class Turn:
    """How projections go on beyond the first and the last, in the order of their angles.

    Attributes
    ----------
    angles_rad
        Rising, evenly spaced.
    radius_px
        Farthest that a point moves along the detector, a radian.
    mirror_px
        Column about which half a turn goes on mirrored; None where it does not.
    closes
        Whether a full turn goes on at its start. If neither, it goes on in reverse.
    wedge
        `WHOLE` or `CUT_OFF`.
    """

    angles_rad: Float64Array
    radius_px: float
    mirror_px: float | None
    closes: bool
    wedge: tuple[float, float] = WHOLE


def refine(
    bands: list[Float32Array],
    shifts: tuple[Float64Array, Float64Array],
    turns: list[Turn],
    iterations: int,
    *,
    vertical: bool,
) -> tuple[Float64Array, Float64Array]:
    """Return better shifts (angle,) along and across rows.

    Parameters
    ----------
    bands
        float32 (row, angle, x) each.
    shifts
        To begin with.
    turns
        The angles, and how each band goes on beyond them.
    iterations
        At most.
    vertical
        Whether those across rows are looked for.
    """
    x_px, y_px = (values.copy() for values in shifts)
    for i in range(iterations):
        # Coarse structures first, of which less is left by a projection that is out of place.
        smoothing = _COARSE if i < iterations // 2 else _FINE
        sums = np.zeros((5, len(x_px)))
        for band, turn in zip(bands, turns, strict=True):
            sums += _compare(band, (x_px, y_px), turn, smoothing)
        xx, yy, xy, bx, by = sums
        if vertical:
            # A little more than nothing, for projections without structure across rows.
            determinant = xx * yy - xy**2 + 1e-6 * xx * yy + np.finfo(np.float64).tiny
            steps = (yy * bx - xy * by) / determinant, (xx * by - xy * bx) / determinant
        else:
            steps = bx / (xx + np.finfo(np.float64).tiny), np.zeros(len(x_px))
        step = np.clip(steps, -_LONGEST_STEP_PX, _LONGEST_STEP_PX)
        x_px += _quick(step[0])
        y_px += step[1]
        if smoothing == _FINE and np.sqrt(np.mean(step**2)) < _ENOUGH_PX:
            break
    return x_px, y_px


def _quick(steps: Float64Array) -> Float64Array:
    """Return steps (angle,) without what goes slowly from projection to projection.

    Slow movement along rows puts nothing beyond the wedge but for what lies at the sample's radius:
    noise and the ends of the turn would decide on it. It is left as it was.
    """
    spectrum = scipy.fft.dct(steps, norm="ortho")
    spectrum[:_SLOW] = 0
    return np.asarray(scipy.fft.idct(spectrum, norm="ortho"))


def _compare(
    band: Float32Array,
    shifts: tuple[Float64Array, Float64Array],
    turn: Turn,
    smoothing: tuple[float, float, float],
) -> Float64Array:
    """Return what a step has to solve, (5, angle): products of slopes, and with what differs."""
    x_px, y_px = shifts
    placed = across_rows(band, y_px, slice(None)) if np.any(y_px) else band.copy()
    along_rows(placed, x_px)
    margin = margin_rows(len(band), y_px)
    smooth = ndimage.gaussian_filter(placed, smoothing)[margin : len(band) - margin]
    model = consistent_part(smooth, turn)
    edge = min(_EDGE_PX, model.shape[2] // 8)
    inside = slice(edge, model.shape[2] - edge)
    slope_x = np.gradient(model, axis=2)[:, :, inside]
    slope_y = np.gradient(model, axis=0)[:, :, inside] if len(model) > 1 else np.zeros_like(slope_x)
    differs = (model - smooth)[:, :, inside]
    pairs = (
        (slope_x, slope_x),
        (slope_y, slope_y),
        (slope_x, slope_y),
        (slope_x, differs),
        (slope_y, differs),
    )
    return np.stack([np.einsum("rax,rax->a", *pair, dtype=np.float64) for pair in pairs])


def consistent_part(rows: Float32Array, turn: Turn) -> Float32Array:
    """Return rows (row, angle, x) without what no sample of that radius can show, float32."""
    _, n_angles, n_x = rows.shape
    step = angle_step(turn.angles_rad)
    if turn.closes:
        whole, n_around = rows, n_angles
    else:
        n_around = 2 * n_angles
        other = rows[:, ::-1] if turn.mirror_px is None else _mirrored(rows, turn.mirror_px)
        whole = np.concatenate([rows, other], axis=1)
    length = int(scipy.fft.next_fast_len(int(_PADDING * n_x), real=True))
    workers = n_usable_cores()
    spectrum = scipy.fft.rfft(whole, length, axis=2, workers=workers)
    spectrum = scipy.fft.fft(spectrum, axis=1, workers=workers, overwrite_x=True)
    # Of all that is transformed, in cycles a turn.
    cycles = np.abs(scipy.fft.fftfreq(n_around)) * 2 * np.pi / step
    along = 2 * np.pi * scipy.fft.rfftfreq(length)
    wider, fading = turn.wedge
    room = turn.radius_px * along[np.newaxis] + wider - cycles[:, np.newaxis]
    spectrum *= np.clip(room / fading + 0.5, 0, 1).astype(np.float32)
    spectrum = scipy.fft.ifft(spectrum, axis=1, workers=workers, overwrite_x=True)[:, :n_angles]
    back = scipy.fft.irfft(spectrum, length, axis=2, workers=workers)
    return np.asarray(back[:, :, :n_x], np.float32)


def _mirrored(rows: Float32Array, about_px: float) -> Float32Array:
    """Return rows as seen from the other side of the axis."""
    n_x = rows.shape[2]
    other = np.ascontiguousarray(rows[:, :, ::-1])
    along_rows(other, np.full(rows.shape[1], n_x - 1 - 2 * about_px))
    return other
