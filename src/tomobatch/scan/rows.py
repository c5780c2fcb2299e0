"""Rows of the detector that a scan is restricted to, and what is known of it seen from those."""

import math
import re
from dataclasses import replace

from tomobatch.beam import ConeBeam
from tomobatch.errors import UserError
from tomobatch.known_axis import KnownAxis
from tomobatch.scan.parts import Scan

_RANGE = re.compile(r"(\d+)\s*(?:-|\.\.)\s*(\d+)")


def with_rows(scan: Scan, asked: str | None) -> Scan:
    """Return a scan as if its detector had only the rows that the user takes; all by default.

    The axis of a demo scan is that of their middle row; the source's plane of a cone beam stays
    where it is, and so lies elsewhere from their middle.

    Parameters
    ----------
    scan
        Of the whole detector.
    asked
        The first and the last row, counted from 0, such as ``100-899``.

    Raises
    ------
    UserError
        For what is no range, or beyond the detector.
    """
    whole = scan.header
    if asked is None:
        return scan
    first, stop = _range(asked, whole.n_rows)
    if stop - first == whole.n_rows:
        return scan
    cropped = scan.cropped(slice(first, stop))
    moved = (first + stop - whole.n_rows) / 2
    note = f"rows {first}-{stop - 1} of 0-{whole.n_rows - 1} are taken, as the config says"
    cropped.header = replace(
        cropped.header,
        first_row=first,
        known_axis=whole.known_axis and _axis_seen(whole.known_axis, moved),
        beam=whole.beam and _beam_seen(whole.beam, moved),
        notes=(*whole.notes, note),
    )
    return cropped


def _range(asked: str, n_rows: int) -> tuple[int, int]:
    match = _RANGE.fullmatch(asked.strip())
    if match is None:
        raise UserError(f"datasets.rows: {asked!r} is no range of rows; write 100-899")
    first, last = int(match[1]), int(match[2])
    if not first <= last < n_rows:
        raise UserError(f"datasets.rows: {asked} is not within rows 0 to {n_rows - 1}")
    return first, last + 1


def _axis_seen(axis: KnownAxis, moved_px: float) -> KnownAxis:
    slope = math.tan(math.radians(axis.tilt_deg))
    return replace(axis, cor_px=axis.cor_px + slope * moved_px)


def _beam_seen(beam: ConeBeam, moved_px: float) -> ConeBeam:
    return replace(beam, shift_v_px=beam.shift_v_px - moved_px)
