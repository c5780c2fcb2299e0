"""The demo specimen: beads, crystals and metal grains in a tube filled with resin (decision 43)."""

from dataclasses import dataclass, replace

import numpy as np

from tomobatch.phantom.solids import Shape, Solid, sphere

# Attenuation of the materials, times the width of the detector in pixels: a specimen of any size
# lets the same share of the beam through.
_RESIN = 0.9
_TUBE = 3.2
_MARBLE = 2.6
_GLASS = 3.0
_POLYMER = 0.35
_METAL = 14.0
_CRYSTAL = 4.2

_TUBE_RADIUS = 0.44
_TUBE_WALL = 0.018
_MARBLE_RADIUS = 0.17
# Nobody mounts a tube right on the axis. Were it there, its wall would draw straight lines into the
# sinograms, which no method could tell from the stripes of a faulty detector column.
_MOUNTED_OFF_AXIS = (0.015, -0.01)


@dataclass(frozen=True)
class UniformSphere:
    """The largest region of one material: a sphere, in pixels from axis and middle row."""

    x_px: float
    y_px: float
    z_px: float
    radius_px: float
    attenuation_per_px: float


@dataclass(frozen=True)
class Specimen:
    """Solids, and the region among them whose grey value is a fair test."""

    solids: tuple[Solid, ...]
    uniform: UniformSphere


def bead_pack(n_cols: int, n_rows: int, rng: np.random.Generator) -> Specimen:
    """Fill a tube with beads that do not touch, around one large marble.

    Beads are placed one after the other, large ones first, wherever they are free of those before
    (random sequential addition).

    Parameters
    ----------
    n_cols, n_rows
        Size of the detector, which the tube fits in width and overtops in height.
    rng
        Where the places and kinds are drawn from.
    """
    unit = 1.0 / n_cols
    tube, bore = _TUBE_RADIUS * n_cols, (_TUBE_RADIUS - _TUBE_WALL) * n_cols
    tall = float(n_rows)
    marble = UniformSphere(
        0.12 * n_cols, -0.08 * n_cols, 0.0, _MARBLE_RADIUS * n_cols, _MARBLE * unit
    )
    solids = [
        Solid(Shape.CYLINDER, 0.0, 0.0, 0.0, tube, tube, tall, 0.0, _TUBE * unit),
        Solid(Shape.CYLINDER, 0.0, 0.0, 0.0, bore, bore, tall, 0.0, (_RESIN - _TUBE) * unit),
        sphere(marble.x_px, marble.y_px, marble.z_px, marble.radius_px, (_MARBLE - _RESIN) * unit),
    ]
    placed = [(marble.x_px, marble.y_px, marble.z_px, marble.radius_px)]
    for radius_px in np.geomspace(0.085, 0.014, 900) * n_cols:
        place = _free_place(
            float(radius_px), bore, n_rows / 2, np.array(placed), 0.004 * n_cols, rng
        )
        if place is not None:
            placed.append((*place, float(radius_px)))
            solids += _bead(*place, float(radius_px), unit, rng)
    off_x_px, off_y_px = (share * n_cols for share in _MOUNTED_OFF_AXIS)
    return Specimen(
        tuple(replace(one, x_px=one.x_px + off_x_px, y_px=one.y_px + off_y_px) for one in solids),
        replace(marble, x_px=marble.x_px + off_x_px, y_px=marble.y_px + off_y_px),
    )


def _free_place(
    radius_px: float,
    bore_px: float,
    half_height_px: float,
    placed: np.ndarray,
    gap_px: float,
    rng: np.random.Generator,
    tries: int = 150,
) -> tuple[float, float, float] | None:
    """Draw places inside the tube and return the first that is clear of all placed spheres."""
    limit = bore_px - radius_px - gap_px
    x, y = rng.uniform(-limit, limit, (2, tries))
    z = rng.uniform(-half_height_px - radius_px, half_height_px + radius_px, tries)
    spots, others = np.stack([x, y, z], axis=1), placed[:, :3]
    squares = (spots**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * spots @ others.T
    apart = squares > (placed[:, 3] + radius_px + gap_px) ** 2
    clear = apart.all(axis=1) & (np.hypot(x, y) < limit)
    if not clear.any():
        return None
    first = spots[int(np.argmax(clear))]
    return float(first[0]), float(first[1]), float(first[2])


def _bead(
    x_px: float, y_px: float, z_px: float, radius_px: float, unit: float, rng: np.random.Generator
) -> list[Solid]:
    """Make one bead of a random kind that stays inside the sphere given."""
    place = (x_px, y_px, z_px)
    kind = rng.uniform()
    turn = float(rng.uniform(0, np.pi))
    if kind < 0.35 and radius_px * unit < 0.025:
        return [sphere(*place, 0.6 * radius_px, (_METAL - _RESIN) * unit)]
    if kind < 0.35:
        hollow = float(rng.uniform(0.7, 0.85)) * radius_px
        return [
            sphere(*place, radius_px, (_GLASS - _RESIN) * unit),
            sphere(*place, hollow, -_GLASS * unit),
        ]
    if kind < 0.65:
        return [sphere(*place, radius_px, (_GLASS - _RESIN) * unit)]
    if kind < 0.85:
        flat = float(rng.uniform(0.5, 0.8)) * radius_px
        drop = Solid(
            Shape.ELLIPSOID, *place, radius_px, flat, radius_px, turn, (_POLYMER - _RESIN) * unit
        )
        return [drop]
    half = radius_px / np.sqrt(3)
    return [Solid(Shape.BOX, *place, half, half, half, turn, (_CRYSTAL - _RESIN) * unit)]
