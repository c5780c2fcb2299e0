"""Taking the pictures of a demo scan: what both beams have in common."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.cores import n_usable_cores
from tomobatch.errors import UserError
from tomobatch.phantom.detector import Detector, add_zingers, to_counts
from tomobatch.phantom.specimen import Specimen
from tomobatch.phantom.truth import Truth

Progress = Callable[[float], None]
"""Called with the share of the projections that is written, up to 1."""

_PIECE_MB = 32
_FEWEST_COLUMNS = 16


@dataclass(frozen=True)
class Shot:
    """One projection to take."""

    index: int
    theta_rad: float
    elapsed: float


def extent(
    size: int, n_rows: int | None, n_angles: int | None, fewest_angles: int
) -> tuple[int, int]:
    """Return rows and angles: half a column, and 1.5 a column, unless given.

    Raises
    ------
    UserError
        If that makes no scan.
    """
    rows = size // 2 if n_rows is None else n_rows
    angles = round(1.5 * size) if n_angles is None else n_angles
    for name, value, least in (
        ("size", size, _FEWEST_COLUMNS),
        ("n_rows", rows, 1),
        ("n_angles", angles, fewest_angles),
    ):
        if value < least:
            raise UserError(f"demo scan: {name} is {value}; it must be at least {least}")
    return rows, angles


def truth_of(
    specimen: Specimen, detector: Detector, cor_px: float, tilt_deg: float, seed: int
) -> Truth:
    """Return what is known before the first projection is taken: all but the zingers."""
    n_rows, n_cols = detector.dark.shape
    return Truth(
        n_rows=n_rows,
        n_cols=n_cols,
        cor_px=cor_px,
        tilt_deg=tilt_deg,
        uniform=specimen.uniform,
        solids=specimen.solids,
        hot=detector.hot,
        dead=detector.dead,
        stripes=detector.stripes,
        n_zingers=0,
        seed=seed,
    )


@contextmanager
def new_file(path: Path) -> Iterator[Any]:
    """Open an HDF5 file for writing that takes its name only if all went well."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with h5py.File(unfinished, "w") as file:
                yield file
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot write the demo scan: {error}") from error


def write_projections(
    frames: Any,  # noqa: ANN401  h5py has no types
    first: int,
    angles_rad: NDArray[np.float64],
    take: Callable[[Shot], tuple[NDArray[np.uint16], int]],
    progress: Progress | None,
) -> int:
    """Write projections piece by piece, a thread a core, and return the number of zingers.

    Parameters
    ----------
    frames
        Dataset (frame, y, x) that they go to, from its frame ``first`` on.
    angles_rad
        Of every projection.
    take
        Takes one, and tells its zingers.
    progress
        Called with the share that is written, up to 1.
    """
    n_angles = len(angles_rad)
    shots = [
        Shot(index, float(theta), (index + 0.5) / n_angles)
        for index, theta in enumerate(angles_rad)
    ]
    per_piece = max(1, _PIECE_MB * 2**20 // (2 * frames.shape[1] * frames.shape[2]))
    n_zingers = 0
    with ThreadPoolExecutor(n_usable_cores()) as pool:
        for start in range(0, n_angles, per_piece):
            piece = shots[start : start + per_piece]
            taken = list(pool.map(take, piece))
            stop = first + start + len(piece)
            frames[first + start : stop] = np.stack([counts for counts, _ in taken])
            n_zingers += sum(zingers for _, zingers in taken)
            if progress is not None:
                progress((start + len(piece)) / n_angles)
    return n_zingers


# The noise of a picture depends on the seed, its kind and its index alone.


def take_flat(detector: Detector, seed: int, index: int, *, after: bool) -> NDArray[np.uint16]:
    """Take a flat (y, x), before or after the projections."""
    return to_counts(detector.expose(0.0, float(after), np.random.default_rng([seed, 1, index])))


def take_dark(detector: Detector, seed: int, index: int) -> NDArray[np.uint16]:
    """Take a dark (y, x)."""
    return to_counts(detector.expose_dark(np.random.default_rng([seed, 2, index])))


def take_projection(
    detector: Detector, paths: NDArray[np.float64], shot: Shot, seed: int
) -> tuple[NDArray[np.uint16], int]:
    """Take one projection of line integrals (y, x), and tell how many zingers it has."""
    rng = np.random.default_rng([seed, 3, shot.index])
    counts = detector.expose(paths, shot.elapsed, rng)
    n_zingers = add_zingers(counts, rng)
    return to_counts(counts), n_zingers
