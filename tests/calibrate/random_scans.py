"""Random scans with exact line integrals of ellipsoids about an axis that is really tilted.

The object turns about an axis that leans in the detector plane, so that a detector row sees slices
above and below its own at its two ends, as on a beamline. The independent truth of
``benchmarks/calibration.py`` and of a seeded sample of it in the tests.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tomobatch.stripes.removal import remove_stripes
from tomobatch.stripes.settings import StripeSettings

Floats = NDArray[np.float64]
SUBPIXELS = 3
# Kind of scan: how often it is drawn.
KINDS = {
    "plain": 20,
    "few angles": 12,
    "low dose": 14,
    "wide object": 14,
    "off centre": 12,
    "full turn": 10,
    "half acquisition": 10,
    "strong stripes": 12,
    "drift": 10,
    "faint": 8,
    "jitter": 8,
    "missing wedge": 6,
    "uneven angles": 6,
    "concentric": 6,
    "wide, few angles, rings": 10,
}


@dataclass(frozen=True)
class Recipe:
    """Everything that was drawn for one scan.

    Attributes
    ----------
    photons
        A pixel of the open beam.
    radius
        Of the body, in widths of the detector; above 0.5 it is cut off.
    stripes, drift, jitter_px
        Standard deviation of the columns' error, amplitude of a slow change of the beam, standard
        deviation of the sample's movement along x.
    """

    kind: str
    seed: int
    n_x: int
    n_rows: int
    first_deg: float
    last_deg: float
    n_angles: int
    closed: bool
    cor_px: float
    tilt_deg: float
    photons: float
    radius: float
    absorption: float
    stripes: float = 0.003
    drift: float = 0.01
    jitter_px: float = 0.0
    uneven: float = 0.0
    n_parts: int = 30
    off_axis: float = 0.15


@dataclass(frozen=True)
class RandomScan:
    """Line integrals float32 (y, angle, x), their angles, and how they were drawn."""

    sinograms: NDArray[np.float32]
    angles_rad: Floats
    recipe: Recipe


def draw(seed: int, **given: object) -> Recipe:
    """Return a random recipe, the same for the same seed; what is given is not drawn."""
    rng = np.random.default_rng([2026, seed])
    names, weights = list(KINDS), np.array(list(KINDS.values()), dtype=np.float64)
    kind = str(given.get("kind", rng.choice(names, p=weights / weights.sum())))
    n_x = int(given.get("n_x", rng.integers(128, 257)))
    values = {
        "kind": kind,
        "seed": seed,
        "n_x": n_x,
        "n_rows": int(rng.choice([16, 24, 40, 64, 72, 80])),
        "first_deg": float(rng.choice([0.0, -90.0, 17.3])),
        "last_deg": 180.0,
        "n_angles": int(n_x * rng.uniform(0.7, 1.7)),
        "closed": bool(rng.random() < 0.4),
        "cor_px": (n_x - 1) / 2 + n_x * float(rng.uniform(-0.06, 0.06)),
        "tilt_deg": float(rng.uniform(-0.8, 0.8)),
        "photons": float(np.exp(rng.uniform(np.log(3e3), np.log(1e5)))),
        "radius": float(rng.uniform(0.25, 0.4)),
        "absorption": float(rng.uniform(0.5, 3.0)),
    }
    values |= _of_kind(kind, n_x, rng)
    values |= given
    values["last_deg"] += values["first_deg"]
    return Recipe(**values)


def process(sinograms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Remove stripes as the workflow does before it looks for the axis."""
    return remove_stripes(sinograms, StripeSettings(method="filtering"))


