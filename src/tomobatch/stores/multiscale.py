"""What an OME-Zarr says of its axes and levels, of one scan or joined of several."""

import json
from typing import Any

import zarr

from tomobatch.errors import UserError
from tomobatch.stores.anywhere import read_file
from tomobatch.stores.read import open_array


def read_ome(address: str) -> dict[str, Any]:
    """Read the ``ome`` attributes of a volume in a folder or on S3.

    Raises
    ------
    UserError
        If there is no OME-Zarr 0.5 volume.
    """
    try:
        ome = dict(json.loads(read_file(f"{address}/zarr.json"))["attributes"]["ome"])
        ome["multiscales"][0]["datasets"][0]["path"]
    except (FileNotFoundError, NotADirectoryError, KeyError, IndexError, TypeError, ValueError):
        raise UserError(f"{address}: holds no OME-Zarr 0.5 volume") from None
    return ome


def open_finest(address: str) -> "zarr.Array[Any]":
    """Open the finest level of a volume, (z, y, x), or of a series of them, (t, z, y, x).

    Raises
    ------
    UserError
        If there is no OME-Zarr 0.5 volume.
    """
    finest = read_ome(address)["multiscales"][0]["datasets"][0]
    return open_array(f"{address}/{finest['path']}/zarr.json")
