"""Centre of rotation from the sinogram's moments (the Helgason-Ludwig conditions).

The integral of every projection is the object's mass, and its centre of mass follows
``cor + x cos(angle) + y sin(angle)``. It needs no opposite projections, but the whole object in
the field of view and air at both sides of it.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.rim import ends_of

TOLERATED_MASS_SPREAD = 0.1  # relative; more and the object leaves the field of view


class Weighed(NamedTuple):
    """Mass of every projection and its first moment about the middle column, shape (angle,)."""

    mass: NDArray[np.float64]
    moment: NDArray[np.float64]


def moments_cor(row: NDArray[np.float32], angles_rad: NDArray[np.float64]) -> Candidate | None:
    """Fit the path of the centre of mass.

    Parameters
    ----------
    row
        Sinogram of one detector row, shape (angle, x), float32.
    angles_rad
        Shape (angle,).

    Returns
    -------
    The cor; None when the mass changes with the angle or the row's ends are not air: the object is
    cut off.
    """
    found = weigh(row)
    if found is None:
        return None
    n_angles, n_x = row.shape
    centre = found.moment / found.mass
    basis = circle(angles_rad)
    solution = np.linalg.lstsq(basis, centre, rcond=None)[0]
    residual = float(np.sum((centre - basis @ solution) ** 2) / max(n_angles - 3, 1))
    covariance = np.linalg.inv(basis.T @ basis) * residual
    return Candidate(
        cor_px=float(solution[0] + (n_x - 1) / 2),
        sigma_px=float(np.sqrt(covariance[0, 0])),
    )


def offset_noise(angles_rad: NDArray[np.float64]) -> float:
    """Return how far the cor by moments moves when each projection moves by one at random.

    No method that looks at all projections can do better: over half a turn, an offset of all
    projections is much like a move of the sample.
    """
    basis = circle(angles_rad)
    return float(np.sqrt(np.linalg.pinv(basis.T @ basis)[0, 0]))


def weigh(row: NDArray[np.float32]) -> Weighed | None:
    """Return the mass and the first moment of every projection of a row (angle, x).

    None when the mass changes with the angle or the row's ends are not air: the object is cut off.
    """
    n_x = row.shape[1]
    left, right = (np.median(end, axis=1) for end in ends_of(row))
    x = np.arange(n_x) - (n_x - 1) / 2
    base = left[:, None] + (right - left)[:, None] * (x / (n_x - 1) + 0.5)
    object_only = row - base
    mass = object_only.sum(axis=1, dtype=np.float64)
    if np.median(mass) <= 0:
        return None
    air = np.median(np.abs(np.concatenate([left, right])))
    spread = float(mass.std() / mass.mean())
    if spread > TOLERATED_MASS_SPREAD or air > TOLERATED_MASS_SPREAD * object_only.max():
        return None
    return Weighed(mass, object_only @ x)


def circle(angles_rad: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the centre of mass is made of, shape (angle, 3): an offset and a circle."""
    return np.stack([np.ones(len(angles_rad)), np.cos(angles_rad), np.sin(angles_rad)], axis=1)
