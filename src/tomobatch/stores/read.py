"""Reading arrays by range, from a folder or from S3."""

from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.storage import LocalStore, ObjectStore

from tomobatch.s3.address import is_remote
from tomobatch.s3.read import open_store
from tomobatch.stores.layout import Array


def open_array(metadata: str) -> "zarr.Array[Any]":
    """Open the array whose ``zarr.json`` is given, as a path or an s3:// address, to read it."""
    root = metadata.removesuffix("zarr.json").rstrip("/")
    store = ObjectStore(open_store(root), read_only=True) if is_remote(root) else _local(root)
    return zarr.open_array(store, mode="r")


def read_sinograms(projections: "zarr.Array[Any]", start: int, stop: int) -> Array:
    """Read rows ``[start, stop)`` of every projection, shard after shard.

    Parameters
    ----------
    projections
        The array (angle, y, x).

    Returns
    -------
    float32 (y, angle, x), contiguous.
    """
    n_projections, _, n_cols = projections.shape
    sinograms = np.empty((stop - start, n_projections, n_cols), np.float32)
    step = (projections.shards or projections.chunks)[0]
    for first in range(0, n_projections, step):
        rows = np.asarray(projections[first : first + step, start:stop])
        sinograms[:, first : first + step] = rows.transpose(1, 0, 2)
    return sinograms


def _local(root: str) -> LocalStore:
    return LocalStore(Path(root), read_only=True)
