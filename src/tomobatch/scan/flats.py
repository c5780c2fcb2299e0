"""Flats in the order of their time: series that a file does not tell apart are told by their level.

Many writers append the flats taken after a scan to those taken before it, and say so nowhere. If
the beam fell in between, their mean is right for no projection.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# A step between two levels, as a share of them and in standard deviations of a frame's level about
# its own series. Half a percent moves a line integral by 0.005.
_LEAST_STEP = 0.005
# Two flats in all show no scatter to compare with.
_LEAST_STEP_OF_TWO = 0.03
_LEAST_SIGMAS = 6.0
_SAMPLED_PIXELS = 1 << 16
_MOST_SERIES = 8


class FlatSeries(NamedTuple):
    """Flats taken in one go.

    Attributes
    ----------
    frames
        (n, y, x), in counts.
    position
        Projections taken before them.
    scale
        What their signal is multiplied by to be that of the projections' exposure.
    """

    frames: NDArray[Any]
    position: int
    scale: float = 1.0


@dataclass(frozen=True)
class Flats:
    """All flats of a scan, and what was made of them, a line each."""

    series: list[FlatSeries]
    notes: tuple[str, ...] = ()


def date_flats(
    frames: NDArray[Any], n_projections: int, dark_level: float = 0.0, scale: float = 1.0
) -> Flats:
    """Cut flats of unknown time where their level steps, and spread the pieces over the scan.

    Parameters
    ----------
    frames
        (n, y, x), in the order they were taken.
    n_projections
        Of the scan. Two pieces lie before and after it, more are spread evenly.
    dark_level
        Counts without beam.
    scale
        Of their exposure: see :class:`FlatSeries`.
    """
    levels = _levels(frames) - dark_level
    cuts = _steps(levels)
    pieces = np.split(np.arange(len(frames)), cuts)
    if len(pieces) == 1 or len(pieces) > _MOST_SERIES:
        notes = ("the flats change their level many times: their mean is taken",) if cuts else ()
        return Flats([FlatSeries(frames, 0, scale)], notes)
    positions = np.linspace(0, n_projections, len(pieces)).round().astype(int)
    change = levels[pieces[-1]].mean() / levels[pieces[0]].mean() - 1
    where = (
        "before and after the scan"
        if len(pieces) == 2
        else "at even intervals from its start to its end"
    )
    n_flats = " + ".join(str(len(piece)) for piece in pieces)
    note = (
        f"the flats come in {len(pieces)} levels ({n_flats} flats, the last {change:+.1%}), and the"
        f" file does not say when they were taken: they are used as taken {where}"
    )
    series = [
        FlatSeries(frames[piece], int(position), scale)
        for piece, position in zip(pieces, positions, strict=True)
    ]
    return Flats(series, (note,))


def _levels(frames: NDArray[Any]) -> NDArray[np.float64]:
    """Return the mean of the middle half of each frame's values: bad pixels do not enter."""
    step = max(1, int(np.sqrt(frames[0].size / _SAMPLED_PIXELS)))
    sample = np.sort(frames[:, ::step, ::step].reshape(len(frames), -1).astype(np.float64), axis=1)
    quarter = sample.shape[1] // 4
    return np.asarray(np.nanmean(sample[:, quarter : sample.shape[1] - quarter], axis=1))


def _steps(levels: NDArray[np.float64]) -> list[int]:
    """Return where the level steps, ascending: each step is searched in what the last ones left."""
    cuts: list[int] = []
    todo = [(0, len(levels))]
    while todo:
        start, stop = todo.pop()
        cut = _step(levels[start:stop])
        if cut is not None:
            cuts.append(start + cut)
            todo += [(start, start + cut), (start + cut, stop)]
    return sorted(cuts)


def _step(levels: NDArray[np.float64]) -> int | None:
    """Return where a run of levels steps most clearly; None if it does not."""
    # A single frame of another level is a stranger, and no series.
    fewest = 2
    if len(levels) == 2 and abs(np.diff(levels)[0]) > _LEAST_STEP_OF_TWO * abs(levels.mean()):
        return 1
    best: tuple[float, int] | None = None
    for cut in range(fewest, len(levels) - fewest + 1):
        one, other = levels[:cut], levels[cut:]
        step = abs(one.mean() - other.mean())
        scatter = float(np.sqrt((one.var() * len(one) + other.var() * len(other)) / len(levels)))
        clear = step > _LEAST_STEP * abs(levels.mean()) and step > _LEAST_SIGMAS * scatter
        if clear and (best is None or scatter < best[0]):
            best = (scatter, cut)
    return None if best is None else best[1]
