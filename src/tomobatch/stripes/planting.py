"""A scan's own stripes, taken out of its sinograms and planted again elsewhere.

Which method is best cannot be seen in what it leaves: a method that flattens what a figure looks at
is praised by the figure. But the stripes of a scan can be measured as the offsets of its columns,
taken out, and added again to other columns. Then what a method should have found is known, and its
error is a difference, not an opinion: a bootstrap (B. Efron, Ann. Statist. 7, 1979, 1) whose model
is one offset a column that changes slowly with the angle.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.ndimage as ndi

from tomobatch.arrays import Float32Array
from tomobatch.spread import NORMAL_MAD, median, white_noise
from tomobatch.stripes.running_median import running_median

# An offset may change this many times over the angles: stripes that come and go are followed.
_CHANGES = 6
# Offsets below so many standard deviations of their noise are noise, and are not planted.
_NOISE_SIGMAS = 2.5
# Readings beyond so many spreads of their column are the sample's edges.
_EDGE_SPREADS = 4.0
_NARROWEST_WINDOW_PX, _WINDOW_SHARE = 11, 20


@dataclass(frozen=True)
class Parted:
    """A sinogram in two parts.

    Attributes
    ----------
    clean
        float32 (x, angle): without the offsets of its columns.
    stripes
        float32 (x, angle): the offsets that are more than noise.
    """

    clean: Float32Array
    stripes: Float32Array

    def planted(self, shift: int) -> Float32Array:
        """Return the clean sinogram with the stripes so many columns further right, (x, angle)."""
        return self.clean + np.roll(self.stripes, shift, axis=0)


def part(columns: Float32Array, cor_px: float) -> Parted:
    """Part a sinogram into what it shows and the offsets of its columns.

    A sample whose structure is concentric has offsets as well, but equal ones on both sides of the
    axis, which stripes have not: as far as the two sides agree, offsets are left in.

    Parameters
    ----------
    columns
        float32 (x, angle), line integrals in the order of the angles.
    cor_px
        Centre of rotation.
    """
    n_columns, n_angles = columns.shape
    window_px = max(_NARROWEST_WINDOW_PX, n_columns // _WINDOW_SHARE | 1)
    rough = columns - running_median(np.ascontiguousarray(columns), window_px)
    middle = median(rough)[:, None]
    spread = median(np.abs(rough))[:, None] * NORMAL_MAD * _EDGE_SPREADS
    np.clip(rough, middle - spread, middle + spread, out=rough)
    length = max(3, n_angles // _CHANGES)
    offsets = ndi.uniform_filter1d(rough, length, axis=1, mode="nearest")
    offsets *= _own_share(offsets.mean(axis=1), cor_px)[:, None]
    limit = _NOISE_SIGMAS * white_noise(columns, axis=0) / np.sqrt(length)
    stripes = np.where(np.abs(offsets) > limit, offsets, 0).astype(np.float32)
    return Parted(columns - offsets, stripes)


def _own_share(offsets: npt.NDArray[np.float32], cor_px: float) -> npt.NDArray[np.float32]:
    """Return the share of each column's offset that its opposite column does not have."""
    places = np.arange(len(offsets))
    opposite = 2 * cor_px - places
    seen = (opposite > 0) & (opposite < len(offsets) - 1)
    mirrored = np.where(seen, np.interp(opposite, places, offsets), 0)
    power = float(np.sum(offsets[seen] ** 2))
    agreement = max(0.0, float(np.sum(offsets * mirrored)) / power) if power > 0 else 0.0
    same_side = offsets * mirrored > 0
    common = np.where(same_side, np.minimum(np.abs(offsets), np.abs(mirrored)), 0)
    share = np.divide(common, np.abs(offsets), out=np.zeros_like(common), where=same_side)
    return np.asarray(1 - min(agreement, 1.0) * share, np.float32)
