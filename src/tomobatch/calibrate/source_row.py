"""The row of the detector that lies in the source's plane, by what views have in common.

The integral of the object over a plane through two sources, each point divided by its distance from
the line through both, comes out of either view: as the integral of the cosine-weighted projection
along the line in which the plane meets the detector (order 0 of the consistency conditions of a fan
beam: R. Clackdoyle, Phys. Med. Biol. 58, 8437, 2013; for circular cones J. Lesaint et al., IEEE
Trans. Radiat. Plasma Med. Sci. 1, 517, 2017). With the sources 2 A of angle apart, tan A = t, that
line is v = p + k (1 -+ a t) at the tangent a of a column, p being the row of the source's plane.
A wrong p turns the lines of the two views against each other, a roll of the detector turns both the
same way. Developed in a t, all of it is moments of rows and their derivatives along the columns,
and the differences of views are linear in p but for small terms.

Slices show the row as little as the data do: a wrong one moves a point at the distance r from the
axis by up to the share r / D of the error, up and down as the sample turns.

Decision 127.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.evidence import Evidence, RowEvidence
from tomobatch.calibrate.fan import NEGLIGIBLE_PX
from tomobatch.calibrate.fan_moments import N_ORDERS, unpack_moments
from tomobatch.calibrate.unseen import CUT_OFF_LEVEL

Floats = NDArray[np.float64]

_SMOOTHING_ROWS = 1.0
# Of t for the views furthest apart, and how many distances up to there.
_FARTHEST, _N_APART = 1.0, 8
# How far a line may lean over the width, in rows: what its development holds for.
_LARGEST_LEAN_ROWS = 2.0
_FEWEST_ROWS, _FEWEST_VIEWS = 8, 16
_ANGLE_BLOCKS, _ROW_BLOCKS = 16, 8
# What blocks do not show: that neighbouring ones are alike as well; and of a short scan, that its
# views have no opposite ones, in which hardening and scatter are the same. Of 60 random scans the
# errors over the standard deviations were up to as much.
_UNSEEN, _UNSEEN_IN_SHORT = 1.25, 2.0
_SINGULAR = 1e12
_MOST_ROUNDS, _SETTLED_ROWS, _LARGEST_STEP_ROWS = 8, 0.02, 10.0
# By which a row stands out that is known worse than so much at the rim of the slices; of such a
# one it is said.
_CLEAR_SIGMAS, _LARGEST_ERROR_PX = 3.0, 0.25
# By which a scanner's row may well be off, in rows and as a share of the detector's height; and
# what is not believed.
_LIKELY_ROWS, _LIKELY_SHARE, _UNLIKELY_SHARE = 2.0, 0.005, 0.2


@dataclass(frozen=True)
class SourceRow:
    """The row in which the normal from the source meets the detector.

    Attributes
    ----------
    stated_px
        As the scan or the configuration has it.
    found_px, sigma_px
        By the data, and its standard deviation; None where they do not tell.
    source
        Whether the reconstruction takes what was found, or what is stated or given.
    """

    stated_px: float
    found_px: float | None
    sigma_px: float | None
    source: Literal["found", "stated", "given"]

    @property
    def row_px(self) -> float:
        """The row that the reconstruction takes."""
        if self.source == "found" and self.found_px is not None:
            return self.found_px
        return self.stated_px

    @property
    def words(self) -> str:
        """The row that is taken and where it is from, beside what else is known of it."""
        if self.found_px is None or self.sigma_px is None:
            return f"{self.stated_px:.2f}, {self.source}; the data do not tell"
        found = f"{self.found_px:.2f} ± {self.sigma_px:.2f}"
        if self.source == "found":
            return f"{found}, found ({self.stated_px:.2f} stated)"
        return f"{self.stated_px:.2f}, {self.source} ({found} by the data)"


def settle_source_row(
    rows: Sequence[RowEvidence], scan: Evidence, beam: ConeBeam, *, is_given: bool
) -> tuple[SourceRow, list[str]]:
    """Return the source's row and what is doubtful about it.

    Parameters
    ----------
    rows
        Of the whole scan, in order.
    scan
        The evidence of any chunk, for what all share.
    beam
        As the scan and the configuration state it.
    is_given
        Whether the configuration gives the row, which wins.
    """
    stated_px = beam.principal_px(scan.n_rows, scan.n_x)[1]
    at_rim = math.tan(beam.half_fan_rad(scan.n_x))
    found = find_source_row(rows, scan, beam)
    source: Literal["found", "stated", "given"] = "given" if is_given else "stated"
    if found is None:
        likely_px = max(_LIKELY_ROWS, _LIKELY_SHARE * scan.n_rows) * at_rim
        doubtful = not is_given and likely_px > _LARGEST_ERROR_PX
        return SourceRow(stated_px, None, None, source), [_NOT_TOLD.format(stated_px)] * doubtful
    row_px, sigma_px = found
    away_px = abs(row_px - stated_px)
    is_seen = away_px * at_rim > NEGLIGIBLE_PX
    is_clear = is_seen and away_px > _CLEAR_SIGMAS * sigma_px
    is_known = 2 * sigma_px * at_rim <= _LARGEST_ERROR_PX
    is_likely = away_px <= _UNLIKELY_SHARE * scan.n_rows
    if (is_clear or (is_seen and is_known)) and is_likely and not is_given:
        source = "found"
    settled = SourceRow(stated_px, row_px, sigma_px, source)
    if is_clear and source != "found":
        return settled, [_ELSEWHERE.format(stated_px, row_px, 2 * sigma_px)]
    if is_known or is_given:
        return settled, []
    told = _BADLY_TOLD.format(settled.row_px, 2 * sigma_px, 2 * sigma_px * at_rim)
    return settled, [told]


_ADVICE = "give datasets.cone.shift_v_px if slices far above and below are doubled at their rim"
_NOT_TOLD = "the source's row cannot be told from this scan and is taken as {:.1f}; " + _ADVICE
_BADLY_TOLD = (
    "the source's row is taken as {:.1f}; the data tell it to {:.1f} rows only, {:.2f} px at the"
    " rim of the slices; " + _ADVICE
)
_ELSEWHERE = (
    "the source's row is taken as {:.1f}, but the data have it at {:.1f}, known to {:.1f} rows;"
    " check datasets.cone.shift_v_px"
)


def find_source_row(
    rows: Sequence[RowEvidence], scan: Evidence, beam: ConeBeam
) -> tuple[float, float] | None:
    """Return the row of the source's plane by the data, and its standard deviation.

    None where they do not tell: too few rows or views, a sample wider than the detector, or one
    that is the same in all rows.
    """
    near = [row for row in rows if row.moments]
    rims = [row.rim.level for row in near if row.rim is not None]
    if len(near) < _FEWEST_ROWS or not rims or float(np.median(rims)) > CUT_OFF_LEVEL:
        return None
    first, last = near[0].row, near[-1].row
    by_row = {row.row: unpack_moments(row.moments) for row in near}
    shape = next(iter(by_row.values())).shape
    if shape[1] < _FEWEST_VIEWS:
        return None
    nothing = np.full(shape, np.nan)
    moments = np.stack([by_row.get(row, nothing) for row in range(first, last + 1)], axis=-1)
    views = _Views(
        moments,
        np.arange(first, last + 1, dtype=np.float64),
        scan.fan_step_rad,
        scan.is_full_turn,
        math.tan(beam.half_fan_rad(scan.n_x)),
    )
    row_px = beam.principal_px(scan.n_rows, scan.n_x)[1]
    for _ in range(_MOST_ROUNDS):
        found = views.improved(row_px)
        if found is None:
            return None
        step, sigma_px = found
        row_px += min(max(step, -_LARGEST_STEP_ROWS), _LARGEST_STEP_ROWS)
        if abs(step) < _SETTLED_ROWS:
            break
    return row_px, sigma_px


@dataclass(frozen=True)
class _Views:
    """Moments (order, angle, row) of views a step apart, and of which rows they are."""

    moments: Floats
    rows: Floats
    step_rad: float
    is_full_turn: bool
    widest: float

    def improved(self, plane_px: float) -> tuple[float, float] | None:
        """Return by how much a guess of the source's row is wrong, and the standard deviation."""
        parts = [part for apart in self._distances() if (part := self._pairs(apart, plane_px))]
        if not parts:
            return None
        left, changes, beside, angles, rows = (
            np.concatenate(one) for one in zip(*parts, strict=True)
        )
        # Noise in the changes would pull the answer to the guess, and feign certainty: they are
        # weighed by those of neighbouring views, whose noise is another one.
        normal = beside.T @ changes
        if not np.linalg.cond(normal) < _SINGULAR:
            return None
        inverse = np.linalg.inv(normal)
        steps = -inverse @ (beside.T @ left)
        pulls = beside * (left + changes @ steps)[:, None]
        # What is left over is alike for neighbouring views and rows: whole blocks of either count.
        turns = np.floor(angles * _ANGLE_BLOCKS / (angles.max() + 1)).astype(np.intp)
        heights = np.floor((rows - rows.min()) * _ROW_BLOCKS / (np.ptp(rows) + 1)).astype(np.intp)
        variance = max(
            _of_blocks(pulls, inverse, turns, _ANGLE_BLOCKS),
            _of_blocks(pulls, inverse, heights, _ROW_BLOCKS),
        )
        unseen = _UNSEEN if self.is_full_turn else _UNSEEN_IN_SHORT
        return float(steps[0]), unseen * math.sqrt(variance)

    def _distances(self) -> list[int]:
        """Return half the distances of the views that are compared, in steps."""
        farthest = math.atan(_FARTHEST) / self.step_rad
        apart = np.rint(np.linspace(farthest / _N_APART, farthest, _N_APART)).astype(int)
        return [one for one in np.unique(apart).tolist() if one > 0]

    def _pairs(self, apart: int, plane_px: float) -> tuple[Floats, ...] | None:
        """Return what the views of all pairs differ by, and its changes by row and roll.

        With the changes of neighbouring pairs, and the places of all: angle and row.
        """
        n = self.moments.shape[1]
        middle = np.arange(n) if self.is_full_turn else np.arange(apart, n - apart)
        lean = math.tan(apart * self.step_rad)
        from_plane = self.rows - plane_px
        straight = np.abs(from_plane) * lean * self.widest <= _LARGEST_LEAN_ROWS
        if len(middle) < _FEWEST_VIEWS or not straight.any():
            return None
        one, other = (middle - apart) % n, (middle + apart) % n
        sums = [np.zeros((len(middle), len(self.rows))) for _ in range(3)]
        for order, terms in enumerate(_developed(self.moments, from_plane)):
            for total, term in zip(sums, terms, strict=True):
                total += lean**order * (term[one] - (-1) ** order * term[other])
        smooth = [_smooth(total) for total in sums]
        kept = straight & np.isfinite(smooth[0]).all(axis=0) & np.isfinite(smooth[2]).all(axis=0)
        if np.count_nonzero(kept) < 3:
            return None
        left, *changes = (_without_means(one[:, kept]) for one in smooth)
        beside = [(np.roll(one, 1, axis=0) + np.roll(one, -1, axis=0)) / 2 for one in changes]
        inner = slice(None) if self.is_full_turn else slice(1, -1)
        places = np.broadcast_arrays(middle[:, None].astype(np.float64), self.rows[kept])
        flat = [one[inner].ravel() for one in (left, *changes, *beside, *places)]
        return flat[0], np.stack(flat[1:3], axis=1), np.stack(flat[3:5], axis=1), flat[5], flat[6]


