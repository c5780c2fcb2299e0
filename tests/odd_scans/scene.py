"""A known object before a detector with faults of its own, and the volume that it should give."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from tests.calibrate.ellipses import Ellipse, sinogram

Floats = NDArray[np.float64]

DARK = 90.0
N_REFERENCES = 10
_SUBPIXELS = 5

# x, y, half axes a and b as shares of the half width, turn in degrees, attenuation as a share of
# the body's. The last one fades from row to row, so that a volume upside down is seen.
_PARTS = (
    (0.03, 0.06, 0.68, 0.55, 20, 1.0),
    (0.34, 0.18, 0.13, 0.09, 70, 1.2),
    (-0.26, 0.27, 0.17, 0.12, -30, -0.8),
    (-0.14, -0.31, 0.10, 0.10, 0, 1.8),
    (0.22, -0.22, 0.07, 0.05, 45, 2.5),
)


@dataclass(frozen=True)
class Scene:
    """How a scan is taken.

    Attributes
    ----------
    angles_deg
        Of the projections.
    cor_px
        Column of the axis.
    size
        Half width of the detector that the object is drawn for, in half widths of this one.
    absorption
        Along a line through the body.
    photons
        A pixel of the open beam.
    """

    angles_deg: Floats
    n_rows: int = 6
    n_cols: int = 80
    cor_px: float = 41.3
    size: float = 1.0
    absorption: float = 1.5
    photons: float = 20_000.0
    seed: int = 5

    def parts(self, row: int) -> list[Ellipse]:
        """The object in the slice of a row, in pixels."""
        half = self.size * self.n_cols / 2
        base = self.absorption / (2 * _PARTS[0][2] * half)
        shares = [1.0] * (len(_PARTS) - 1) + [1 - 0.7 * row / max(1, self.n_rows - 1)]
        return [
            Ellipse(x * half, y * half, a * half, b * half, np.deg2rad(turn), base * mu * share)
            for (x, y, a, b, turn, mu), share in zip(_PARTS, shares, strict=True)
        ]

    def line_integrals(self) -> Floats:
        """Exact ones, float64 (angle, y, x)."""
        angles = np.deg2rad(self.angles_deg)
        rows = [
            sinogram(self.parts(row), angles, self.n_cols, self.cor_px)
            for row in range(self.n_rows)
        ]
        return np.stack(rows, axis=1)

    def truth(self, size_px: int) -> Floats:
        """The volume (z, y, x) in 1/px, each voxel the mean of 25 points."""
        sub = (np.arange(_SUBPIXELS) + 0.5) / _SUBPIXELS - 0.5
        place = ((np.arange(size_px) - (size_px - 1) / 2)[:, None] + sub).reshape(-1)
        y, x = np.meshgrid(place, place, indexing="ij")
        slices = [
            sum(_filled(part, x, y) for part in self.parts(row)) for row in range(self.n_rows)
        ]
        fine = np.stack(slices).reshape(self.n_rows, size_px, _SUBPIXELS, size_px, _SUBPIXELS)
        return np.asarray(fine.mean(axis=(2, 4)))


@dataclass(frozen=True)
class Taken:
    """Counts of a scan, (n, y, x) each, and the angles that its file should state."""

    scene: Scene
    projections: Floats
    flats: Floats
    darks: Floats
    angles_deg: Floats

    def changed(self, **parts: object) -> "Taken":
        """Return it with other parts."""
        return replace(self, **parts)


def evenly(n: int = 120, last_deg: float = 180.0, *, closed: bool = False) -> Floats:
    """Angles from 0."""
    return np.linspace(0, last_deg, n, endpoint=closed)


def take(scene: Scene, levels: Sequence[float] = (1.0,), *, faults: bool = True) -> Taken:
    """Take flats, projections and darks of a scene with a detector that is not perfect.

    The beam is brighter in the middle rows, pixels differ in gain and in dark level, a few are dead
    or hot, photons are counted, and zingers fall.

    Parameters
    ----------
    scene
        What is taken.
    levels
        Of the beam, at times spread evenly over the scan: flats at each, and projections between.
    faults
        Dead and hot pixels and zingers.
    """
    rng = np.random.default_rng(scene.seed)
    shape = (scene.n_rows, scene.n_cols)
    profile = 1 - 0.3 * np.linspace(-1, 1, scene.n_rows) ** 2 if scene.n_rows > 1 else np.ones(1)
    beam = scene.photons * profile[:, None] * rng.normal(1, 0.04, shape)
    level = DARK + rng.normal(0, 3, shape)
    n = len(scene.angles_deg)
    times = np.linspace(0, n, len(levels))
    of_projections = np.interp(np.arange(n) + 0.5, times, levels)[:, None, None]
    lit = rng.poisson(beam * of_projections * np.exp(-scene.line_integrals()))
    flats = np.concatenate([rng.poisson(beam * one, (N_REFERENCES, *shape)) for one in levels])
    darks = np.zeros((N_REFERENCES, *shape))
    stacks = [level + stack + rng.normal(0, 2, stack.shape) for stack in (lit, flats, darks)]
    if faults:
        _spoil(stacks, scene, rng)
    projections, flats, darks = (np.clip(stack, 0, 65535) for stack in stacks)
    return Taken(scene, projections, flats, darks, scene.angles_deg)


def counts(stack: Floats) -> NDArray[np.uint16]:
    """As a camera of 16 bits gives them."""
    return np.clip(np.rint(stack), 0, 65535).astype(np.uint16)


def _spoil(stacks: list[Floats], scene: Scene, rng: np.random.Generator) -> None:
    """Let one pixel be dead and one hot in all stacks, and zingers fall on the projections."""
    for place, value in (((0, 9), 0.0), ((scene.n_rows // 2, scene.n_cols - 17), 65535.0)):
        for stack in stacks:
            stack[:, *place] = value
    hit = rng.random(stacks[0].shape) < 1e-4
    stacks[0][hit] += scene.photons * rng.uniform(0.5, 2, int(hit.sum()))


def _filled(part: Ellipse, x: Floats, y: Floats) -> Floats:
    cos, sin = np.cos(part.phi_rad), np.sin(part.phi_rad)
    along = (x - part.x_px) * cos + (y - part.y_px) * sin
    across = (y - part.y_px) * cos - (x - part.x_px) * sin
    return part.attenuation * ((along / part.a_px) ** 2 + (across / part.b_px) ** 2 <= 1)
