"""Writing a chunk of slices to every level of the volume, block by block as they come."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from tomobatch.stores.grey_codes import GreyCodes
from tomobatch.stores.layout import Array
from tomobatch.stores.shards import ShardWriter, open_shard
from tomobatch.stores.volume import VolumeLayout


@contextmanager
def open_chunk(layout: VolumeLayout, chunk: int, paths: Sequence[Path]) -> Iterator["ChunkWriter"]:
    """Open the shards of one chunk of slices; they appear when the block ends well.

    Parameters
    ----------
    layout
        The volume's.
    chunk
        The chunk's index.
    paths
        The shard's place at every level.
    """
    with ExitStack() as shards:
        writer = ChunkWriter(
            layout,
            [
                shards.enter_context(open_shard(layout.array(level), chunk, path))
                for level, path in enumerate(paths)
            ],
        )
        yield writer
        writer.finish()


class ChunkWriter:
    """What :func:`open_chunk` gives."""

    def __init__(self, layout: VolumeLayout, shards: Sequence[ShardWriter]) -> None:
        self._layout = layout
        self._shards = shards
        # So many slices make one of the coarsest level: fewer wait until the others come.
        self._together = layout.z_factor(layout.n_levels - 1)
        self._waiting = np.empty((0, layout.height_px, layout.width_px), np.float32)
        self._early: dict[int, Array] = {}
        self._n_taken = 0
        self.n_below = self.n_above = 0
        """Voxels of the finest level beyond the ends of the whole numbers, so far."""

    def write(self, start: int, slices: Array) -> None:
        """Add slices, float32 (n, y, x) in the volume's unit, from slice ``start`` of the chunk.

        They come as they are computed, and are turned to the volume's orientation here.
        Blocks may come in any order, as several GPUs finish them; copies of those ahead of their
        turn wait.
        """
        if self._layout.orientation.flips_rows:
            slices = slices[:, ::-1]
        if start != self._n_taken:
            self._early[start] = slices.copy()
            return
        self._take(slices)
        while self._n_taken in self._early:
            self._take(self._early.pop(self._n_taken))

    def _take(self, slices: Array) -> None:
        self._n_taken += len(slices)
        if len(self._waiting):
            slices = np.concatenate([self._waiting, slices])
        n_whole = len(slices) - len(slices) % self._together
        self._waiting = slices[n_whole:].copy()
        if n_whole:
            self._write(slices[:n_whole])

    def _write(self, slices: Array) -> None:
        codes = self._layout.codes
        for level, values in self._layout.pyramid(slices):
            if codes is None:
                self._shards[level].append(values)
                continue
            if level == 0:
                self._count(codes, values)
            self._shards[level].append(codes.encode(values))

    def _count(self, codes: GreyCodes, values: Array) -> None:
        """Count what is clipped; a value that is no number has no code."""
        if not np.isfinite(values).all():
            bad = np.count_nonzero(~np.isfinite(values))
            raise ValueError(f"{bad} values of the slices are not finite")
        below, above = codes.n_outside(values)
        self.n_below += below
        self.n_above += above

    def finish(self) -> None:
        """Write the slices that still wait: the last ones of the volume."""
        if len(self._waiting):
            self._write(self._waiting)
