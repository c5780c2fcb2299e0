"""Open a scan of any format: the file itself tells which."""

import difflib
import os
from pathlib import Path

import h5py

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.s3.read import object_exists, open_object
from tomobatch.scan.assemble import assemble
from tomobatch.scan.bliss import choose_acquisition, read_acquisition
from tomobatch.scan.data_exchange import is_data_exchange, read_data_exchange
from tomobatch.scan.hdf5 import closing_on_error, contents, file_name, open_file
from tomobatch.scan.lab_files import is_lab_file
from tomobatch.scan.nxtomo import choose_stack, read_nxtomo
from tomobatch.scan.nxtomo_find import find_stacks
from tomobatch.scan.parts import Scan, ScanParts
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.tiff import read_tiff_file, read_tiff_folder
from tomobatch.scan.tiff_frames import is_tiff
from tomobatch.scan.txrm import is_txrm, read_txrm


def open_scan(
    path: str | Path, datasets: DatasetSettings | None = None, *, strict: bool = True
) -> Scan:
    """Open a scan and read its header; no picture is read.

    Parameters
    ----------
    path
        An HDF5 file (APS Data Exchange, NXtomo, raw data of the ESRF, or any with ``datasets``
        given), a TIFF of many pages, a folder of TIFF, EDF or FITS pictures, a Zeiss ``.txrm``,
        the file of a Nikon or SkyScan scanner beside its pictures,
        a Zarr group or array; HDF5 and Zarr may be an ``s3://`` URL.
    datasets
        What the config says about its parts.
    strict
        Refuse a scan that cannot be reconstructed. Otherwise ``header.problems`` says why.

    Raises
    ------
    UserError
        If there is no such file, it is damaged or of no known format, or a part is missing.
    """
    datasets = DatasetSettings() if datasets is None else datasets
    scan = assemble(str(path), _read_parts(str(path), datasets), datasets)
    if strict and scan.header.problems:
        scan.close()
        raise UserError(scan.header.problems[0])
    return scan


def _read_parts(path: str, datasets: DatasetSettings) -> ScanParts:
    """Find out the format, and let its reader find the parts."""
    if is_remote(path):
        if object_exists(path):
            return _read_hdf5(open_file(path, open_object(path)), datasets)
        found = _read_zarr(path, datasets)
        if found is None:
            raise UserError(f"{path}: no such object, and no Zarr array or group of this name")
        return found
    local = Path(path)
    if not local.exists():
        raise UserError(_missing(local))
    if not os.access(local, os.R_OK):
        raise UserError(f"{path}: permission to read it is denied")
    if local.is_dir():
        return _read_zarr(path, datasets) or read_tiff_folder(local, datasets)
    if is_tiff(local):
        return read_tiff_file(local, datasets)
    if is_txrm(local):
        return read_txrm(local, datasets)
    if is_lab_file(local):
        return read_tiff_folder(local.parent, datasets, lab_file=local)
    return _read_hdf5(open_file(path), datasets)


def _read_zarr(path: str, datasets: DatasetSettings) -> ScanParts | None:
    """Read a Zarr array or group; None where there is none."""
    # Takes a while to import, and most scans are none.
    from tomobatch.scan.zarr_array import is_zarr, read_zarr

    return read_zarr(path, datasets) if is_zarr(path) else None


def _read_hdf5(file: h5py.File, datasets: DatasetSettings) -> ScanParts:
    """Find out the layout of an HDF5 file."""
    with closing_on_error(file):
        if is_data_exchange(file) and datasets.image_key is None:
            return read_data_exchange(file, datasets)
        acquisition = choose_acquisition(file, datasets) if datasets.image_key is None else None
        if acquisition is not None:
            return read_acquisition(file, acquisition, datasets)
        stack = choose_stack(file, find_stacks(file), datasets)
        if stack is not None:
            return read_nxtomo(file, stack, datasets)
        if datasets.projections is not None:
            return read_data_exchange(file, datasets)
        raise UserError(
            f"{file_name(file)}: neither Data Exchange nor NXtomo nor raw data of the ESRF; say"
            f" where the projections are with datasets.projections ({contents(file, 3)})"
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
