"""The evidence for calibration: what each detector row of a chunk says of the axis and the greys.

Rows are looked at one by one and chosen by their index in the whole scan, so that the evidence
is the same however the scan is cut into chunks.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.fan import to_parallel
from tomobatch.calibrate.histogram import Histogram
from tomobatch.calibrate.methods import find_candidates, grey_histogram
from tomobatch.calibrate.rows import noise_level, signal_level
from tomobatch.cores import n_usable_cores
from tomobatch.errors import UserError
from tomobatch.turn import around, covers_full_turn, runs_of_one_angle

WORTH_REBINNING_PX = 2.0  # off the first guess of a cone's axis: 1.5% of it is its error
MOST_ALIKE = 0.9  # of the projections; a sample turned ten times is still told from a standing one


@dataclass(frozen=True)
class EvidenceSettings:
    """How to look for evidence.

    Attributes
    ----------
    n_rows
        Detector rows of the whole scan.
    n_check_rows
        Rows, evenly spread over the scan, that the slower checks and the histogram are made of.
    search_px
        Lowest and highest centre of rotation looked at; None for all that the scan permits.
    beam
        The cone beam; None for parallel rays.
    """

    n_rows: int
    n_check_rows: int = 12
    search_px: tuple[float, float] | None = None
    beam: ConeBeam | None = None

    def is_check_row(self, row: int) -> bool:
        """Return whether the row is one of the check rows."""
        n = min(self.n_check_rows, self.n_rows)
        return row in {(2 * i + 1) * self.n_rows // (2 * n) for i in range(n)}


@dataclass(frozen=True)
class RowEvidence:
    """What one detector row says.

    Attributes
    ----------
    row
        Index in the whole scan.
    signal, noise
        Standard deviations of the row's structure and of its white noise, line integrals.
    candidates
        Centre of rotation by method.
    histogram
        Grey values in 1/pixel, on check rows.
    problem
        Why the row was not looked at; empty when it was.
    """

    row: int
    signal: float
    noise: float
    candidates: dict[str, Candidate]
    histogram: Histogram | None = None
    problem: str = ""


@dataclass(frozen=True)
class Evidence:
    """The evidence of one chunk of rows.

    Attributes
    ----------
    n_x, n_rows
        Detector pixels a row, and detector rows of the whole scan.
    is_full_turn
        Whether the scan covers 360 degrees.
    rows
        Every row of the chunk, in order.
    """

    n_x: int
    n_rows: int
    is_full_turn: bool
    rows: tuple[RowEvidence, ...]

    def to_json(self) -> str:
        """Return the evidence as JSON text, a few kB."""
        return TypeAdapter(Evidence).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Evidence:
        """Return the evidence that `to_json` wrote."""
        return TypeAdapter(cls).validate_json(text)


def gather_evidence(
    sinograms: NDArray[np.float32],
    angles_rad: NDArray[np.float64],
    first_row: int,
    settings: EvidenceSettings,
) -> Evidence:
    """Gather the evidence of a chunk of detector rows.

    Parameters
    ----------
    sinograms
        Line integrals, shape (y, angle, x), float32.
    angles_rad
        Shape (angle,), in any order, over any number of turns.
    first_row
        Index in the whole scan of ``sinograms[0]``.
    settings
        The scan's number of rows, and how to look.

    Raises
    ------
    UserError
        When most angles are the same.
    """
    beam = settings.beam
    order, rising = around(angles_rad if beam is None else beam.sense * angles_rad)
    runs = runs_of_one_angle(rising)
    angles = rising if runs is None else rising[runs]
    if len(angles) < 2 or len(angles_rad) - len(angles) > MOST_ALIKE * len(angles_rad):
        raise UserError("angles: most projections have the same one; give datasets.angle_range_deg")

    def look(i: int) -> RowEvidence:
        row = sinograms[i] if order is None else sinograms[i, order]
        averaged = _one_an_angle(row, runs)
        if beam is None:
            return _row_evidence(averaged, angles, first_row + i, settings)
        return _cone_evidence(averaged, angles, first_row + i, settings, beam)

    with ThreadPoolExecutor(n_usable_cores()) as threads:
        rows = tuple(threads.map(look, range(len(sinograms))))
    return Evidence(
        n_x=sinograms.shape[2],
        n_rows=settings.n_rows,
        is_full_turn=covers_full_turn(angles),
        rows=rows,
    )


def _one_an_angle(row: NDArray[np.float32], runs: NDArray[np.intp] | None) -> NDArray[np.float32]:
    """Return the row with projections at one angle averaged, shape (different angle, x)."""
    if runs is None:
        return row
    counts = np.diff(runs, append=len(row)).astype(np.float32)
    return np.asarray(np.add.reduceat(row, runs, axis=0) / counts[:, None])


def _cone_evidence(
    sinogram: NDArray[np.float32],
    angles_rad: NDArray[np.float64],
    row: int,
    settings: EvidenceSettings,
    beam: ConeBeam,
) -> RowEvidence:
    """Look at a row of a cone beam as a parallel one, rebinned anew if the first guess was off."""
    cor_px = beam.cor_px(sinogram.shape[1])
    parallel, angles = to_parallel(sinogram, angles_rad, beam.source_voxels, cor_px)
    if len(angles) < 2:
        return RowEvidence(row, 0.0, 0.0, {}, problem="its angles span less than its fan")
    found = _row_evidence(parallel, angles, row, settings)
    better = found.candidates.get("mirror") or found.candidates.get("wedge")
    if better is None or abs(better.cor_px - cor_px) < WORTH_REBINNING_PX:
        return found
    parallel, angles = to_parallel(sinogram, angles_rad, beam.source_voxels, better.cor_px)
    return _row_evidence(parallel, angles, row, settings)


def _row_evidence(
    sinogram: NDArray[np.float32],
    angles_rad: NDArray[np.float64],
    row: int,
    settings: EvidenceSettings,
) -> RowEvidence:
    if not np.isfinite(sinogram).all():
        return RowEvidence(row, 0.0, 0.0, {}, problem="holds NaN or infinite values")
    signal, noise = signal_level(sinogram), noise_level(sinogram)
    if signal == 0:
        return RowEvidence(row, 0.0, noise, {}, problem="is empty")
    check = settings.is_check_row(row)
    candidates = find_candidates(sinogram, angles_rad, settings.search_px, check)
    histogram = grey_histogram(sinogram, angles_rad, candidates) if check else None
    return RowEvidence(row, signal, noise, candidates, histogram)
