"""The part of the detector that is taken, and its binning, with what is known of the scan seen so.

Everything after this sees a detector with fewer and larger pixels.
"""

import math
import re
from dataclasses import dataclass, replace

from tomobatch.beam import ConeBeam
from tomobatch.errors import UserError
from tomobatch.known_axis import KnownAxis
from tomobatch.scan.header import Frames, ScanHeader
from tomobatch.scan.parts import RowsOfFrames, Scan, ScanParts
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.views import BinnedFrames, ColumnsOfFrames

_RANGE = re.compile(r"(\d+)\s*(?:-|\.\.)\s*(\d+)")


@dataclass(frozen=True)
class Taken:
    """Rows and columns [first, stop) of a detector of ``n_rows`` x ``n_cols``, and the binning."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    binning: int
    n_rows: int
    n_cols: int

    def view(self, frames: Frames) -> Frames:
        """See a stack of pictures so."""
        if self.rows != (0, self.n_rows):
            frames = RowsOfFrames(frames, *self.rows)
        if self.columns != (0, self.n_cols):
            frames = ColumnsOfFrames(frames, *self.columns)
        return frames if self.binning == 1 else BinnedFrames(frames, self.binning)

    @property
    def moved_px(self) -> tuple[float, float]:
        """How far the middle of what is taken lies from that of all, in columns and rows."""
        across = (sum(self.columns) - self.n_cols) / 2
        return across, (sum(self.rows) - self.n_rows) / 2

    def notes(self, datasets: DatasetSettings) -> list[str]:
        """Say what is taken."""
        said = []
        for name, asked, (first, stop), whole in (
            ("rows", datasets.rows, self.rows, self.n_rows),
            ("columns", datasets.columns, self.columns, self.n_cols),
        ):
            if asked is not None and stop - first < whole:
                said.append(
                    f"{name} {first}-{stop - 1} of 0-{whole - 1} are taken, as the config says"
                )
        if self.binning > 1:
            n_rows, n_cols = (
                (stop - first) // self.binning for first, stop in (self.rows, self.columns)
            )
            said.append(
                f"{self.binning} x {self.binning} pixels are averaged to one, as the config says:"
                f" {n_rows} rows x {n_cols} columns, by which everything but datasets is counted"
            )
        return said


def with_taken(scan: Scan, datasets: DatasetSettings) -> Scan:
    """Return a scan as if its detector had only the rows and columns that the user takes, binned.

    The axis of a demo scan is that of their middle row; the principal point of a cone beam stays
    where it is on the detector, and so lies elsewhere from their middle.

    Parameters
    ----------
    scan
        Of the whole detector.
    datasets
        The first and the last row and column, counted from 0, such as ``100-899``, and the binning.
        What does not fill a block at the end of either is cut off.

    Raises
    ------
    UserError
        For what is no range, or beyond the detector.
    """
    whole, binning = scan.header, datasets.binning
    taken = Taken(
        _range("rows", datasets.rows, whole.n_rows, binning),
        _range("columns", datasets.columns, whole.n_cols, binning),
        binning,
        whole.n_rows,
        whole.n_cols,
    )
    if taken.view(scan.parts.projections) is scan.parts.projections:
        return scan
    parts = scan.parts.seen(taken.view)
    return Scan(_seen(whole, taken, parts, datasets), parts)


def _seen(
    whole: ScanHeader, taken: Taken, parts: ScanParts, datasets: DatasetSettings
) -> ScanHeader:
    """Return what is known of a scan of which a part is taken."""
    binning, (across, along) = taken.binning, taken.moved_px
    _, n_rows, n_cols = parts.projections.shape
    axis, pixel_um = whole.known_axis, whole.pixel_size_um
    # Turned pictures take whole ones to read.
    of_all = 1.0 if datasets.quarter_turn else (taken.rows[1] - taken.rows[0]) / taken.n_rows
    return replace(
        whole,
        n_rows=n_rows,
        n_cols=n_cols,
        dtype=parts.projections.dtype,
        stored_dtype=parts.stored_dtype,
        stored_px=round(of_all * taken.n_rows * taken.n_cols),
        pixel_size_um=None if pixel_um is None else binning * pixel_um,
        first_row=(taken.rows[0] + (binning - 1) / 2) / binning,
        first_column=(taken.columns[0] + (binning - 1) / 2) / binning,
        binning=binning,
        known_axis=None if axis is None else _axis_seen(axis, taken),
        beam=None if whole.beam is None else _beam_seen(whole.beam, across, along, binning),
        notes=(*whole.notes, *taken.notes(datasets)),
    )


def _range(key: str, asked: str | None, n_there: int, binning: int) -> tuple[int, int]:
    """Return the first and the end of the rows or columns asked for, in whole blocks."""
    first, last = 0, n_there - 1
    if asked is not None:
        match = _RANGE.fullmatch(asked.strip())
        if match is None:
            raise UserError(f"datasets.{key}: {asked!r} is no range of {key}; write 100-899")
        first, last = int(match[1]), int(match[2])
        if not first <= last < n_there:
            raise UserError(f"datasets.{key}: {asked} is not within {key} 0 to {n_there - 1}")
    n_taken = (last + 1 - first) // binning * binning
    if n_taken == 0:
        raise UserError(
            f"datasets.binning: {binning}, but there are only {last + 1 - first} {key} to average"
        )
    return first, first + n_taken


def _axis_seen(axis: KnownAxis, taken: Taken) -> KnownAxis:
    """Return the axis in the middle row of those taken, by their columns."""
    _, along = taken.moved_px
    cor_px = axis.cor_px + math.tan(math.radians(axis.tilt_deg)) * along - taken.columns[0]
    return replace(axis, cor_px=(cor_px - (taken.binning - 1) / 2) / taken.binning)


def _beam_seen(beam: ConeBeam, across_px: float, along_px: float, binning: int) -> ConeBeam:
    return replace(
        beam,
        pixel_mm=binning * beam.pixel_mm,
        row_pitch_mm=binning * beam.row_pitch_mm,
        shift_u_px=(beam.shift_u_px - across_px) / binning,
        shift_v_px=(beam.shift_v_px - along_px) / binning,
        axis_shift_px=beam.axis_shift_px / binning,
        drift_px=tuple((u / binning, v / binning) for u, v in beam.drift_px),
    )
