"""The rows of a scan that one slice is made of, and those around them that these need."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tomobatch.arrays import Float32Array
from tomobatch.normalise.references import References
from tomobatch.normalise.robust_mean import RawArray
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.on_chunks.corrections import Corrections
from tomobatch.on_chunks.projections import preprocess_chunk
from tomobatch.phase.retrieve import reach_px
from tomobatch.plan import ScanPlan
from tomobatch.s3.address import is_remote
from tomobatch.scan.parts import Scan
from tomobatch.scan.remarks import Look, look_at

# Rows around a pixel that its value hangs on: two of the window against zingers, and four more
# where bad pixels in it are mended. Over a network only the window, as every row is paid for: what
# differs then is a pixel mended from a cluster of bad ones, by less than its noise.
_REACH_PX, _REACH_BY_RANGE_PX = 6, 2
# Of a series of flats: so many tell the noise of a reading, from which half a count follows, to a
# few tenths of a percent; a run samples as many. Over a network the band's own have to do.
_READINGS = 2**20
_BLOCK_BYTES = 2**26


@dataclass(frozen=True)
class Band:
    """Rows [first, stop) of the detector to make sinograms of, and [low, high) to read for them."""

    first: int
    stop: int
    low: int
    high: int

    @property
    def read(self) -> slice:
        """The rows to read."""
        return slice(self.low, self.high)

    @property
    def kept(self) -> slice:
        """Those of the rows read that sinograms are made of."""
        return slice(self.first - self.low, self.stop - self.low)


class RowsInPlace:
    """Some rows of a scan's sinograms (row, angle, x), in the place that they have in the scan."""

    def __init__(self, sinograms: Float32Array, band: Band, n_rows: int) -> None:
        self._sinograms, self._first = sinograms, band.first
        self.shape = (n_rows, *sinograms.shape[1:])

    def __getitem__(self, place: Any) -> Float32Array:  # noqa: ANN401  a slice, or two
        """Return rows by their numbers in the scan, and a part of their angles if asked for."""
        rows, *rest = place if isinstance(place, tuple) else (place,)
        moved = slice(rows.start - self._first, rows.stop - self._first)
        return np.asarray(self._sinograms[(moved, *rest)])


def bands_of(
    plan: ScanPlan, rows: Iterable[int], wanted: Iterable[Corrections], halo_rows: int = 0
) -> list[Band]:
    """Return the band of each slice, with rows around it that projections are moved in from.

    Phase retrieval, by any of the filters, looks far around.
    """
    n_rows = plan.header.n_rows
    near = _REACH_BY_RANGE_PX if is_remote(plan.header.path) else _REACH_PX
    lengths = [reach_px(one.phase) for one in wanted if one.phase is not None]
    bands = []
    for row in rows:
        first, stop = (
            (row, row + 1) if plan.beam is None else plan.cone_geometry().rows_needed(row, row + 1)
        )
        first, stop = max(first - halo_rows, 0), min(stop + halo_rows, n_rows)
        low, high = first - near - max(lengths, default=0), stop + near + max(lengths, default=0)
        bands.append(Band(first, stop, max(low, 0), min(high, n_rows)))
    return bands


def look_around(scan: Scan, band: Band, settings: NormaliseSettings) -> Look:
    """Average the references of a band's rows, and settle the angles by the rows around it."""
    header = scan.header
    # Flats are taken before and after, as a rule.
    readings_a_row = header.n_cols * max(1, header.n_flats // 2)
    around = 0 if is_remote(header.path) else math.ceil(_READINGS / readings_a_row / 2)
    low, high = max(band.low - around, 0), min(band.high + around, header.n_rows)
    part = scan.cropped(slice(low, high))
    look = look_at(part, part.flats(), part.darks(), settings)
    references = look.references.of_rows(slice(band.low - low, band.high - low))
    return replace(look, references=references)


def read_sinograms(
    scan: Scan,
    band: Band,
    references: References,
    settings: NormaliseSettings,
    wanted: Iterable[Corrections],
) -> dict[Corrections, Float32Array]:
    """Read a band of a scan once, and make sinograms of it by all corrections to be tried.

    Returns
    -------
    dict
        float32 (row, angle, x) by correction; where a projection is missing, its mark.
    """
    part, header = scan.cropped(band.read), scan.header
    n_projections = header.n_projections
    row_bytes = header.n_cols * (header.dtype.itemsize + 4)
    step = max(1, _BLOCK_BYTES // (row_bytes * part.header.n_rows))
    shape = (band.stop - band.first, n_projections, header.n_cols)
    sinograms = {one: np.empty(shape, np.float32) for one in wanted}
    before: RawArray | None = None
    for start in range(0, n_projections, step):
        stop = min(start + step, n_projections)
        counts = part.read_projections(start, stop)
        for one, out in sinograms.items():
            done = preprocess_chunk(
                counts, before, start, references, settings, one, header.angles_rad[start:stop]
            )
            kept = done.normalised.line_integrals[:, band.kept]
            out[:, start:stop] = kept.transpose(1, 0, 2)
        before = counts[-1]
    return sinograms


def share_read(plan: ScanPlan, bands: list[Band]) -> float:
    """Return which share of the detector's rows is read."""
    return min(1.0, math.fsum(band.high - band.low for band in bands) / plan.header.n_rows)
