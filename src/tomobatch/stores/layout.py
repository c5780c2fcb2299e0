"""The layout of a sharded Zarr v3 array, and the one file that a job adds to it (decision 2)."""

import math
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from tomobatch.chunks import ChunkGrid

if TYPE_CHECKING:
    import zarr
    from zarr.abc.buffer import Buffer
    from zarr.storage import LocalStore, MemoryStore

Array = npt.NDArray[np.float32]

# LZ4 is the trade here: noisy floats shrink by a fifth with any codec, and it is the fastest.
COMPRESSOR: Final = "lz4"
COMPRESSION_LEVEL = 3


@dataclass(frozen=True)
class ArrayLayout:
    """An array whose shards lie side by side along its first axis.

    ``shard_shape`` is what one job writes: one file, whose key is the job's chunk index followed by
    zeros. ``chunk_shape`` is the piece within it that a reader fetches by range; it divides the
    shard.
    """

    shape: tuple[int, ...]
    shard_shape: tuple[int, ...]
    chunk_shape: tuple[int, ...]
    dimension_names: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    fill_value: int = 0

    def metadata(self) -> bytes:
        """Return the bytes of the array's ``zarr.json``."""
        # A plan or a preview lays out arrays and writes none: zarr takes a while to import.
        from zarr.storage import MemoryStore

        objects: dict[str, Buffer] = {}
        self._create(MemoryStore(objects))
        return objects["zarr.json"].to_bytes()

    def write_shard(self, index: int, values: Array, path: Path) -> None:
        """Write the shard of chunk ``index`` to ``path``, which appears only once it is complete.

        Parameters
        ----------
        index
            The chunk's index along the first axis.
        values
            What the chunk holds, cut at the end of the array.
        path
            The shard's own place, such as ``volume.ome.zarr/0/c/3/0/0``.

        Raises
        ------
        ValueError
            If ``values`` does not have the shape of that chunk, or holds NaN or infinity.
        """
        from zarr.storage import LocalStore

        start, stop = self.range(index)
        expected = (stop - start, *self.shape[1:])
        if values.shape != expected:
            raise ValueError(f"{path}: expected an array of {expected}, got {values.shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"{path}: {np.sum(~np.isfinite(values))} values are not finite")
        path.parent.mkdir(parents=True, exist_ok=True)
        private = Path(tempfile.mkdtemp(prefix=".shard-", dir=path.parent))
        try:
            array = self._create(LocalStore(private))
            array[start:stop] = values
            (private / "c" / self.key(index)).replace(path)
        finally:
            shutil.rmtree(private)

    def range(self, index: int) -> tuple[int, int]:
        """Return what chunk ``index`` holds along the first axis, [start, stop)."""
        return ChunkGrid(self.shape[0], self.shard_shape[0]).range(index)

    def key(self, index: int) -> str:
        """Return the key of a shard below the array's ``c/``."""
        return "/".join([str(index), *"0" * (len(self.shape) - 1)])

    def _create(self, store: "LocalStore | MemoryStore") -> "zarr.Array[Any]":
        import zarr
        from zarr.codecs import BloscCodec

        return zarr.create_array(
            store,
            shape=self.shape,
            shards=self.shard_shape,
            chunks=self.chunk_shape,
            dtype=self.dtype,
            compressors=BloscCodec(
                typesize=np.dtype(self.dtype).itemsize,
                cname=COMPRESSOR,
                clevel=COMPRESSION_LEVEL,
                shuffle="bitshuffle",
            ),
            fill_value=self.fill_value,
            dimension_names=self.dimension_names,
            attributes=dict(self.attributes),
            # Without it a shard of zeros is not written at all, and reads as a missing output.
            config={"write_empty_chunks": True},
        )


def projections_layout(
    n_projections: int, n_rows: int, n_cols: int, chunk_projections: int, chunk_slices: int
) -> ArrayLayout:
    """Lay out ``projections.zarr``: (angle, y, x), a shard a preprocess job.

    The inner chunks are the rows of one chunk of slices, so that a process job reads one of each
    shard.
    """
    bands = math.ceil(n_rows / chunk_slices)
    return ArrayLayout(
        shape=(n_projections, n_rows, n_cols),
        shard_shape=(chunk_projections, bands * chunk_slices, n_cols),
        chunk_shape=(chunk_projections, chunk_slices, n_cols),
        dimension_names=("angle", "y", "x"),
    )


def sinograms_layout(
    n_projections: int,
    n_rows: int,
    n_cols: int,
    chunk_slices: int,
    chunk_angles: int | None = None,
) -> ArrayLayout:
    """Lay out ``sinograms.zarr``: (y, angle, x), a shard a process job.

    An inner chunk is a row, or so many angles of it where slices are made of many rows, of which
    they then read a few angles at a time.
    """
    piece = n_projections if chunk_angles is None else min(chunk_angles, n_projections)
    pieces = math.ceil(n_projections / piece)
    return ArrayLayout(
        shape=(n_rows, n_projections, n_cols),
        shard_shape=(chunk_slices, pieces * piece, n_cols),
        chunk_shape=(1, piece, n_cols),
        dimension_names=("y", "angle", "x"),
    )
