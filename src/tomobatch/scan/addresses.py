"""How the config names stacks of pictures: inside the scan, in other files, and parts of them.

``/entry/flats``          a dataset of the scan's own file
``flats.h5``              a file beside the scan, of which what fits the key is taken
``flats.h5:/entry/data``  a dataset of such a file
``.../data[0:10]``        the first ten pictures of a stack, counted and cut as in Python
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.s3.read import object_exists, open_object
from tomobatch.scan.hdf5 import contents, get_dataset, open_file
from tomobatch.scan.hdf5_frames import Hdf5Frames
from tomobatch.scan.hdf5_links import Found, get_item, walk
from tomobatch.scan.header import Frames, ImageKey
from tomobatch.scan.leave_out import KeptFrames

_CUT = re.compile(r"^(?P<rest>.*)\[(?P<start>-?\d*):(?P<stop>-?\d*)\]$")
_OTHER = re.compile(r"^(?P<file>.+\.(?:h5|hdf|hdf5|he5|nxs|nx))(?::(?P<path>.*))?$", re.IGNORECASE)
_ROLES = {
    "flats": (ImageKey.FLAT, ("/exchange/data_white", "/flats", "/flat", "/data_white")),
    "darks": (ImageKey.DARK, ("/exchange/data_dark", "/darks", "/dark", "/data_dark")),
}


@dataclass(frozen=True)
class Address:
    """A stack of pictures as the config names it.

    Attributes
    ----------
    path
        Of a dataset, file, folder or pattern; empty if only ``file`` is given.
    cut
        The pictures that are meant.
    file
        Another HDF5 file, or None.
    """

    path: str
    cut: slice | None = None
    file: str | None = None


def parse(text: str) -> Address:
    """Take what the config says apart."""
    cut = None
    match = _CUT.match(text)
    if match is not None:
        start, stop = (int(match[name]) if match[name] else None for name in ("start", "stop"))
        text, cut = match["rest"], slice(start, stop)
    other = _OTHER.match(text)
    if other is not None:
        return Address(other["path"] or "", cut, other["file"])
    return Address(text, cut)


def files_named(flats: str | Sequence[str] | None, darks: str | Sequence[str] | None) -> list[str]:
    """Return the other HDF5 files that the config names for flats and darks, each once."""
    given = [text for one in (flats, darks) if one is not None for text in several(one)]
    files = (parse(text).file for text in given)
    return list(dict.fromkeys(file for file in files if file is not None))


def several(given: str | Sequence[str]) -> list[str]:
    """Return what the config names, one or several, as a list."""
    return [given] if isinstance(given, str) else list(given)


def cut_frames(frames: Frames, cut: slice | None, text: str, key: str) -> Frames:
    """Return the pictures that are meant."""
    if cut is None:
        return frames
    kept = np.zeros(frames.shape[0], bool)
    kept[cut] = True
    if not kept.any():
        raise UserError(
            f"datasets.{key}: {text} leaves none of the {frames.shape[0]} pictures of {frames.name}"
        )
    return KeptFrames(frames, kept)


def open_each(file: h5py.File, given: str | Sequence[str], key: str) -> list[Frames]:
    """Open the stacks that the config names for a scan in an HDF5 file.

    Raises
    ------
    UserError
        If a file or a dataset is missing, or an address leaves no picture.
    """
    return [_open_one(file, text, key) for text in several(given)]


def open_beside(scan: str, address: Address, key: str) -> Frames:
    """Open the pictures of another HDF5 file, named from where the scan lies."""
    name = address.file or ""
    if is_remote(name) or is_remote(scan):
        url = name if is_remote(name) else f"{scan.rpartition('/')[0]}/{name}"
        if not object_exists(url):
            raise UserError(f"{url}: no such object (datasets.{key})")
        file = open_file(url, open_object(url))
    else:
        path = Path(scan.rpartition("/")[0]) / name
        if not path.is_file():
            raise UserError(f"{path}: no such file (datasets.{key})")
        file = open_file(str(path))
    if address.path:
        return Hdf5Frames(get_dataset(file, address.path, key))
    return _by_role(file, name, key)


def _open_one(file: h5py.File, text: str, key: str) -> Frames:
    address = parse(text)
    frames = (
        Hdf5Frames(get_dataset(file, address.path, key))
        if address.file is None
        else open_beside(os.fsdecode(file.filename), address, key)
    )
    return cut_frames(frames, address.cut, text, key)


def _by_role(file: h5py.File, name: str, key: str) -> Frames:
    """Take what a file holds of a role: by its usual name, its image key, or as all it holds."""
    role, usual = _ROLES[key]
    for path in usual:
        found = get_item(file, path)
        if isinstance(found, h5py.Dataset):
            return Hdf5Frames(Found(path, found))
    arrays = list(walk(file))
    for item in arrays:
        if item.name != "image_key":
            continue
        stack = get_item(file, f"{item.folder}/data")
        if isinstance(stack, h5py.Dataset) and len(stack) == len(item.dataset):
            chosen = np.flatnonzero(np.asarray(item.dataset[()]) == role)
            return Hdf5Frames(Found(f"{item.folder}/data", stack), chosen)
    stacks = [item for item in arrays if item.dataset.ndim == 3]
    if len(stacks) == 1:
        return Hdf5Frames(stacks[0])
    raise UserError(
        f"{name}: cannot tell which of its arrays holds the {key}; name it as"
        f" datasets.{key}: {name}:/path ({contents(file, 2)})"
    )


def refuse_second_role(projections: Frames, others: Mapping[str, Sequence[Frames]]) -> None:
    """Refuse a stack that is named both as projections and as flats or darks.

    Raises
    ------
    UserError
        It names the key that repeats the projections.
    """
    own = set(projections.sources())
    for key, stacks in others.items():
        if any(own.intersection(stack.sources()) for stack in stacks):
            raise UserError(
                f"datasets.{key}: {projections.name} is taken for the projections already; a"
                " picture has one role"
            )
