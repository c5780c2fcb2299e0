"""Centre of rotation from the slice: about the right one it has the least negative values.

T. Donath et al., "Toward optimum of reconstruction: automated determination of the center of
rotation in tomography", J. Opt. Soc. Am. A 23 (2006) 1048, metric Q_IN. A coarse method, but one
that shares no assumption with the others: it is the referee between them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.quicklook import back_project, ramp_filter, sample_points

WIDEST_PX = 256
MOST_ANGLES = 256
N_POINTS = 6_000
Floats = NDArray[np.float64]

N_STEPS = 5  # on each side of the start


def negativity_cor(
    half_turn: NDArray[np.float32], angles_rad: Floats, starts_px: list[float]
) -> Candidate | None:
    """Find the cor near one of the starts whose slice has the least negative values.

    Parameters
    ----------
    half_turn
        Sinogram of one detector row over half a turn, shape (angle, x), float32.
    angles_rad
        Shape (angle,).
    starts_px
        What other methods found; the best of them is refined, a step being a binned pixel or a
        detector pixel, whichever is more.

    Returns
    -------
    The cor; None when the minimum lies at the end of the steps.
    """
    n_angles, n_x = half_turn.shape
    bin_x, bin_angles = max(1, n_x // WIDEST_PX), max(1, n_angles // MOST_ANGLES)
    n_x, n_angles = n_x // bin_x, n_angles // bin_angles
    binned = half_turn[: n_angles * bin_angles, : n_x * bin_x]
    binned = binned.reshape(n_angles, bin_angles, n_x, bin_x).mean(axis=(1, 3)) * bin_x
    angles = angles_rad[: n_angles * bin_angles].reshape(n_angles, bin_angles).mean(axis=1)
    filtered = ramp_filter(binned.astype(np.float32))

    # Where every ray meets the detector about every cor tried, or a sixth of the width at least.
    middle = (float(np.mean(starts_px)) - (bin_x - 1) / 2) / bin_x
    radius_px = min(middle, n_x - 1 - middle) - N_STEPS - 1
    points = sample_points(max(radius_px, n_x / 6), N_POINTS)

    def negativity(cors_px: Floats) -> Floats:
        slices = back_project(filtered, angles, (cors_px - (bin_x - 1) / 2) / bin_x, points)
        return np.asarray(-np.minimum(slices, 0).mean(axis=1, dtype=np.float64))

    starts = np.unique(np.round(starts_px, 2))
    start = starts[np.argmin(negativity(starts))] if len(starts) > 1 else starts[0]
    offsets = np.arange(-N_STEPS, N_STEPS + 1) * max(1.0, bin_x / 2)
    curve = negativity(start + offsets)
    best = int(np.argmin(curve))
    if best < 2 or best > len(curve) - 3:
        return None
    near = np.s_[best - 2 : best + 3]
    fit = np.polynomial.Polynomial.fit(offsets[near], curve[near], 2)
    if fit.deriv(2)(0) <= 0:
        return None
    misfit = float(np.std(curve[near] - fit(offsets[near])))
    offset = float(np.clip(fit.deriv().roots()[0], offsets[best - 1], offsets[best + 1]))
    step = offsets[1] - offsets[0]
    depth = float(curve.mean() - curve[best])
    return Candidate(
        cor_px=float(start + offset),
        sigma_px=float(step * np.clip(0.3 + misfit / max(depth, 1e-12), 0.3, 5)),
    )
