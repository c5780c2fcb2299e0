"""Centre of rotation from the slice: about the right one its edges are the sharpest.

The measure is how unevenly the gradient is spread over the slice, ``mean(g^2) / mean(g)^2``: edges
drawn twice, or smeared into arcs, spread it. It shares nothing with the methods that compare
opposite views, and is the referee between them.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.peak import parabola_vertex
from tomobatch.calibrate.quicklook import back_project, ramp_filter

WIDEST_PX = 512
MOST_ANGLES = 256
CROP_PX = 112
HOLE_PX = 8  # about the axis, where rings move with the cor that is tried
SMOOTHING_PX = 1.0
N_STEPS, STEP_PX = 6, 0.5
LEAST_RISE = 3.0  # of the peak over the curve's own roughness
Floats = NDArray[np.float64]


def sharpness_cor(
    half_turn: NDArray[np.float32], angles_rad: Floats, start_px: float
) -> Candidate | None:
    """Find the cor near the start whose slice has the sharpest edges.

    Parameters
    ----------
    half_turn
        Sinogram of one detector row over half a turn, shape (angle, x), float32.
    angles_rad
        Shape (angle,).
    start_px
        What another method found; looked at is up to 3 pixels around it (more where the detector
        is wider than 512 px, whose pixels are then averaged).

    Returns
    -------
    The cor; None when the best lies at the end of the steps or does not stand out.
    """
    bin_x = -(-half_turn.shape[1] // WIDEST_PX)
    bin_angles = max(1, half_turn.shape[0] // MOST_ANGLES)
    binned, angles = _binned(half_turn, angles_rad, bin_x, bin_angles)
    filtered = ramp_filter(binned)
    found = _peak(filtered, angles, (round(start_px) - (bin_x - 1) / 2) / bin_x)
    if found is None:
        return None
    return Candidate(found.cor_px * bin_x + (bin_x - 1) / 2, found.sigma_px * bin_x)


def sharpness(image: NDArray[np.float32], counted: NDArray[np.bool_]) -> float:
    """Return how unevenly the gradient of an image (y, x) is spread over the pixels that count.

    1 where it is the same everywhere or there is none; its outermost pixels never count.
    """
    smooth = ndimage.gaussian_filter(image, SMOOTHING_PX)
    by_y, by_x = np.gradient(smooth, axis=0), np.gradient(smooth, axis=1)
    gradient = np.hypot(by_y, by_x)[1:-1, 1:-1][counted[1:-1, 1:-1]]
    mean = float(np.mean(gradient)) if gradient.size else 0.0
    return float(np.mean(gradient**2)) / mean**2 if mean > 0 else 1.0


def _binned(
    row: NDArray[np.float32], angles_rad: Floats, bin_x: int, bin_angles: int
) -> tuple[NDArray[np.float32], Floats]:
    n_angles, n_x = len(row) // bin_angles, row.shape[1] // bin_x
    row = row[: n_angles * bin_angles, : n_x * bin_x]
    mean = row.reshape(n_angles, bin_angles, n_x, bin_x).mean(axis=(1, 3)) * bin_x
    angles = angles_rad[: n_angles * bin_angles].reshape(n_angles, bin_angles).mean(axis=1)
    return mean.astype(np.float32), angles


def _peak(filtered: NDArray[np.float32], angles_rad: Floats, start_px: float) -> Candidate | None:
    """Return the cor about which the slice is sharpest."""
    side = min(CROP_PX, filtered.shape[1] * 2 // 3)
    axis = (np.arange(side) - (side - 1) / 2).astype(np.float32)
    x, y = np.meshgrid(axis, axis)
    counted = np.hypot(x, y) > HOLE_PX
    cors_px = start_px + STEP_PX * np.arange(-N_STEPS, N_STEPS + 1, dtype=np.float64)
    slices = back_project(filtered, angles_rad, cors_px, (x.ravel(), y.ravel()))
    curve = np.empty(len(cors_px))
    for i, one in enumerate(slices.reshape(-1, side, side)):
        curve[i] = sharpness(one, counted)
    at = int(np.argmax(curve))
    if not 1 < at < len(curve) - 2:
        return None
    near = slice(at - 2, at + 3)
    fit = np.polynomial.Polynomial.fit(cors_px[near] - cors_px[at], curve[near], 2)
    bend = float(fit.deriv(2)(0))
    rough = float(np.std(curve[near] - fit(cors_px[near] - cors_px[at]))) + 1e-12
    if bend >= 0 or curve[at] - np.median(curve) < LEAST_RISE * rough:
        return None
    offset, _ = parabola_vertex(*curve[at - 1 : at + 2])
    sigma_px = float(np.clip(rough / (abs(bend) * STEP_PX), 0.05, 2.0))
    return Candidate(float(cors_px[at]) + offset * STEP_PX, sigma_px)
