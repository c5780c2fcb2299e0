"""Writing one shard slice by slice, so that packing and computing overlap.

The format is that of the Zarr v3 sharding codec: the packed inner chunks one after the other, then
an index of (offset, length) for each of them in C order, and the index's CRC-32C.
https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/

Decision 3.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
import numpy as np
import numpy.typing as npt
from numcodecs.blosc import Blosc

from tomobatch.cores import n_usable_cores
from tomobatch.stores.files import complete_or_absent
from tomobatch.stores.layout import COMPRESSION_LEVEL, COMPRESSOR, ArrayLayout

_ABSENT = np.iinfo(np.uint64).max


@contextmanager
def open_shard(layout: ArrayLayout, index: int, path: Path) -> Iterator["ShardWriter"]:
    """Open a shard to append slices to; it appears when the block ends well, or not at all.

    Parameters
    ----------
    layout
        The array's; its inner chunks are single slices or parts of one.
    index
        The chunk's index along the first axis.
    path
        The shard's own place.

    Raises
    ------
    ValueError
        If slices are missing at the end of the block.
    """
    with (
        complete_or_absent(path) as unfinished,
        unfinished.open("wb") as file,
        ThreadPoolExecutor(n_usable_cores()) as packers,
    ):
        writer = ShardWriter(layout, index, path, file, packers)
        yield writer
        writer.finish()


class ShardWriter:
    """What :func:`open_shard` gives."""

    def __init__(
        self,
        layout: ArrayLayout,
        index: int,
        path: Path,
        file: BinaryIO,
        packers: ThreadPoolExecutor,
    ) -> None:
        if layout.chunk_shape[0] != 1:
            raise ValueError("slices cannot be appended: the inner chunks hold several")
        self._layout = layout
        self._path = path
        self._file = file
        self._packers = packers
        start, stop = layout.range(index)
        self._n_slices = stop - start
        self._tiles = tuple(
            size // chunk
            for size, chunk in zip(layout.shard_shape[1:], layout.chunk_shape[1:], strict=True)
        )
        self._entries = np.full((layout.shard_shape[0], *self._tiles, 2), _ABSENT, "<u8")
        self._dtype = np.dtype(layout.dtype)
        self._codec = Blosc(
            COMPRESSOR, COMPRESSION_LEVEL, Blosc.BITSHUFFLE, typesize=self._dtype.itemsize
        )
        self._n_written = 0

    def append(self, slices: npt.NDArray[Any]) -> None:
        """Add the next slices (n, y, x), in the array's type.

        Raises
        ------
        ValueError
            If they do not have the array's shape, are too many, or hold NaN or infinity.
        """
        if slices.shape[1:] != self._layout.shape[1:]:
            raise ValueError(f"{self._path}: expected {self._layout.shape[1:]}, got {slices.shape}")
        if self._n_written + len(slices) > self._n_slices:
            raise ValueError(f"{self._path}: more than {self._n_slices} slices")
        if not np.isfinite(slices).all():
            bad = np.count_nonzero(~np.isfinite(slices))
            raise ValueError(f"{self._path}: {bad} values are not finite")
        for one in slices:
            places = list(np.ndindex(*self._tiles))
            # Packing a tile lets go of the interpreter; what is written stays in order.
            packed_tiles = self._packers.map(partial(self._pack, one), places)
            for place, packed in zip(places, packed_tiles, strict=True):
                self._entries[(self._n_written, *place)] = self._file.tell(), len(packed)
                self._file.write(packed)
            self._n_written += 1

    def _pack(self, one: npt.NDArray[Any], place: tuple[int, ...]) -> bytes:
        """Pack the part of a slice that lies in one tile; beyond the slice the tile is zero."""
        height, width = self._layout.chunk_shape[1:]
        top, left = place[0] * height, place[1] * width
        tile = np.zeros((height, width), self._dtype)
        part = one[top : top + height, left : left + width]
        tile[: part.shape[0], : part.shape[1]] = part
        return bytes(self._codec.encode(tile))

    def finish(self) -> None:
        """Write the index, once all slices are there."""
        if self._n_written < self._n_slices:
            raise ValueError(f"{self._path}: {self._n_written} of {self._n_slices} slices")
        index = self._entries.tobytes()
        self._file.write(index)
        self._file.write(google_crc32c.value(index).to_bytes(4, "little"))
