"""Scans whose beam has a pattern that moves, as behind a multilayer that drifts."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from scipy import ndimage
from tests.odd_scans.scene import Floats, Scene, counts, evenly

DARK = 100.0


@dataclass(frozen=True)
class Beam:
    """How the pattern is made.

    Attributes
    ----------
    bands
        It depends on the row alone; or else it is a speckle.
    moves
        Standard deviation of its place, in rows.
    in_projections
        It moves while projections are taken, and not in the flats alone.
    amplitude
        Standard deviation of its brightness.
    """

    bands: bool = True
    moves: float = 1.5
    in_projections: bool = True
    amplitude: float = 0.05
    photons: float = 20_000.0
    n_flats: int = 40


@dataclass(frozen=True)
class MovingScan:
    """A scan in an NXtomo file, and its exact line integrals (angle, y, x)."""

    path: Path
    exact: Floats

    def band_error(self, line_integrals: np.ndarray) -> float:
        """The rms of the rows' means, which is what bands leave, without a projection's mean."""
        off = line_integrals - self.exact
        off -= off.mean(axis=(1, 2), keepdims=True)
        return float(np.sqrt(np.mean(off.mean(axis=2) ** 2)))

    def error(self, line_integrals: np.ndarray) -> float:
        """The rms of all, without a projection's mean."""
        off = line_integrals - self.exact
        return float(np.std(off - off.mean(axis=(1, 2), keepdims=True)))


def take(path: Path, beam: Beam, *, layered: bool = False, seed: int = 0) -> MovingScan:
    """Take flats, projections and flats; `layered` puts horizontal layers into the object."""
    rng = np.random.default_rng(seed)
    n_y, n_x, n = 48, 96, 60
    exact = Scene(evenly(n), n_rows=n_y, n_cols=n_x, cor_px=49.0).line_integrals()
    if layered:
        exact *= 1 + 0.2 * (np.arange(n_y) // 6 % 2)[:, None]
    gain = rng.normal(1, 0.03, (n_y, n_x))
    pattern = ndimage.gaussian_filter(rng.normal(size=(n_y + 40, n_x)), (1.5, 1.5), mode="wrap")
    if beam.bands:
        pattern = np.repeat(pattern[:, :1], n_x, axis=1)
    pattern *= beam.amplitude / pattern.std()

    def lit(moving: bool) -> Floats:
        place = rng.normal() * beam.moves if moving else 0.0
        moved = ndimage.shift(pattern, (place, 0), order=1, mode="nearest")[20:-20]
        return beam.photons * rng.normal(1, 0.01) * gain * (1 + moved)

    flats = [[rng.poisson(lit(True)) for _ in range(beam.n_flats // 2)] for _ in range(2)]
    shadows = [rng.poisson(lit(beam.in_projections) * np.exp(-one)) for one in exact]
    stack = np.concatenate([np.zeros((5, n_y, n_x)), flats[0], shadows, flats[1]]) + DARK
    key = np.repeat([2, 1, 0, 1], [5, beam.n_flats // 2, n, beam.n_flats // 2])
    angles = np.zeros(len(key))
    angles[key == 0] = evenly(n)
    with h5py.File(path, "w") as file:
        file["entry/instrument/detector/data"] = counts(stack)
        file["entry/instrument/detector/image_key"] = key
        file["entry/sample/rotation_angle"] = angles
        file["entry/sample/rotation_angle"].attrs["units"] = "degree"
    return MovingScan(path, exact)
