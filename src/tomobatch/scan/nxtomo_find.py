"""Where an NXtomo file keeps its stacks of pictures, and the keys that sort them."""

from dataclasses import dataclass

import h5py

from tomobatch.scan.hdf5 import as_text
from tomobatch.scan.hdf5_links import Found, get_item, identity, walk

_KEY = "image_key"


@dataclass(frozen=True)
class Stack:
    """A stack of pictures and the key that sorts them."""

    pictures: Found
    key: Found


def find_stacks(file: h5py.File) -> list[Stack]:
    """Find the stacks of pictures that have an ``image_key``, each once.

    The key lies beside the pictures as a rule, and elsewhere in the same entry at some beamlines.
    One stack may be reached by many paths; with another key it is another scan.
    """
    datasets = list(walk(file))
    keys = [found for found in datasets if found.name == _KEY and found.dataset.ndim == 1]
    chosen: dict[tuple[int, int, int, int], Stack] = {}
    for key in keys:
        pictures = _pictures_of(file, key, datasets)
        if pictures is None:
            continue
        place = (*identity(pictures.dataset), *identity(key.dataset))
        if place not in chosen or _is_detector(file, pictures):
            chosen[place] = Stack(pictures, key)
    return sorted(_without_shadows(list(chosen.values())), key=lambda stack: stack.pictures.path)


def key_for(file: h5py.File, pictures: Found) -> Found | None:
    """Find the image key of a stack: beside it, in its entry, or the only one of its length."""
    beside = get_item(file, f"{pictures.folder}/{_KEY}")
    if isinstance(beside, h5py.Dataset):
        return Found(f"{pictures.folder}/{_KEY}", beside)
    keys = [found for found in walk(file) if found.name == _KEY and found.dataset.ndim == 1]
    fitting = [key for key in keys if len(key.dataset) == len(pictures.dataset)]
    near = [key for key in fitting or keys if entry_of(key.path) == entry_of(pictures.path)]
    candidates = near or fitting
    return candidates[0] if candidates else None


def entry_of(path: str) -> str:
    """Return the first group of a path, the entry of a NeXus file."""
    return path.strip("/").partition("/")[0]


def _pictures_of(file: h5py.File, key: Found, datasets: list[Found]) -> Found | None:
    """Find the pictures that a key sorts."""
    beside = get_item(file, f"{key.folder}/data")
    if isinstance(beside, h5py.Dataset) and beside.ndim == 3:
        return Found(f"{key.folder}/data", beside)
    n_pictures = len(key.dataset)
    near = [
        found
        for found in datasets
        if found.dataset.ndim == 3
        and len(found.dataset) == n_pictures
        and entry_of(found.path) == entry_of(key.path)
    ]
    return min(near, key=lambda found: (found.name != "data", found.path), default=None)


def _without_shadows(stacks: list[Stack]) -> list[Stack]:
    """Leave out a second key of the same values for the same pictures in the same entry."""
    kept: dict[tuple[int, int, str, bytes], Stack] = {}
    for stack in stacks:
        values = stack.key.dataset[()].astype("i8").tobytes()
        place = (*identity(stack.pictures.dataset), entry_of(stack.pictures.path), values)
        kept.setdefault(place, stack)
    return list(kept.values())


def _is_detector(file: h5py.File, pictures: Found) -> bool:
    group = get_item(file, pictures.folder)
    return group is not None and as_text(group.attrs.get("NX_class", "")) == "NXdetector"
