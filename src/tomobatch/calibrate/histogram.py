"""Histograms of grey values that merge exactly, whatever the order.

The width of the bins is a power of two and bin i covers [i, i + 1) of it, so that each bin of a
coarser histogram is the union of whole bins of a finer one.

Decision 51.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BINS = 512


@dataclass(frozen=True)
class Histogram:
    """Counts of consecutive bins, all `2**exponent` wide; the first begins at `first` widths."""

    exponent: int
    first: int
    counts: tuple[int, ...]

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges of the bins, one more than there are counts."""
        numbers = np.arange(self.first, self.first + len(self.counts) + 1, dtype=np.float64)
        return np.ldexp(numbers, self.exponent)

    def coarsened(self, exponent: int) -> "Histogram":
        """Return the same counts in bins `2**exponent` wide (not narrower than now)."""
        halvings = min(exponent - self.exponent, 63)  # of a 64-bit number: then all are 0 or -1
        bins = (self.first + np.arange(len(self.counts), dtype=np.int64)) >> halvings
        first = int(bins[0])
        counts = np.bincount(bins - first, weights=np.array(self.counts, dtype=np.float64))
        return Histogram(exponent, first, tuple(int(c) for c in counts))

    def percentiles(self, percents: Sequence[float]) -> tuple[float, ...]:
        """Return the values below which these percentages of the counts lie."""
        below = np.concatenate([[0], np.cumsum(self.counts)])
        wanted = np.asarray(percents, dtype=np.float64) / 100 * below[-1]
        return tuple(float(v) for v in np.interp(wanted, below, self.edges))


def histogram_of(values: NDArray[np.floating]) -> Histogram:
    """Count finite values (at least one) in at most 512 bins, the narrowest that hold them."""
    low, high = float(values.min()), float(values.max())
    smallest = float(np.finfo(np.float32).eps) * max(abs(low), abs(high))
    spread = max(high - low, smallest, 1e-30)
    exponent = int(np.ceil(np.log2(spread / (MOST_BINS - 1))))
    bins = np.floor(np.ldexp(values.astype(np.float64), -exponent)).astype(np.int64)
    first = int(bins.min())
    return Histogram(exponent, first, tuple(int(c) for c in np.bincount(bins - first)))


def merge(histograms: Iterable[Histogram]) -> Histogram:
    """Add histograms up (at least one), in bins as wide as the coarsest has, or the range needs."""
    given = list(histograms)
    exponent = max(h.exponent for h in given)
    same = [h.coarsened(exponent) for h in given]
    while _range(same)[1] - _range(same)[0] > 2 * MOST_BINS:
        exponent += 1
        same = [h.coarsened(exponent) for h in same]
    first, stop = _range(same)
    total = np.zeros(stop - first, dtype=np.int64)
    for h in same:
        start = h.first - first
        total[start : start + len(h.counts)] += h.counts
    return Histogram(exponent, first, tuple(int(c) for c in total))


def _range(histograms: list[Histogram]) -> tuple[int, int]:
    """Return the first bin of all and the one after the last."""
    return min(h.first for h in histograms), max(h.first + len(h.counts) for h in histograms)