def _of_kind(kind: str, n_x: int, rng: np.random.Generator) -> dict[str, object]:
    """Return what is special about a kind."""
    side = float(rng.choice([-1, 1]))
    middle = (n_x - 1) / 2
    turn = {"last_deg": 360.0, "n_angles": int(n_x * rng.uniform(1.2, 2.4))}
    match kind:
        case "few angles":
            return {"n_angles": int(rng.integers(30, 90))}
        case "low dose":
            return {"photons": float(np.exp(rng.uniform(np.log(30), np.log(1500))))}
        case "wide object":
            return {"radius": float(rng.uniform(0.55, 0.9))}
        case "off centre":
            return {
                "cor_px": middle + side * n_x * float(rng.uniform(0.1, 0.3)),
                "radius": float(rng.uniform(0.15, 0.6)),
            }
        case "full turn":
            return {
                **turn,
                "cor_px": middle + side * n_x * float(rng.uniform(0, 0.25)),
                "last_deg": float(rng.choice([360.0, 355.0, 350.0])),
            }
        case "half acquisition":
            return {
                **turn,
                "cor_px": middle + side * n_x * float(rng.uniform(0.3, 0.46)),
                "radius": float(rng.uniform(0.55, 0.75)),
            }
        case "strong stripes":
            return {"stripes": float(rng.uniform(0.02, 0.06))}
        case "drift":
            return {"drift": float(rng.uniform(0.05, 0.3))}
        case "faint":
            return {"absorption": float(rng.uniform(0.03, 0.15)), "photons": 5e4}
        case "jitter":
            return {"jitter_px": float(rng.uniform(0.3, 2.0))}
        case "missing wedge":
            return {"last_deg": float(rng.uniform(120, 170))}
        case "uneven angles":
            return {"uneven": 0.4}
        case "concentric":
            return {"off_axis": 0.01, "n_parts": 12}
        case "wide, few angles, rings":
            return {
                "radius": float(rng.uniform(0.55, 0.8)),
                "n_angles": int(n_x * rng.uniform(0.3, 0.5)),
                "stripes": float(rng.uniform(0.02, 0.05)),
                "photons": float(rng.uniform(300, 2000)),
            }
    return {}


def measure(recipe: Recipe, path_px: Callable[[Floats], Floats] | None = None) -> RandomScan:
    """Make the scan of a recipe, of a sample that goes along a path of the time, 0 to 1."""
    rng = np.random.default_rng([77, recipe.seed])
    steps = np.linspace(0, 1, recipe.n_angles, endpoint=recipe.closed)
    steps = steps + recipe.uneven / recipe.n_angles * rng.uniform(-1, 1, recipe.n_angles)
    time = np.sort(steps)
    angles = np.deg2rad(recipe.first_deg + (recipe.last_deg - recipe.first_deg) * time)
    shifts = recipe.jitter_px * rng.standard_normal(recipe.n_angles)
    if path_px is not None:
        shifts += path_px(time)
    exact = project(_object(recipe, rng), angles, shifts, recipe)
    return RandomScan(_detect(exact, recipe, rng), angles, recipe)


def exact_projections(recipe: Recipe, angles_rad: Floats, shifts_px: Floats) -> Floats:
    """Return the line integrals of some projections of a recipe's scan, float64 (angle, y, x)."""
    rng = np.random.default_rng([77, recipe.seed])
    return project(_object(recipe, rng), angles_rad, shifts_px, recipe).swapaxes(0, 1)


