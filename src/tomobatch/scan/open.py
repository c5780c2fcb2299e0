"""Open a scan of any format: the file itself tells which."""

import difflib
from pathlib import Path

from tomobatch.errors import UserError
from tomobatch.scan.data_exchange import is_data_exchange, read_data_exchange
from tomobatch.scan.hdf5 import closing_on_error, open_file
from tomobatch.scan.header import DatasetPaths
from tomobatch.scan.parts import Scan, ScanParts, assemble


def open_scan(
    path: str | Path, datasets: DatasetPaths | None = None, *, strict: bool = True
) -> Scan:
    """Open a scan and read its header; no picture is read.

    Parameters
    ----------
    path
        An HDF5 file.
    datasets
        What the config says about its parts.
    strict
        Refuse a scan that cannot be reconstructed. Otherwise ``header.problems`` says why.

    Raises
    ------
    UserError
        If there is no such file, it is damaged or of no known format, or a part is missing.
    """
    datasets = DatasetPaths() if datasets is None else datasets
    scan = assemble(str(path), _read_parts(str(path), datasets), datasets)
    if strict and scan.header.problems:
        scan.close()
        raise UserError(scan.header.problems[0])
    return scan


def _read_parts(path: str, datasets: DatasetPaths) -> ScanParts:
    local = Path(path)
    if not local.exists():
        raise UserError(_missing(local))
    file = open_file(path)
    with closing_on_error(file):
        if is_data_exchange(file) or datasets.projections is not None:
            return read_data_exchange(file, datasets)
        raise UserError(
            f"{path}: no known layout of a scan; say where the projections are with"
            " datasets.projections"
        )


def _missing(path: Path) -> str:
    """Say that a file is missing, with what the folder has that is spelt alike."""
    folder = next(parent for parent in path.absolute().parents if parent.is_dir())
    if folder != path.absolute().parent:
        absent = path.absolute().relative_to(folder).parts[0]
        return f"{path}: no such file; there is no {absent} in {folder}"
    near = difflib.get_close_matches(path.name, [item.name for item in folder.iterdir()], n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"{path}: no such file{hint}"
