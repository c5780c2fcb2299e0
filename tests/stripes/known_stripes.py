"""Scans of samples with exact line integrals, with and without stripes that are known.

A sample is a sum of boxes, which no threshold of the product was chosen on; a stripe is a factor on
transmission, a column that is stuck, or one that fluctuates.
"""

from dataclasses import dataclass

import numpy as np

STRIPES = ("none", "weak", "strong", "wide", "single", "partial", "dead", "stuck")
SAMPLES = ("crystals", "fibres", "slabs", "mixed")


@dataclass(frozen=True)
class KnownScan:
    """Line integrals float32 (y, angle, x), measured and as they would be without stripes."""

    measured: np.ndarray
    clean: np.ndarray
    angles_rad: np.ndarray


def box_integrals(edges, angles, value, x, y, width, height, turn) -> np.ndarray:
    """Return the exact means over columns of the chords through a turned box, (angle, x)."""
    t = edges[None, :] - (x * np.cos(angles) + y * np.sin(angles))[:, None]
    a = np.abs(width * np.cos(angles - turn))[:, None] / 2
    b = np.abs(height * np.sin(angles - turn))[:, None] / 2
    # The projection of a box is a box folded with a box; this is its second integral in parts.
    corners = [(a + b, 1), (a - b, -1), (b - a, -1), (-a - b, 1)]
    ramp = sum(sign * np.maximum(t + shift, 0) ** 2 / 2 for shift, sign in corners)
    return value * width * height * np.diff(ramp, axis=1) / np.maximum(4 * a * b, 1e-6)


def sample(kind: str, n_px: int, angles: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the line integrals (angle, x) of boxes about the middle of n_px columns."""
    edges = np.arange(n_px + 1) - n_px / 2
    base = box_integrals(edges, angles, 1.0, 0.5, -1.3, 0.5 * n_px, 0.55 * n_px, 0.3)
    n_boxes = {"crystals": 25, "fibres": 12, "slabs": 5, "mixed": 15}[kind]
    for _ in range(n_boxes):
        r, phi = 0.3 * n_px * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        side = n_px * rng.uniform(0.02, 0.1)
        long = {"crystals": 1.3, "fibres": 4.0, "slabs": 3.0, "mixed": rng.uniform(1, 3)}[kind]
        place = (r * np.cos(phi), r * np.sin(phi), side, side * long, rng.uniform(0, np.pi))
        base = base + box_integrals(edges, angles, rng.uniform(-0.6, 1.0), *place)
    return base * rng.uniform(1.0, 2.0) / n_px


def known_scan(seed: int, stripes: str, kind: str) -> KnownScan:
    """Return a scan of four rows."""
    rng = np.random.default_rng([seed, STRIPES.index(stripes), SAMPLES.index(kind)])
    n_px = int(rng.choice([200, 240, 280]))
    n_angles = int(n_px * rng.uniform(0.9, 1.5))
    angles = np.arange(n_angles) * np.pi / n_angles
    paths = np.array([sample(kind, n_px, angles, rng) for _ in range(4)])
    photons = 10 ** rng.uniform(3.7, 4.8)
    counts = rng.poisson(np.exp(-paths) * photons) + rng.uniform(-0.5, 0.5, paths.shape)
    clean = np.clip(counts / photons, 1e-4, 10)
    measured = np.clip(with_stripes(clean, stripes, rng), 1e-4, 10)
    return KnownScan(
        -np.log(measured).astype(np.float32), -np.log(clean).astype(np.float32), angles
    )


def with_stripes(clean: np.ndarray, stripes: str, rng: np.random.Generator) -> np.ndarray:
    """Return transmission (y, angle, x) with stripes of a kind, other ones in every row."""
    measured = clean.copy()
    n_rows, n_angles, n_px = clean.shape
    gains = {"weak": 0.007, "strong": 0.03, "wide": 0.003, "dead": 0.003}.get(stripes, 0.0)
    measured *= rng.normal(1, gains, (n_rows, 1, n_px))
    for row in measured:
        for x in rng.integers(8, n_px - 8, {"wide": 4, "single": 6, "partial": 10}.get(stripes, 0)):
            width = int(rng.integers(3, 7)) if stripes == "wide" else 1
            seen = slice(None)
            if stripes == "partial":
                start = int(rng.integers(0, n_angles // 2))
                seen = slice(start, start + n_angles // 3)
            row[seen, x : x + width] *= 1 + rng.choice([-1, 1]) * rng.uniform(0.06, 0.15)
        for x in rng.integers(8, n_px - 8, 3 if stripes in ("dead", "stuck") else 0):
            is_stuck = stripes == "stuck"
            row[:, x] = rng.uniform(0.3, 0.8) if is_stuck else rng.uniform(0.3, 1.0, n_angles)
    return measured