def _object(recipe: Recipe, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return ellipsoids (part, 13): centre, matrix (3 x 3, axes squared inverted), attenuation."""
    radius = recipe.radius * recipe.n_x
    height = max(recipe.n_rows * rng.uniform(0.4, 3), 0.3 * radius)
    base = recipe.absorption / (2 * min(radius, recipe.n_x / 2))
    centre = rng.uniform(-1, 1, 3) * radius * recipe.off_axis
    centre[2] = rng.uniform(-0.3, 0.3) * recipe.n_rows
    shape = np.array([rng.uniform(0.7, 1), rng.uniform(0.5, 0.9), 1]) * [radius, radius, height]
    parts = [_ellipsoid(centre, shape, rng.uniform(0, np.pi), rng.uniform(-0.1, 0.1), base)]
    for _ in range(recipe.n_parts):
        away = 0.6 * shape * _in_ball(rng)
        away[2] = rng.uniform(-0.7, 0.7) * min(recipe.n_rows, height)
        sizes = radius * np.exp(rng.uniform(np.log(0.015), np.log(0.15), 3))
        change = base * rng.uniform(-0.8, 1.5)
        turn, lean = rng.uniform(0, np.pi), rng.uniform(0, np.pi)
        parts.append(_ellipsoid(centre + away, sizes, turn, lean, change))
    return np.stack(parts)


def _in_ball(rng: np.random.Generator) -> Floats:
    direction = rng.standard_normal(3)
    return np.asarray(direction / np.linalg.norm(direction) * rng.random() ** (1 / 3))


def _ellipsoid(centre: Floats, axes: Floats, turn: float, lean: float, change: float) -> Floats:
    """Return one row of `_object`; turned about z, then leant about x."""
    c, s = np.cos(turn), np.sin(turn)
    about_z = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(lean), np.sin(lean)
    about_x = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    turned = about_x @ about_z
    matrix = turned @ np.diag(axes**-2.0) @ turned.T
    return np.concatenate([centre, matrix.ravel(), [change]])


def project(parts: Floats, angles_rad: Floats, shifts_px: Floats, recipe: Recipe) -> Floats:
    """Line integrals float64 (y, angle, x), each pixel the mean of 3 x 3 rays."""
    tilt = np.deg2rad(recipe.tilt_deg)
    shape = (recipe.n_rows, len(angles_rad), recipe.n_x)
    out = np.zeros(shape)
    _project(parts, angles_rad, recipe.cor_px + shifts_px, np.cos(tilt), np.sin(tilt), out)
    return out


@njit(cache=True)
def _project(parts, angles_rad, cors_px, cos_tilt, sin_tilt, out):
    n_rows, n_angles, n_x = out.shape
    middle = (n_rows - 1) / 2
    n_sub = SUBPIXELS
    for i in range(n_angles):
        ct, st = np.cos(angles_rad[i]), np.sin(angles_rad[i])
        for part in parts:
            xx, xy, xz, yy, yz, zz = part[3], part[4], part[5], part[7], part[8], part[11]
            # Axes t (along the detector), d (along the ray) and z of the sample.
            tt = xx * ct * ct + 2 * xy * ct * st + yy * st * st
            dd = xx * st * st - 2 * xy * ct * st + yy * ct * ct
            td = (yy - xx) * ct * st + xy * (ct * ct - st * st)
            tz, dz = xz * ct + yz * st, -xz * st + yz * ct
            a, b, c = tt - td * td / dd, tz - td * dz / dd, zz - dz * dz / dd
            t0, z0 = part[0] * ct + part[1] * st, part[2]
            factor = 2 * part[12] / np.sqrt(dd) / n_sub**2
            half_z = np.sqrt(a / (a * c - b * b))
            half_t = np.sqrt(c / (a * c - b * b))
            reach = half_t + half_z * abs(sin_tilt)
            for y in range(n_rows):
                v0 = y - middle
                u_mid = t0 * cos_tilt + z0 * sin_tilt
                first = max(0, int(np.floor(cors_px[i] + u_mid - reach - 1)))
                last = min(n_x - 1, int(np.ceil(cors_px[i] + u_mid + reach + 1)))
                for x in range(first, last + 1):
                    total = 0.0
                    for p in range(n_sub):
                        u = x + (p + 0.5) / n_sub - 0.5 - cors_px[i]
                        for q in range(n_sub):
                            v = v0 + (q + 0.5) / n_sub - 0.5
                            t = u * cos_tilt - v * sin_tilt - t0
                            z = u * sin_tilt + v * cos_tilt - z0
                            left = 1 - (a * t * t + 2 * b * t * z + c * z * z)
                            if left > 0:
                                total += np.sqrt(left)
                    out[y, i, x] += factor * total


def _detect(exact: Floats, recipe: Recipe, rng: np.random.Generator) -> NDArray[np.float32]:
    """Count photons, correct by flats of the same beam, and add what the flats do not know."""
    n_rows, n_angles, n_x = exact.shape
    gain = 1 + 0.05 * rng.standard_normal((n_rows, 1, n_x))
    flat = rng.poisson(20 * recipe.photons * gain) / 20
    counts = rng.poisson(recipe.photons * gain * np.exp(-np.maximum(exact, 0)))
    out = -np.log(np.maximum(counts, 0.5) / np.maximum(flat, 0.5))
    x, time = np.linspace(-1, 1, n_x), np.linspace(0, 1, n_angles)[:, None]
    out += recipe.drift * time * (0.5 + 0.5 * x + 0.3 * np.sin(3 * x))
    # Stripes reach over neighbouring rows, as scratches and dust of the scintillator do.
    stripes = rng.standard_normal((n_rows + 4, n_x))
    stripes = np.sqrt(0.2) * sum(stripes[k : n_rows + k] for k in range(5))
    return (out + recipe.stripes * stripes[:, None]).astype(np.float32)
