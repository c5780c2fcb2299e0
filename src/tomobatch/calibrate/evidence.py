"""The evidence for calibration: what the detector rows of a chunk say of the axis and the greys.

Rows are looked at one by one and chosen by their index in the whole scan, so that the evidence
is the same however the scan is cut into chunks. A row says little by itself: what it holds is kept,
packed, until `calibrate` has all rows side by side.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.fan import steady, to_parallel
from tomobatch.calibrate.fan_moments import even_angles, is_near_plane, row_moments
from tomobatch.calibrate.frames import in_band, pack_views
from tomobatch.calibrate.histogram import Histogram
from tomobatch.calibrate.jitter import jitter_px
from tomobatch.calibrate.moments import offset_noise
from tomobatch.calibrate.movement import pack_masses, pack_steps
from tomobatch.calibrate.one_row import grey_histogram, look_at
from tomobatch.calibrate.packed import pack, unpack
from tomobatch.calibrate.pairs import CALM_MOTION_PX, opposite_views, view_noise
from tomobatch.calibrate.rim import Rim
from tomobatch.calibrate.rows import one_an_angle, signal_level
from tomobatch.calibrate.sense import in_plane, mismatches
from tomobatch.calibrate.wedge import PackedWedge
from tomobatch.cores import threads_on_cores
from tomobatch.errors import UserError
from tomobatch.spread import white_noise
from tomobatch.turn import around, covers_full_turn, is_in_time, runs_of_one_angle

WORTH_REBINNING_PX = 2.0  # off the first guess of a cone's axis: 1.5% of it is its error
MOST_ALIKE = 0.9  # of the projections; a sample turned ten times is still told from a standing one
N_WEDGE_ROWS = 60


@dataclass(frozen=True)
class EvidenceSettings:
    """Which rows to look at.

    Attributes
    ----------
    n_rows
        Detector rows of the whole scan.
    n_check_rows
        Rows, evenly spread over the scan, that the slower checks and the histogram are made of.
    beam
        The cone beam; None for parallel rays.
    """

    n_rows: int
    n_check_rows: int = 12
    beam: ConeBeam | None = None

    def is_check_row(self, row: int) -> bool:
        """Return whether the row is one of the check rows."""
        return self._is_one_of(row, self.n_check_rows)

    def is_wedge_row(self, row: int) -> bool:
        """Return whether the row's sinogram is looked at as a whole; that of check rows always."""
        is_one = self._is_one_of(row, N_WEDGE_ROWS) or self.is_check_row(row)
        return is_one or in_plane(self.beam, row, self.n_rows)

    def is_looked_at(self, row: int) -> bool:
        """Return whether the row gives any evidence."""
        return (
            in_band(row, self.n_rows)
            or self.is_wedge_row(row)
            or is_near_plane(self.beam, row, self.n_rows)
        )

    def _is_one_of(self, row: int, n_spread: int) -> bool:
        n = min(n_spread, self.n_rows)
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
    views, calm_views
        Packed views half a turn apart, shape (pair, 2, x), of few and of more projections; or "".
    wedge
        How empty the double wedge is, on rows looked at as a whole.
    candidates
        Centre of rotation by the methods that stand by themselves.
    jitter_px
        How far the sample moves from projection to projection, on check rows.
    masses, steps
        Packed: what `movement` weighs, on rows looked at as a whole, and compares, on check rows.
    rim
        What the outermost columns see, on rows looked at as a whole.
    histogram
        Grey values in 1/pixel, on check rows.
    sense
        How much opposite rays differ as angles count and the other way, in a cone's plane.
    moments
        Packed: those of a cone's rows near its source's plane, by order.
    problem
        Why the row was not looked at; empty when it was.
    """

    row: int
    signal: float
    noise: float
    views: str = ""
    calm_views: str = ""
    wedge: PackedWedge | None = None
    candidates: dict[str, Candidate] | None = None
    jitter_px: float | None = None
    masses: str = ""
    steps: str = ""
    rim: Rim | None = None
    histogram: Histogram | None = None
    sense: tuple[float, float] | None = None
    moments: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Evidence:
    """The evidence of one chunk of rows.

    Attributes
    ----------
    n_x, n_rows
        Detector pixels a row, and detector rows of the whole scan.
    n_angles
        Different angles.
    is_full_turn
        Whether the scan covers 360 degrees.
    view_noise, calm_noise
        How far the cor by views and by calm views moves when projections move by one at random.
    offset_noise
        The same of the cor by all projections, at best.
    rows
        Those of the chunk that were looked at, in order.
    angles
        Packed, the different angles, rising; empty for a cone, whose rows have angles of their own,
        and where they were not taken in this order: what moves in time does not show in them.
    fan_step_rad
        Of the angles at which a cone's moments are; 0 for a parallel beam.
    """

    n_x: int
    n_rows: int
    n_angles: int
    is_full_turn: bool
    view_noise: float
    calm_noise: float
    offset_noise: float
    rows: tuple[RowEvidence, ...]
    angles: str = ""
    fan_step_rad: float = 0.0

    def views(self, row: RowEvidence, *, calm: bool = False) -> NDArray[np.float32]:
        """Return the views of a row, shape (pair, 2, x)."""
        return unpack(row.calm_views if calm else row.views).reshape(-1, 2, self.n_x)

    def to_json(self) -> str:
        """Return the evidence as JSON text, some kB a row."""
        return TypeAdapter(Evidence).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Evidence":
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
    n_x, is_full_turn = sinograms.shape[2], covers_full_turn(angles)
    even = even_angles(angles, is_full_turn=is_full_turn)

    def look(i: int) -> RowEvidence:
        row = sinograms[i] if beam is None else steady(sinograms[i], beam)
        row = row if order is None else row[order]
        averaged = one_an_angle(row, runs)
        if beam is None:
            return _row_evidence(averaged, angles, first_row + i, settings)[0]
        found = _cone_evidence(averaged, angles, first_row + i, settings, beam)
        if found.problem or not is_near_plane(beam, found.row, settings.n_rows):
            return found
        above_px = found.row - beam.principal_px(settings.n_rows, 1)[1]
        return replace(found, moments=row_moments(averaged, angles, even, beam, above_px))

    looked_at = [i for i in range(len(sinograms)) if settings.is_looked_at(first_row + i)]
    with threads_on_cores() as threads:
        rows = tuple(threads.map(look, looked_at))
    return Evidence(
        n_x=n_x,
        n_rows=settings.n_rows,
        n_angles=len(angles),
        is_full_turn=is_full_turn,
        view_noise=view_noise(opposite_views(angles, n_x)),
        calm_noise=view_noise(opposite_views(angles, n_x, CALM_MOTION_PX)),
        offset_noise=offset_noise(angles),
        rows=rows,
        angles=pack(angles) if beam is None and is_in_time(order) else "",
        fan_step_rad=0.0 if beam is None else float(even[1] - even[0]),
    )


def _cone_evidence(
    sinogram: NDArray[np.float32],
    angles_rad: NDArray[np.float64],
    row: int,
    settings: EvidenceSettings,
    beam: ConeBeam,
) -> RowEvidence:
    """Look at a row of a cone beam as a parallel one, rebinned anew if the first guess was off."""
    n_x = sinogram.shape[1]
    cor_px, source_px = beam.cor_px(n_x), beam.source_voxels
    normal_px, _ = beam.principal_px(settings.n_rows, n_x)
    parallel, angles = to_parallel(sinogram, angles_rad, source_px, cor_px, normal_px)
    if len(angles) < 2:
        return RowEvidence(row, 0.0, 0.0, problem="its angles span less than its fan")
    found, better_px = _row_evidence(parallel, angles, row, settings)
    if better_px is not None and abs(better_px - cor_px) >= WORTH_REBINNING_PX:
        parallel, angles = to_parallel(sinogram, angles_rad, source_px, better_px, normal_px)
        found = _row_evidence(parallel, angles, row, settings)[0]
    if better_px is None or not in_plane(beam, row, settings.n_rows):
        return found
    sense = mismatches(sinogram, angles_rad, source_px, better_px, normal_px)
    return replace(found, sense=sense)


def _row_evidence(
    sinogram: NDArray[np.float32],
    angles_rad: NDArray[np.float64],
    row: int,
    settings: EvidenceSettings,
) -> tuple[RowEvidence, float | None]:
    """Return what a row says, and where it alone would have the cor, to half a pixel."""
    if not np.isfinite(sinogram).all():
        return RowEvidence(row, 0.0, 0.0, problem="holds NaN or infinite values"), None
    signal, noise = signal_level(sinogram), white_noise(sinogram)
    if signal == 0:
        return RowEvidence(row, 0.0, noise, problem="is empty"), None
    views = calm_views = ""
    if in_band(row, settings.n_rows):
        views = pack_views(sinogram, angles_rad, calm=False)
        calm_views = pack_views(sinogram, angles_rad, calm=True)
    if not settings.is_wedge_row(row):
        return RowEvidence(row, signal, noise, views, calm_views), None
    check = settings.is_check_row(row)
    view = look_at(sinogram, angles_rad, noise, check)
    evidence = RowEvidence(
        row=row,
        signal=signal,
        noise=noise,
        views=views,
        calm_views=calm_views,
        wedge=None if view.wedge is None else PackedWedge.of(view.wedge),
        candidates=view.candidates,
        rim=view.rim,
        jitter_px=jitter_px(sinogram, angles_rad, noise) if check else None,
        masses=pack_masses(sinogram),
        steps=pack_steps(sinogram) if check else "",
        histogram=grey_histogram(sinogram, angles_rad, view.start_px) if check else None,
    )
    return evidence, view.start_px
