"""Histograms of grey values that merge exactly, whatever the order.

The width of the bins is a power of two and bin i covers [i, i + 1) of it, so that each bin of a
coarser histogram is the union of whole bins of a finer one.
"""

from __future__ import annotations

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

    def coarsened(self, exponent: int) -> Histogram:
        """Return the same counts in bins `2**exponent` wide (not narrower than now)."""
        group = 1 << (exponent - self.exponent)
        bins: NDArray[np.int64] = np.arange(self.first, self.first + len(self.counts)) // group
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
    """Add histograms up, in bins as wide as the coarsest of them has (at least one is needed)."""
    given = list(histograms)
    exponent = max(h.exponent for h in given)
    same = [h.coarsened(exponent) for h in given]
    first = min(h.first for h in same)
    total = np.zeros(max(h.first + len(h.counts) for h in same) - first, dtype=np.int64)
    for h in same:
        start = h.first - first
        total[start : start + len(h.counts)] += h.counts
    return Histogram(exponent, first, tuple(int(c) for c in total))