def _developed(moments: Floats, from_plane: Floats) -> list[tuple[Floats, Floats, Floats]]:
    """Return by power of a t: the integral along a line, its change by the row and by the roll."""
    derived = [moments]
    for _ in range(N_ORDERS):
        derived.append(np.gradient(derived[-1], axis=-1))
    terms = []
    for order in range(N_ORDERS - 1):
        powers = [(-from_plane) ** j / math.factorial(j) for j in range(order + 1)]
        value = sum(power * derived[j][order] for j, power in enumerate(powers))
        by_row = sum(power * derived[j + 1][order] for j, power in enumerate(powers[:-1]))
        by_roll = sum(power * derived[j + 1][order + 1] for j, power in enumerate(powers))
        terms.append((value, by_row + np.zeros_like(value), by_roll))
    return terms


def _smooth(values: Floats) -> Floats:
    """Smooth along the rows; those within reach of an end or of a missing row become NaN."""
    radius = math.ceil(2 * _SMOOTHING_ROWS)
    smooth = ndimage.gaussian_filter1d(values, _SMOOTHING_ROWS, axis=-1, radius=radius)
    smooth[:, : radius + 2] = smooth[:, -radius - 2 :] = np.nan
    return np.asarray(smooth)


def _without_means(values: Floats) -> Floats:
    """Take off what a view's own brightness adds to all rows, and stripes to all views."""
    level = values - values.mean(axis=1, keepdims=True)
    return np.asarray(level - level.mean(axis=0, keepdims=True))


def _of_blocks(pulls: Floats, inverse: Floats, block: NDArray[np.intp], n_blocks: int) -> float:
    """Return the variance of the row, by how the pulls of whole blocks scatter."""
    sums = np.stack([np.bincount(block, pull, n_blocks) for pull in pulls.T], axis=1)
    covariance = inverse @ (sums.T @ sums) @ inverse.T * n_blocks / (n_blocks - 1)
    return float(covariance[0, 0])
