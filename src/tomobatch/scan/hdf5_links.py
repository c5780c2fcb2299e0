"""What an HDF5 file links to: soft and external links, virtual datasets, raw files.

Everything is named by the path that leads to it from the file the user named. A linked dataset
calls itself by its path in its own file and has its neighbours there, and HDF5 counts addresses
from zero in every file: neither tells two scans of one master file apart.

Decision 44.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py

from tomobatch.errors import UserError

_NAMED = 3
_PICTURES_NDIM = 3


@dataclass(frozen=True)
class Found:
    """A dataset, and the path that led to it."""

    path: str
    dataset: h5py.Dataset

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        """The path of the group it was found in."""
        return self.path.rpartition("/")[0]


def identity(item: h5py.Dataset | h5py.Group) -> tuple[int, int]:
    """Return what is the same for two paths to one thing: the number of its file, and its place."""
    info = h5py.h5o.get_info(item.id)
    return int(info.fileno), int(info.addr)


def get_item(group: h5py.Group, path: str) -> h5py.Dataset | h5py.Group | None:
    """Get what a path leads to; None if there is nothing, or a link on the way is broken."""
    try:
        return group.get(path)
    except (OSError, RuntimeError, ValueError):
        return None


def walk(group: h5py.Group, depth: int = 8) -> Iterator[Found]:
    """All datasets below a group that can be opened; broken links are passed over."""
    yield from _walk(group, "", depth, frozenset())


def _walk(
    group: h5py.Group, path: str, depth: int, above: frozenset[tuple[int, int]]
) -> Iterator[Found]:
    for name in group:
        item = get_item(group, name)
        if isinstance(item, h5py.Dataset):
            yield Found(f"{path}/{name}", item)
        elif isinstance(item, h5py.Group) and depth > 0 and identity(item) not in above:
            yield from _walk(item, f"{path}/{name}", depth - 1, above | {identity(item)})


def broken_links(group: h5py.Group, depth: int = 8) -> list[str]:
    """List the links below a group that lead nowhere, each as where it is and where it points."""
    broken: list[str] = []
    _collect_broken(group, "", depth, frozenset(), broken)
    return broken


def _collect_broken(
    group: h5py.Group,
    path: str,
    depth: int,
    above: frozenset[tuple[int, int]],
    broken: list[str],
) -> None:
    for name in group:
        item = get_item(group, name)
        if item is None:
            link = group.get(name, getlink=True)
            target = f"{getattr(link, 'filename', '')}:{getattr(link, 'path', '')}".lstrip(":")
            broken.append(f"{path}/{name} -> {target}")
        elif isinstance(item, h5py.Group) and depth > 0 and identity(item) not in above:
            _collect_broken(item, f"{path}/{name}", depth - 1, above | {identity(item)}, broken)


def check_sources(dataset: h5py.Dataset, name: str) -> None:
    """Refuse a dataset whose pictures lie in files that are not there: HDF5 would give zeros.

    Parameters
    ----------
    dataset
        Any dataset.
    name
        The path that led to it, for the message.

    Raises
    ------
    UserError
        If a source of a virtual dataset, or a raw file, is missing. It names the first few.
    """
    own = os.fsdecode(dataset.file.filename)
    missing = list(dict.fromkeys(_missing_sources(dataset, Path(own))))
    if not missing:
        return
    named = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
    where = (
        "on S3, where HDF5 does not follow them: write the pictures into one file"
        if _is_streamed(dataset.file)
        else "which are missing: copy them beside it"
    )
    raise UserError(
        f"{own}: the pictures of {name} lie in {len(missing)} other files, {where} ({named})"
    )


def is_hdf5(path: Path) -> bool:
    """Tell whether a path is an HDF5 file."""
    return path.is_file() and h5py.is_hdf5(path)


def files_beside(path: Path) -> list[str]:
    """Name the other files that the pictures of an HDF5 file lie in; none for one of another kind.

    Links, virtual datasets and raw files are looked at, wherever stacks of pictures are.
    """
    if not is_hdf5(path):
        return []
    with h5py.File(path, "r", locking="best-effort") as file:
        own = Path(os.fsdecode(file.filename)).resolve()
        names: list[str] = []
        for found in walk(file):
            if found.dataset.ndim < _PICTURES_NDIM:
                continue
            lies_in = Path(os.fsdecode(found.dataset.file.filename))
            if lies_in.resolve() != own:
                names.append(lies_in.name)
            names += [os.fsdecode(raw[0]) for raw in found.dataset.external or ()]
            if found.dataset.is_virtual:
                sources = found.dataset.virtual_sources()
                names += [source.file_name for source in sources if source.file_name != "."]
    return list(dict.fromkeys(names))


def _missing_sources(dataset: h5py.Dataset, own: Path, depth: int = 3) -> Iterator[str]:
    for raw in dataset.external or ():
        if not (own.parent / os.fsdecode(raw[0])).exists():
            yield os.fsdecode(raw[0])
    if not dataset.is_virtual:
        return
    seen = set()
    for source in dataset.virtual_sources():
        key = (source.file_name, source.dset_name)
        if source.file_name == "." or "%" in source.file_name or key in seen:
            continue
        seen.add(key)
        path = None if _is_streamed(dataset.file) else _resolve(source.file_name, own)
        if path is None:
            yield source.file_name
            continue
        try:
            with h5py.File(path, "r", locking="best-effort") as file:
                inner = get_item(file, source.dset_name)
                if not isinstance(inner, h5py.Dataset):
                    yield f"{source.file_name}:{source.dset_name}"
                elif depth > 0:
                    yield from _missing_sources(inner, path, depth - 1)
        except OSError:
            yield source.file_name


def _resolve(name: str, own: Path) -> Path | None:
    """Find the source of a virtual dataset in the places where HDF5 looks for it."""
    prefix = os.environ.get("HDF5_VDS_PREFIX", "").replace("${ORIGIN}", str(own.parent))
    places = [Path(prefix) / name] if prefix else []
    places += [own.parent / name, Path(name)]
    if Path(name).is_absolute():
        places.append(own.parent / Path(name).name)
    return next((place for place in places if place.is_file()), None)


def _is_streamed(file: h5py.File) -> bool:
    """Whether the file is read through a Python object, as those on S3 are."""
    return str(file.driver) == "fileobj"
