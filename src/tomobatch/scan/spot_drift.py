"""A focal spot that drifts while a cone-beam scan is taken, as far as a full circle tells it.

The projections one step after the start and one step before the end are the first one, turned by a
step either way: to second order their mean is the first one, moved by half of what the spot, or the
sample, has moved on the detector between.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tomobatch.normalise.references import References
from tomobatch.scan.parts import Scan
from tomobatch.turn import FULL_TURN_RAD

_COARSEST_STEP_RAD = np.deg2rad(3.0)
# What is less moves no edge that can be seen; and it must stand out of what else differs.
_LEAST_PX, _LEAST_SIGMAS = 0.5, 5.0
_LEAST_TRANSMISSION = 1e-3
_FARTHEST_PX = 8


def spot_remarks(scan: Scan, references: References) -> Iterator[str]:
    """Remark on projections of a cone that moved on the detector; three are read."""
    header = scan.header
    beam, angles = header.beam, header.angles_rad
    if beam is None or beam.drift_px or len(angles) < 4:
        return
    step, last_step = angles[1] - angles[0], FULL_TURN_RAD - abs(angles[-1] - angles[0])
    if not (abs(step) < _COARSEST_STEP_RAD and abs(last_step - abs(step)) < 0.1 * abs(step)):
        return
    first, after, before = (
        _line_integrals(scan, references, i) for i in (0, 1, header.n_projections - 1)
    )
    moved = [_moved_px(first, (after + before) / 2, axis) for axis in (1, 0)]
    if any(abs(px) > max(_LEAST_PX, _LEAST_SIGMAS * sigma) for px, sigma in moved):
        across, along = (px for px, _ in moved)
        yield (
            f"from its first to its last projection the picture moves by {across:.1f} columns and"
            f" {along:.1f} rows, as where the focal spot drifts: give datasets.cone.drift_px,"
            f" such as [[0, 0, 0], [{header.n_projections - 1}, {across:.1f}, {along:.1f}]]"
        )


def _line_integrals(scan: Scan, references: References, index: int) -> NDArray[np.float64]:
    """Return one projection without its bad pixels; the flats of its time are good enough."""
    flat = references.flats[0 if index < scan.header.n_projections // 2 else -1]
    counts = scan.read_projections(index, index + 1)[0].astype(np.float64) - references.dark
    seen = counts / np.maximum(flat - references.dark, 1e-6)
    lines = -np.log(np.clip(seen, _LEAST_TRANSMISSION, 10.0))
    return np.where(references.bad_pixels | ~np.isfinite(lines), 0.0, lines)


def _moved_px(
    still: NDArray[np.float64], half_moved: NDArray[np.float64], axis: int
) -> tuple[float, float]:
    """Return by how much one of two added pictures moved along an axis, and how sure that is.

    Of shifts of the still one's profile, that whose mean with it is most like the other profile; a
    level that is not the same is the beam's, not a movement's.
    """
    profile, other = (picture.mean(axis=1 - axis) for picture in (still, half_moved))
    inside = slice(_FARTHEST_PX, -_FARTHEST_PX)
    places = np.arange(len(profile), dtype=np.float64)
    slope = np.gradient(profile)[inside]
    power = float(np.sum((slope - slope.mean()) ** 2))
    if power == 0 or len(slope) < _FARTHEST_PX:
        return 0.0, np.inf
    shifts = np.arange(-10 * _FARTHEST_PX, 10 * _FARTHEST_PX + 1) / 10
    left = [
        float(np.var((other - (profile + np.interp(places - px, places, profile)) / 2)[inside]))
        for px in shifts
    ]
    best = int(np.argmin(left))
    return float(shifts[best]), 2 * float(np.sqrt(left[best] / power))
