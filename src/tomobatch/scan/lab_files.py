"""Files that laboratory scanners, whose beam is a cone, leave beside their pictures.

Decision 46.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.header import Frames
from tomobatch.scan.lab_scan import LabScan
from tomobatch.scan.nikon import read_xtekct
from tomobatch.scan.phoenix import read_pca
from tomobatch.scan.skyscan import is_skyscan_log, read_skyscan_log

SUFFIXES = (".xtekct", ".log", ".pca")
_ROWS_READ = 24
# Of the difference of the last two pictures: less from the first one is a return to the start.
_CAME_BACK = 0.6


def is_lab_file(path: Path) -> bool:
    """Whether a file is that of a scanner, by its name and what it says."""
    suffix = path.suffix.lower()
    return suffix in (".xtekct", ".pca") or (suffix == ".log" and is_skyscan_log(path))


def find_lab_scan(place: Path) -> LabScan | None:
    """Read the file of a scanner, or that of the folder; None if there is none.

    Raises
    ------
    UserError
        The folder holds those of several scans, or a value in one is no number.
    """
    if place.is_file():
        return _read(place)
    files = [
        path
        for path in sorted(place.iterdir())
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not path.name.startswith(".")
        and is_lab_file(path)
    ]
    scans = [path for path in files if not _is_of_slices(path)] or files
    if len(scans) > 1:
        named = ", ".join(path.name for path in scans[:4])
        raise UserError(
            f"{place}: holds the files of {len(scans)} scans ({named}); give one of them as the"
            " scan instead of the folder"
        )
    return _read(scans[0]) if scans else None


def _is_of_slices(path: Path) -> bool:
    """Whether a log is the one that the maker's software leaves beside its slices."""
    return path.suffix.lower() == ".log" and path.stem.lower().rstrip("_").endswith("_rec")


def _read(path: Path) -> LabScan:
    suffix = path.suffix.lower()
    if suffix == ".xtekct":
        return read_xtekct(path)
    if suffix == ".log":
        if _is_of_slices(path):
            raise UserError(
                f"{path}: is the log of slices that are reconstructed already; give the folder of"
                " the projections, or the log beside them"
            )
        return read_skyscan_log(path)
    return read_pca(path)


def came_back(frames: Frames) -> bool:
    """Whether the last picture is more like the first than like the one before it.

    A few rows of three pictures are read. Scanners turn back after a scan, and some take one more.
    """
    n_frames, n_rows, _ = frames.shape
    if n_frames < 4:
        return False
    rows = slice(None, None, -(-n_rows // _ROWS_READ))

    def read(index: int) -> NDArray[np.float64]:
        return np.asarray(frames.read(index, index + 1, rows)[0], np.float64)

    last = read(n_frames - 1)
    from_first = float(np.mean((last - read(0)) ** 2))
    from_before = float(np.mean((last - read(n_frames - 2)) ** 2))
    return from_first < _CAME_BACK * from_before
