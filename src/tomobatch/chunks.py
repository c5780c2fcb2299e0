"""The regular grid of chunks: which projections or rows each job owns.

Ranges are half-open ``[start, stop)`` and count from 0. A chunk has a size, not a count, so the
grid is regular and the index of a chunk is also its key in the Zarr array that its job writes.

Decision 9.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tomobatch.config.section import Auto, Section

ChunkSize = Annotated[int, Field(ge=1, le=1_000_000)]


class ChunkSettings(Section):
    """How the work is cut into jobs."""

    projections: ChunkSize | Auto = Field(64, description="projections a preprocess job")
    slices: ChunkSize | Auto = Field(32, description="detector rows a process or reconstruct job")
    memory_mb: float = Field(256, gt=0, description="float32 data of one chunk, for `auto`")


@dataclass(frozen=True)
class ChunkGrid:
    """``n_items`` items in chunks of ``size``; the last chunk may be shorter.

    Raises
    ------
    ValueError
        If there is nothing to chunk, or the size is below one.
    """

    n_items: int
    size: int

    def __post_init__(self) -> None:
        if self.n_items < 1 or self.size < 1:
            raise ValueError(f"cannot chunk {self.n_items} items by {self.size}")

    @property
    def n_chunks(self) -> int:
        """How many chunks there are: at least one, none of them empty."""
        return -(-self.n_items // self.size)

    def range(self, index: int) -> tuple[int, int]:
        """Return the items ``[start, stop)`` of chunk ``index``.

        Raises
        ------
        IndexError
            If there is no such chunk.
        """
        if not 0 <= index < self.n_chunks:
            raise IndexError(f"chunk {index} of {self.n_chunks}")
        start = index * self.size
        return start, min(start + self.size, self.n_items)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        """Walk the ranges of all chunks in order."""
        return (self.range(index) for index in range(self.n_chunks))


def size_for_budget(n_items: int, item_mb: float, budget_mb: float, multiple_of: int = 1) -> int:
    """Return the largest chunk size whose items fit the budget.

    Parameters
    ----------
    n_items
        How many items there are in all; the size never exceeds it.
    item_mb
        Memory of one item, in MB of float32.
    budget_mb
        Memory that the items of one chunk may take.
    multiple_of
        Round the size down to a multiple of this, where it is large enough.
    """
    size = max(1, int(budget_mb // item_mb))
    if size >= multiple_of:
        size -= size % multiple_of
    return min(size, n_items)
