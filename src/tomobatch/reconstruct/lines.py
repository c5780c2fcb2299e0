"""Where the spectra of the rows lie on the grid: lines through its origin, sorted by direction."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float64Array
from tomobatch.reconstruct.geometry import Geometry


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of a geometry, and which angle each comes from.

    Attributes
    ----------
    directions_rad : float64 (line,)
        Ascending, 0 to pi.
    steps : float32 (line, 2)
        Grid points (u, v) from one frequency to the next; v is not negative, neither is 0.
    weights : float32 (angle,)
        What each angle counts; negative where its line runs against the direction of its spectrum.
    places : uint32 (angle, 2)
        Number of the angle's line; change of phase from one frequency to the next that moves the
        output's centre to the origin, in turns / 2^32, wrapping.
    """

    directions_rad: Float64Array
    steps: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float32]
    places: npt.NDArray[np.uint32]


def make_lines(geometry: Geometry, length: int, n_grid: int) -> Lines:
    """Return the lines of rows of ``length`` samples on a grid of ``n_grid`` points a side."""
    cosine, sine = np.cos(geometry.angles_rad), np.sin(geometry.angles_rad)
    folded = np.where((sine < 0) | ((sine == 0) & (cosine < 0)), -1.0, 1.0)
    directions_rad = np.arctan2(folded * sine, folded * cosine)
    order = np.argsort(directions_rad, kind="stable")
    scale = geometry.binning * n_grid / length
    steps = np.stack([folded * cosine, folded * sine], axis=1)[order] * scale
    # The kernel divides by them.
    steps[np.abs(steps) < 1e-12] = 1e-12
    height, width = geometry.shape_px
    centre_px = geometry.x_px[width // 2] * cosine + geometry.y_px[height // 2] * sine
    places = np.empty((geometry.n_angles, 2), dtype=np.uint32)
    places[order, 0] = np.arange(geometry.n_angles)
    places[:, 1] = np.mod(np.round(centre_px / length * 2**32), 2**32).astype(np.uint32)
    return Lines(
        directions_rad=directions_rad[order],
        steps=steps.astype(np.float32),
        weights=(folded * geometry.angle_weights).astype(np.float32),
        places=places,
    )
