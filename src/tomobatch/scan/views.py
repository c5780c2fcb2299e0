"""Pictures seen otherwise than they are stored: turned, a part of their columns, binned.

Each view reads from another stack, block by block, the rows that it needs for those asked for: so
every format, the flats and darks, a chunk of projections and the band of a preview go through it.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tomobatch.scan.header import Frames

Turn = Literal["clockwise", "counter-clockwise"]
_BLOCK_BYTES = 2**26


class FramesView(ABC):
    """A stack that is made of another, picture by picture."""

    def __init__(
        self, frames: Frames, shape: tuple[int, int], dtype: np.dtype[Any] | None = None
    ) -> None:
        self._frames = frames
        self.name = frames.name
        self.dtype: np.dtype[Any] = frames.dtype if dtype is None else dtype
        self.shape: tuple[int, int, int] = (frames.shape[0], *shape)

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given rows of pictures ``[start, stop)``."""
        low, high, step = rows.indices(self.shape[1])
        start, stop, _ = slice(start, stop).indices(self.shape[0])
        shape = (max(0, stop - start), len(range(low, high, step)), self.shape[2])
        out = np.empty(shape, self.dtype)
        if out.size == 0:
            return out
        first, last = self._rows_below(low, high)
        row_bytes = self._frames.shape[2] * self._frames.dtype.itemsize
        n_pictures = max(1, _BLOCK_BYTES // ((last - first) * row_bytes))
        for begin in range(start, stop, n_pictures):
            end = min(begin + n_pictures, stop)
            pictures = self._frames.read(begin, end, slice(first, last))
            out[begin - start : end - start] = self._made(pictures, low, high)[:, ::step]
        return out

    def sources(self) -> list[Hashable]:
        """Say what each picture is."""
        return self._frames.sources()

    @abstractmethod
    def _rows_below(self, low: int, high: int) -> tuple[int, int]:
        """Return which rows of the stack below those in [low, high) are made of."""

    @abstractmethod
    def _made(self, pictures: NDArray[Any], low: int, high: int) -> NDArray[Any]:
        """Make rows [low, high) of the rows below, (n, y, x)."""


class TurnedFrames(FramesView):
    """Pictures turned by a quarter; any row takes whole pictures to read."""

    def __init__(self, frames: Frames, turn: Turn) -> None:
        n_rows, n_cols = frames.shape[1:]
        super().__init__(frames, (n_cols, n_rows))
        self._quarters = -1 if turn == "clockwise" else 1

    def _rows_below(self, low: int, high: int) -> tuple[int, int]:
        return 0, self._frames.shape[1]

    def _made(self, pictures: NDArray[Any], low: int, high: int) -> NDArray[Any]:
        return np.rot90(pictures, self._quarters, axes=(1, 2))[:, low:high]


class ColumnsOfFrames(FramesView):
    """Columns [first, stop) of every picture."""

    def __init__(self, frames: Frames, first: int, stop: int) -> None:
        super().__init__(frames, (frames.shape[1], stop - first))
        self._columns = slice(first, stop)

    def _rows_below(self, low: int, high: int) -> tuple[int, int]:
        return low, high

    def _made(self, pictures: NDArray[Any], low: int, high: int) -> NDArray[Any]:
        return pictures[:, :, self._columns]


class BinnedFrames(FramesView):
    """Pictures whose every pixel is the mean of a square block; what is left over is cut off."""

    def __init__(self, frames: Frames, binning: int) -> None:
        n_rows, n_cols = frames.shape[1:]
        super().__init__(frames, (n_rows // binning, n_cols // binning), np.dtype(np.float32))
        self._binning = binning

    def _rows_below(self, low: int, high: int) -> tuple[int, int]:
        return low * self._binning, high * self._binning

    def _made(self, pictures: NDArray[Any], low: int, high: int) -> NDArray[Any]:
        return binned(pictures[:, :, : self.shape[2] * self._binning], self._binning)


def binned(counts: NDArray[Any], binning: int) -> NDArray[np.float32]:
    """Return the means of square blocks of counts.

    Of counts, not of line integrals: what photons there are is added up before the logarithm. A
    block with a reading at the end of its type of whole numbers is there as well, since the mean
    would hide that it is saturated.

    Parameters
    ----------
    counts
        (n, y, x), y and x multiples of ``binning``.

    Returns
    -------
    ndarray, float32 (n, y / binning, x / binning)
    """
    corners = [
        counts[:, row::binning, column::binning]
        for row in range(binning)
        for column in range(binning)
    ]
    # Sums of 16 readings of 16 bits are exact in float32.
    exact = np.float32 if counts.dtype.itemsize <= 2 else np.float64
    total = np.zeros(corners[0].shape, exact)
    for corner in corners:
        np.add(total, corner, out=total)
    means = (total / exact(binning**2)).astype(np.float32, copy=False)
    if counts.dtype.kind in "iu":
        largest = corners[0]
        for corner in corners[1:]:
            largest = np.maximum(largest, corner)
        end = np.iinfo(counts.dtype.str).max
        means[largest == end] = end
    return means
