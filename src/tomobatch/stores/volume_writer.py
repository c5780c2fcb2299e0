"""Writing a chunk of slices to every level of the volume, block by block as they come."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from tomobatch.stores.layout import Array
from tomobatch.stores.shards import ShardWriter
from tomobatch.stores.volume import VolumeLayout


class VolumeWriter:
    """The shards of one chunk of slices, one a level.

    Use it as a context manager: the files appear when the block ends well, or none does.

    Parameters
    ----------
    layout
        The volume's.
    chunk
        The chunk's index.
    paths
        The shard's place at every level.
    """

    def __init__(self, layout: VolumeLayout, chunk: int, paths: Sequence[Path]) -> None:
        self._layout = layout
        self._shards = [
            ShardWriter(layout.array(level), chunk, path) for level, path in enumerate(paths)
        ]
        # So many slices make one of the coarsest level: fewer wait until the others come.
        self._together = layout.z_factor(layout.n_levels - 1)
        self._waiting = np.empty((0, layout.height_px, layout.width_px), np.float32)
        self._early: dict[int, Array] = {}
        self._n_taken = 0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for shard in self._shards:
            self._open.enter_context(shard)
        return self

    def write(self, start: int, slices: Array) -> None:
        """Add slices, float32 (n, y, x) in the volume's unit, from slice ``start`` of the chunk.

        Blocks may come in any order, as several GPUs finish them; those ahead of their turn wait.
        """
        self._early[start] = slices
        while self._n_taken in self._early:
            block = self._early.pop(self._n_taken)
            self._n_taken += len(block)
            self._take(block)

    def _take(self, slices: Array) -> None:
        if len(self._waiting):
            slices = np.concatenate([self._waiting, slices])
        n_whole = len(slices) - len(slices) % self._together
        self._waiting = slices[n_whole:].copy()
        if n_whole:
            self._write(slices[:n_whole])

    def _write(self, slices: Array) -> None:
        for level, values in self._layout.pyramid(slices):
            self._shards[level].append(values)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and len(self._waiting):
            self._write(self._waiting)
        self._open.__exit__(kind, error, trace)
