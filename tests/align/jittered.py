"""Scans of the demo specimen whose projections jitter and drift, with exact line integrals."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from tomobatch.beam import ConeBeam
from tomobatch.phantom.cone import cone_line_integrals
from tomobatch.phantom.project import line_integrals
from tomobatch.phantom.specimen import bead_pack

N_PX, N_ROWS = 128, 32
COR_PX = (N_PX - 1) / 2 + 2.3
NOISE = 0.01
BEAM = ConeBeam(400.0, 800.0, 2.0, 2.0)


@dataclass(frozen=True)
class Jittered:
    """Sinograms (row, angle, x) as they were taken, and as they would be without movement."""

    taken: np.ndarray
    still: np.ndarray
    angles_rad: np.ndarray
    x_px: np.ndarray
    y_px: np.ndarray


def jittered(
    jitter_px, *, drift_px=0.0, n_angles=120, turn_rad=np.pi, width=0.85, beam=None, seed=0
) -> Jittered:
    """Take a scan whose every projection lies off at random, and ever further by a drift.

    ``width`` is that of the specimen's field, in widths of the detector.
    """
    rng = np.random.default_rng(seed)
    solids = bead_pack(int(N_PX * width), N_ROWS, rng).solids
    angles_rad = np.linspace(0, turn_rad, n_angles, endpoint=False)
    drift = drift_px * np.linspace(-0.5, 0.5, n_angles)
    x_px, y_px = (rng.normal(0, jitter_px, n_angles) + drift for _ in range(2))
    noise = rng.normal(0, NOISE, (N_ROWS, n_angles, N_PX))

    def take(i, x, y):
        if beam is not None:
            size = {"n_rows": N_ROWS, "n_cols": N_PX}
            return cone_line_integrals(
                solids, beam, angles_rad[i], drift_px=(x, y), samples=1, **size
            )
        lower = [replace(solid, z_px=solid.z_px + y) for solid in solids]
        return line_integrals(
            lower, angles_rad[i], n_rows=N_ROWS, n_cols=N_PX, cor_px=COR_PX + x, samples=1
        )

    with ThreadPoolExecutor(2) as threads:
        taken = list(threads.map(take, range(n_angles), x_px, y_px))
        still = list(threads.map(take, range(n_angles), 0 * x_px, 0 * y_px))
    taken, still = ((np.stack(one, axis=1) + noise).astype(np.float32) for one in (taken, still))
    return Jittered(taken, still, angles_rad, x_px, y_px)


def sharpness(image: np.ndarray) -> float:
    """Return the rms gradient of a slice within the specimen."""
    slope_y, slope_x = np.gradient(image)
    y, x = np.mgrid[: len(image), : len(image)] - (len(image) - 1) / 2
    inside = np.hypot(x, y) < 0.4 * len(image)
    return float(np.sqrt(np.mean((slope_x**2 + slope_y**2)[inside])))
