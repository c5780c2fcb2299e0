"""What everyone reconstructs: slices of the Shepp-Logan phantom, no two of them alike."""

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
from tests.reconstruct import shepp_logan


@dataclass(frozen=True)
class Scene:
    """Exact sinograms of ``n_slices`` slices and their truth.

    Slice i is a mixture of the phantom and of the phantom turned by 90 degrees (x to y),
    with weights of its own.
    """

    n_px: int
    n_angles: int
    n_slices: int

    @cached_property
    def angles_rad(self) -> np.ndarray:
        """Uniform over half a turn."""
        return np.arange(self.n_angles) * np.pi / self.n_angles

    @cached_property
    def weights(self) -> np.ndarray:
        """(slice, 2): what the two phantoms count in each slice."""
        turn = np.arange(self.n_slices) / self.n_slices
        return np.stack([1 - 0.5 * turn, 0.25 * np.cos(2 * np.pi * turn)], axis=1)

    @cached_property
    def sinograms(self) -> np.ndarray:
        """float32 (slice, angle, x)."""
        upright = shepp_logan.sinogram(self.n_px, self.angles_rad)
        turned = shepp_logan.sinogram(self.n_px, self.angles_rad - np.pi / 2)
        a, b = self.weights.astype(np.float32).T[:, :, None, None]
        return a * upright + b * turned

    def worst_rmse(self, slices: np.ndarray) -> float:
        """Return the largest error of the slices in the disk r < 0.95.

        Neither orientation nor scale are fitted.
        """
        disk = shepp_logan.disk(self.n_px)
        upright = self._truth
        turned = np.rot90(upright, -1)
        errors = [
            np.sqrt(np.mean((found - a * upright - b * turned)[disk] ** 2))
            for found, (a, b) in zip(slices, self.weights, strict=False)
        ]
        return float(max(errors))

    @cached_property
    def _truth(self) -> np.ndarray:
        return shepp_logan.picture(self.n_px)
