"""Small scans with known beam, bad pixels and zingers, for the tests of this folder."""

from dataclasses import dataclass

import numpy as np

from tomobatch.normalise.references import average_references
from tomobatch.normalise.series import ReferenceSeries

DARK = 100


@dataclass
class Scan:
    """Counts of a scan, and what went into them."""

    flats: list[ReferenceSeries]
    darks: np.ndarray
    projections: np.ndarray
    paths: np.ndarray
    bad: np.ndarray
    zingers: np.ndarray

    def references(self):
        return average_references(self.flats, self.darks)


def make_scan(shape=(6, 40, 60), *, photons=20_000, n_flats=10, drift=0.0, seed=0, n_zingers=0):
    """Return a scan of (n, y, x) whose beam changes by the share ``drift`` from first to last.

    Three pixels and one in two thousand are stuck at zero, at the dark level or at full scale;
    zingers, at least six pixels apart, are as bright as half the beam and more.
    """
    rng = np.random.default_rng(seed)
    n, n_y, n_x = shape
    y, x = np.mgrid[:n_y, :n_x]
    beam = photons * (1 - 0.3 * ((x / n_x - 0.4) ** 2 + (y / n_y - 0.6) ** 2))
    beam = beam * rng.normal(1, 0.02, beam.shape)
    paths = np.clip(
        1.5 - np.abs(x - n_x / 2 + 3 * np.sin(np.arange(n))[:, None, None]) / 8, 0, None
    )
    paths = np.broadcast_to(paths, shape)

    def expose(elapsed, attenuation):
        counts = DARK + rng.poisson(beam * (1 + drift * elapsed) * attenuation)
        return counts.astype(float)

    before = np.stack([expose(0.0, 1.0) for _ in range(n_flats)])
    after = np.stack([expose(1.0, 1.0) for _ in range(n_flats)])
    darks = rng.poisson(DARK, (5, n_y, n_x)).astype(float)
    projections = np.stack([expose((i + 0.5) / n, np.exp(-paths[i])) for i in range(n)])
    zingers = _place_zingers(shape, n_zingers, rng)
    projections[zingers] += photons * rng.uniform(0.5, 2.0, int(zingers.sum()))
    bad = rng.random((n_y, n_x)) < 1 / 2000
    bad.flat[rng.choice(n_y * n_x, 3, replace=False)] = True
    stuck = rng.choice([0.0, 65535.0, DARK], int(bad.sum()))
    for frames in (before, after, darks, projections):
        frames[:, bad] = stuck
    zingers &= ~bad

    def to_counts(frames):
        return np.clip(np.rint(frames), 0, 65535).astype(np.uint16)

    flats = [ReferenceSeries(to_counts(before), 0.0), ReferenceSeries(to_counts(after), float(n))]
    return Scan(flats, to_counts(darks), to_counts(projections), paths, bad, zingers)


def _place_zingers(shape, n_zingers, rng):
    """Return bool (n, y, x), single pixels at least five apart, so that none hides another."""
    zingers = np.zeros(shape, bool)
    candidates = np.zeros(shape, bool)
    # The end of a single row fills 10 of the 25 places of its own window: no hit is seen there.
    candidates[:, ::6, 0 if shape[1] > 1 else 6 :: 6] = True
    zingers.flat[rng.choice(np.flatnonzero(candidates), n_zingers, replace=False)] = True
    return zingers
