"""Step 3, calibrate: one centre of rotation, tilt and grey window out of all chunks' evidence."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import TypeAdapter

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.axis import Axis, RowResult, find_axis
from tomobatch.calibrate.consensus import Check, MethodResult
from tomobatch.calibrate.doubts import far_from_stated
from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.fan import calibrated_beam
from tomobatch.calibrate.given import told_of_given
from tomobatch.calibrate.histogram import Histogram, merge
from tomobatch.calibrate.line import Line
from tomobatch.calibrate.merging import Merging, settle_merging
from tomobatch.calibrate.movement import STANDS_STILL, Movement
from tomobatch.calibrate.sense import sense_doubts
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.calibrate.source_row import SourceRow, settle_source_row
from tomobatch.columns import DETECTOR, Columns
from tomobatch.errors import UserError
from tomobatch.shifts import UNMOVED, Shifts

Source = Literal["found", "given"]
STATED = (
    "no detector row shows where the axis is: {:.2f} px is what the scan says; look at the slices,"
    " and give calibrate.cor_px"
)


@dataclass(frozen=True)
class Calibration:
    """The scan's geometry and grey window, and how they were found.

    Attributes
    ----------
    n_x, n_rows
        Detector pixels a row, and detector rows.
    is_full_turn
        Whether the scan covers 360 degrees.
    line
        cor(row), about the middle row, that the reconstruction uses.
    cor_source, tilt_source
        Whether the line's middle and slope were found or given.
    found
        The line by the evidence, whatever was given; None when it tells nothing.
    method
        The method that `found` is by.
    check
        How it compares with an independent method; with one that agrees, `found` is their mean.
    stands_alone
        Whether the method needs no other one to bear it out.
    methods
        Every method's result at the middle row.
    rows
        Every detector row: its cor by each method, and whether it was used.
    grey_window, grey_source, found_grey_window
        Lowest and highest grey value, 1/pixel: used, where from, and by the histogram.
    histogram
        Grey values of the rows reconstructed for it, 1/pixel.
    warnings
        One line each.
    half_acquisition
        Whether the halves of the full turn are merged.
    movement
        Of the sample along the detector, slowly or by a leap; what is left once it is aligned.
    shifts
        By which projections were moved onto each other before anything here was found.
    source_row
        Where the source's plane meets a cone's detector; None for a parallel beam.
    """

    n_x: int
    n_rows: int
    is_full_turn: bool
    line: Line
    cor_source: Source
    tilt_source: Source
    found: Line | None
    method: str | None
    check: Check | None
    methods: dict[str, MethodResult]
    rows: tuple[RowResult, ...]
    grey_window: tuple[float, float]
    grey_source: Source
    found_grey_window: tuple[float, float] | None
    histogram: Histogram | None
    warnings: tuple[str, ...]
    half_acquisition: bool = False
    stands_alone: bool = False
    movement: Movement = STANDS_STILL
    shifts: Shifts = UNMOVED
    source_row: SourceRow | None = None

    def __repr__(self) -> str:
        warnings = f", {len(self.warnings)} warnings" if self.warnings else ""
        return (
            f"<Calibration of {self.n_rows} rows x {self.n_x} columns: cor {self.line.mid_px:.2f} "
            f"px in the middle row, tilt {self.tilt_deg:.3f} degrees, by "
            f"{self.method or 'no method'}{warnings}>"
        )

    @property
    def tilt_deg(self) -> float:
        """Tilt of the axis in the detector plane; positive when the cor grows with the row."""
        return math.degrees(math.atan(self.line.slope))

    @property
    def tilt_sigma_deg(self) -> float | None:
        """Standard deviation of the tilt; None where the rows do not tell, or it was given."""
        if self.line.slope_sigma is None:
            return None
        return math.degrees(self.line.slope_sigma / (1 + self.line.slope**2))

    def cor_px(self, rows: ArrayLike) -> NDArray[np.float64]:
        """Return the centre of rotation of detector rows (index in the scan), in pixels."""
        return self.line.at(np.asarray(rows, dtype=np.float64))

    def beam(self, stated: ConeBeam) -> ConeBeam:
        """Return a cone beam as it is reconstructed: as stated, but for what was found."""
        row = self.source_row
        row_px = None if row is None or row.source != "found" else row.row_px
        return calibrated_beam(stated, self.line, self.n_rows, self.n_x, row_px)

    def to_json(self) -> str:
        """Return the calibration as JSON text."""
        return TypeAdapter(Calibration).dump_json(self, indent=1).decode()

    @classmethod
    def from_json(cls, text: str) -> "Calibration":
        """Return the calibration that `to_json` wrote."""
        return TypeAdapter(cls).validate_json(text)


def calibrate(
    evidences: Sequence[Evidence],
    settings: CalibrateSettings,
    stated_cor_px: float | None = None,
    *,
    merging: Merging = "not possible",
    columns: Columns = DETECTOR,
) -> Calibration:
    """Find the scan's axis and grey window from the evidence of its chunks.

    Parameters
    ----------
    evidences
        Of all chunks, in any order; how the rows were cut into chunks does not matter.
    settings
        What the user gave.
    stated_cor_px
        Where the scan says that the axis is, for want of anything better.
    merging
        What was settled of the halves of a full turn.
    columns
        Where the scan's columns lie on the detector.

    Raises
    ------
    UserError
        When a given value is out of range; when the evidence tells nothing and no value is given.
    """
    first = evidences[0]
    rows = sorted((row for evidence in evidences for row in evidence.rows), key=lambda row: row.row)
    axis = find_axis(rows, first)
    warnings = (*axis.warnings, *told_of_given(settings.cor_px, axis.line, columns))
    if axis.line is None and settings.cor_px is None and stated_cor_px is not None:
        settings = settings.model_copy(update={"cor_px": stated_cor_px})
        warnings = (*warnings, STATED.format(stated_cor_px))
    elif settings.cor_px is None:
        warnings = (*warnings, *far_from_stated(axis.line, axis.check, stated_cor_px, first.n_x))
    line = _used_line(axis.line, settings, first.n_x, first.n_rows)
    merged, said = settle_merging(line, first.n_x, merging, is_full_turn=first.is_full_turn)
    histogram = _merged_histogram(rows, axis)
    found_window = None
    if histogram is not None:
        low, high = histogram.percentiles(settings.grey_percentiles)
        found_window = (low, high)
    window = settings.grey_window or found_window
    if window is None:
        raise UserError("calibrate: no row gives a grey window; give calibrate.grey_window")
    return Calibration(
        n_x=first.n_x,
        n_rows=first.n_rows,
        is_full_turn=first.is_full_turn,
        line=line,
        cor_source="found" if settings.cor_px is None else "given",
        tilt_source="found" if settings.tilt_deg is None else "given",
        found=axis.line,
        method=axis.method,
        check=axis.check,
        methods=axis.methods,
        rows=axis.rows,
        grey_window=window,
        grey_source="found" if settings.grey_window is None else "given",
        found_grey_window=found_window,
        histogram=histogram,
        warnings=(*warnings, *said, *sense_doubts(row.sense for row in rows)),
        half_acquisition=merged,
        stands_alone=axis.stands_alone,
        movement=axis.movement,
    )


def with_source_row(
    calibration: Calibration, evidences: Sequence[Evidence], stated: ConeBeam, *, is_given: bool
) -> Calibration:
    """Return the calibration of a cone with the source's row, and what is doubtful about it.

    Parameters
    ----------
    calibration
        By the same evidence.
    evidences
        Of all chunks.
    stated
        The beam as the scan and the configuration state it.
    is_given
        Whether the configuration gives the row.
    """
    rows = sorted((row for evidence in evidences for row in evidence.rows), key=lambda row: row.row)
    found, doubts = settle_source_row(rows, evidences[0], stated, is_given=is_given)
    return replace(calibration, source_row=found, warnings=(*calibration.warnings, *doubts))


def with_given_axis(
    calibration: Calibration, settings: CalibrateSettings, merging: Merging
) -> Calibration:
    """Return a calibration as it would be if these values of the axis were given.

    Raises
    ------
    UserError
        When one is out of range.
    """
    line = _used_line(calibration.found, settings, calibration.n_x, calibration.n_rows)
    merged, _ = settle_merging(
        line, calibration.n_x, merging, is_full_turn=calibration.is_full_turn
    )
    return replace(
        calibration,
        line=line,
        cor_source="found" if settings.cor_px is None else "given",
        tilt_source="found" if settings.tilt_deg is None else "given",
        half_acquisition=merged,
    )


def _used_line(found: Line | None, settings: CalibrateSettings, n_x: int, n_rows: int) -> Line:
    """Return the found line with what was given put in its place."""
    middle = (n_rows - 1) / 2
    cor_px, tilt_deg = settings.cor_px, settings.tilt_deg
    if cor_px is not None and not 0 <= cor_px <= n_x - 1:
        raise UserError(
            f"calibrate.cor_px is {cor_px:g}, outside the detector; "
            f"give a value between 0 and {n_x - 1}"
        )
    if found is None and cor_px is None:
        raise UserError("calibrate: no detector row shows where the axis is; give calibrate.cor_px")
    line = found or Line(middle, 0.0, 0.0, 0.0, None)
    mid_px, mid_sigma_px, covariance = line.mid_px, line.mid_sigma_px, line.covariance
    slope, slope_sigma = line.slope, line.slope_sigma
    if cor_px is not None:
        mid_px, mid_sigma_px, covariance = cor_px, 0.0, 0.0
    if tilt_deg is not None:
        slope, slope_sigma, covariance = math.tan(math.radians(tilt_deg)), None, 0.0
    return Line(middle, mid_px, mid_sigma_px, slope, slope_sigma, covariance)


def _merged_histogram(rows: Sequence[RowEvidence], axis: Axis) -> Histogram | None:
    """Return the histogram of the rows used for the axis, or else of all that have one."""
    used = {row.row for row in axis.rows if row.is_used}
    histograms = {row.row: row.histogram for row in rows if row.histogram is not None}
    good = [histogram for row, histogram in histograms.items() if row in used]
    chosen = good or list(histograms.values())
    return merge(chosen) if chosen else None
