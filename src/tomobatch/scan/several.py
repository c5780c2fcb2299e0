"""Files that hold several scans, such as masters of the ESRF: each is a scan of its own."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from tomobatch.config.sheet import read_sheet
from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.scan.bliss import find_acquisitions
from tomobatch.scan.data_exchange import is_data_exchange
from tomobatch.scan.hdf5 import open_file
from tomobatch.scan.nxtomo_find import find_stacks

Entry = Any  # a path, or a mapping with it: nobody has checked it yet
# What chooses the pictures already, and so one scan.
_CHOICES = ("projections", "image_key")


def scans_within(path: str) -> list[str]:
    """Return where the scans of a file that holds several are, as ``datasets.projections`` wants.

    Empty for a file of one scan, and for what is no HDF5 file on a disk.
    """
    if is_remote(path) or not Path(path).is_file() or not h5py.is_hdf5(path):
        return []
    try:
        with open_file(path) as file:
            if is_data_exchange(file):
                return []
            found = [f"/{one.name}" for one in find_acquisitions(file)]
            found = found or _entries([stack.pictures.path for stack in find_stacks(file)])
    except (OSError, UserError):
        return []  # whoever opens the scan says why it cannot be
    return found if len(found) > 1 else []


def each_scan(scans: Mapping[str, Entry], shared: Mapping[str, Any]) -> dict[str, Entry]:
    """Return scans with those of one file apart, named NAME_ENTRY.

    Parameters
    ----------
    scans
        By name: the path, or a mapping with it. What chooses its pictures stays as it is.
    shared
        The section ``datasets`` that all scans share.
    """
    apart: dict[str, Entry] = {}
    for name, entry in scans.items():
        own = {"path": entry} if isinstance(entry, str) else entry
        datasets, places = None, list[str]()
        if isinstance(own, Mapping) and isinstance(own.get("path"), str):
            datasets = own.get("datasets", {})
        if isinstance(datasets, Mapping) and not _chooses({**shared, **datasets}):
            places = scans_within(own["path"])
            for place in places:
                choice = {**datasets, "projections": place}
                apart[name_within(name, place)] = {**own, "datasets": choice}
        if not places:
            apart[name] = entry
    return apart


def with_each_scan(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration in which the scans of one file, a sheet's too, are apart."""
    scans, shared = config.get("scans"), config.get("datasets", {})
    if isinstance(scans, str):
        scans = read_sheet(Path(scans))
    if not isinstance(scans, Mapping) or not isinstance(shared, Mapping):
        return dict(config)  # the schema says what is wrong
    return {**config, "scans": each_scan(scans, shared)}


def name_within(name: str, place: str) -> str:
    """Return what one of the scans of a file is called: the name of all, and its entry."""
    return f"{name}_{re.sub(r'[^A-Za-z0-9_.-]+', '-', place.strip('/'))}"


def _chooses(datasets: Mapping[str, Any]) -> bool:
    return any(datasets.get(key) for key in _CHOICES)


def _entries(paths: list[str]) -> list[str]:
    """Return the entry of each stack of pictures, or its whole path where an entry has several."""
    entries = ["/" + path.strip("/").partition("/")[0] for path in paths]
    return entries if len(set(entries)) == len(entries) else paths
