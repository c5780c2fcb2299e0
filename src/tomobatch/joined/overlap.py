"""How far two volumes of one specimen overlap along the axis, and how they are blended there."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import fft

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.errors import UserError
from tomobatch.joined.between import Shift

# Slices are compared by their cells, at most so many a side: enough to tell one slice of a specimen
# from its neighbours, and averaged over the noise of many voxels.
_MOST_CELLS = 96
# Below it two stacks of slices do not show the same; above, noise and rings are all that differs.
LEAST_LIKENESS = 0.5
_FEWEST_SLICES = 3
# Shifts across the axis up to this part of the width, the reciprocal of it.
_REACH = 12


@dataclass(frozen=True)
class Overlap:
    """How the second of two volumes lies against the first.

    Attributes
    ----------
    n_slices
        The last slices of the first, which are the first ones of the second.
    likeness
        Their correlation, 1 for equal ones.
    shift_px
        Where a point of the first is seen in the second: slices, rows and columns further than
        the slices in common say.
    """

    n_slices: int
    likeness: float
    shift_px: Shift = (0.0, 0.0, 0.0)


def find_overlap(first: Float64Array, second: Float64Array) -> Overlap:
    """Find how many slices at the end of a volume are those at the beginning of the next.

    Every number of slices is tried: the one whose slices are most alike, by the correlation of
    their cells where they are best shifted against each other, is the overlap. What all slices have
    in common, such as the outline of a rod, tells nothing of where they lie, and is taken off
    before.

    Parameters
    ----------
    first, second
        Cells of the slices of either volume, float64 (z, y, x), by :func:`cells_of`.

    Raises
    ------
    UserError
        If none are alike.
    """
    common = np.concatenate([first, second]).mean(axis=0)
    ends = [one - common for one in (first, second)]
    ends = [one - one.mean(axis=(1, 2), keepdims=True) for one in ends]
    powers = [np.square(one).sum(axis=(1, 2)) for one in ends]
    spectra = [fft.rfft2(one.astype(np.float32)) for one in ends]
    likeness = {
        n: _likeness(
            np.einsum("zyx,zyx->yx", spectra[0][-n:].conj(), spectra[1][:n]),
            float(np.sqrt(powers[0][-n:].sum() * powers[1][:n].sum())),
            (common.shape[0], common.shape[1]),
        )
        for n in range(_FEWEST_SLICES, min(len(first), len(second)) + 1)
    }
    best = max(likeness, key=lambda n: likeness[n], default=0)
    if not best or likeness[best] < LEAST_LIKENESS:
        found = f"; the most alike are {best}, by {likeness[best]:.2f}" if best else ""
        raise UserError(
            f"no slices at the end of the one are those at the beginning of the other{found};"
            " give the volumes in the order of the axis, or say --overlap"
        )
    return Overlap(best, likeness[best])


def find_shift(first: Float32Array, second: Float32Array) -> tuple[int, int]:
    """Return how far, in rows and columns, the same slices lie further in the second volume.

    By the peak of the circular cross-correlation of their mean slices, to a whole pixel.
    """
    one, other = (volume.mean(axis=0, dtype=np.float64) for volume in (first, second))
    one, other = one - one.mean(), other - other.mean()
    spectrum = np.conj(fft.rfft2(one)) * fft.rfft2(other)
    peak = np.unravel_index(np.argmax(fft.irfft2(spectrum, one.shape)), one.shape)
    dy, dx = (
        int(place) - size * (place > size // 2) for place, size in zip(peak, one.shape, strict=True)
    )
    return int(dy), int(dx)


def weights(n_slices: int) -> Float32Array:
    """Return the share of the second volume in each slice that both have, float32 (z, 1, 1).

    It rises evenly, so that no seam shows.
    """
    share = (np.arange(n_slices) + 1) / (n_slices + 1)
    return share.astype(np.float32)[:, None, None]


def cells_of(slices: Float32Array) -> Float64Array:
    """Average slices (z, y, x) over cells; what is left at their far ends is not looked at."""
    size = max(1, -(-max(slices.shape[1:]) // _MOST_CELLS))
    height, width = (n // size for n in slices.shape[1:])
    part = slices[:, : height * size, : width * size]
    return np.asarray(
        part.reshape(-1, height, size, width, size).mean(axis=(2, 4), dtype=np.float64)
    )


def _likeness(spectrum: npt.NDArray[np.complex64], power: float, shape: tuple[int, int]) -> float:
    """Return the largest correlation within the shifts that a stage may have."""
    reach = [max(1, size // _REACH) for size in shape]
    correlation = fft.irfft2(spectrum, shape)
    near = [np.arange(-most, most + 1) for most in reach]
    return float(correlation[np.ix_(*near)].max()) / power if power else 0.0
