"""APS Data Exchange: ``/exchange/data``, ``data_white``, ``data_dark``, ``theta``.

Layout after De Carlo et al., "Scientific data exchange", J. Synchrotron Rad. 21 (2014) 1224,
and the files that the beamlines' acquisition writes.
"""

import h5py
import numpy as np

from tomobatch.phantom.truth import read_truth
from tomobatch.scan.hdf5 import (
    Hdf5Frames,
    get_dataset,
    read_angles,
    read_number,
    read_text,
)
from tomobatch.scan.parts import FlatBlock, ScanParts
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.units import to_kev, to_um

PROJECTIONS = "/exchange/data"


def is_data_exchange(file: h5py.File) -> bool:
    """Tell whether the file has the layout."""
    return isinstance(file.get(PROJECTIONS), h5py.Dataset)


def read_data_exchange(file: h5py.File, datasets: DatasetSettings) -> ScanParts:
    """Find the parts of a scan; paths given in the config win, and make any HDF5 file readable."""
    projections = get_dataset(file, datasets.projections or PROJECTIONS, "projections")
    angles = _given_or_there(file, datasets.angles, "/exchange/theta", "angles")
    darks = _given_or_there(file, datasets.darks, "/exchange/data_dark", "darks")
    return ScanParts(
        format="APS Data Exchange" if is_data_exchange(file) else "HDF5",
        projections=Hdf5Frames(projections),
        flats=_flat_blocks(file, datasets, len(projections)),
        darks=() if darks is None or darks.size == 0 else (Hdf5Frames(darks),),
        angles=None if angles is None else read_angles(angles),
        pixel_size_um=_pixel_size_um(file),
        energy_kev=_energy_kev(file),
        truth=read_truth(file),
        close=file.close,
    )


def _given_or_there(
    file: h5py.File, given: str | None, usual: str, key: str
) -> h5py.Dataset | None:
    """Get the dataset the config names, or else the usual one if the file has it."""
    if given is not None:
        return get_dataset(file, given, key)
    found = file.get(usual)
    return found if isinstance(found, h5py.Dataset) else None


def _flat_blocks(
    file: h5py.File, datasets: DatasetSettings, n_projections: int
) -> tuple[FlatBlock, ...]:
    """Cut the flats where the scan lay between them, if the acquisition's settings tell."""
    dataset = _given_or_there(file, datasets.flats, "/exchange/data_white", "flats")
    if dataset is None or dataset.size == 0:
        return ()
    whole = Hdf5Frames(dataset)
    n_flats = whole.shape[0]
    settings = "/process/acquisition/flat_fields"
    mode = read_text(file, f"{settings}/flat_field_mode").lower()
    each = read_number(file, f"{settings}/num_flat_fields")
    if mode == "end":
        return (FlatBlock(whole, n_projections),)
    if mode == "both" and each is not None and 2 * each[0] == n_flats:
        before, after = np.split(np.arange(n_flats), 2)
        return (
            FlatBlock(Hdf5Frames(dataset, before), 0),
            FlatBlock(Hdf5Frames(dataset, after), n_projections),
        )
    return (FlatBlock(whole, 0),)


def _pixel_size_um(file: h5py.File) -> float | None:
    """Size of a pixel at the specimen: as stored, or the camera's pixel over the magnification."""
    system = "/measurement/instrument/detection_system/objective"
    resolution = read_number(file, f"{system}/resolution")
    if resolution is not None:
        return to_um(*resolution, "um")
    camera = read_number(
        file,
        "/measurement/instrument/detector/pixel_size_x",
        "/measurement/instrument/detector/pixel_size",
    )
    magnification = read_number(file, f"{system}/magnification")
    if camera is None or magnification is None:
        return None
    camera_um = to_um(*camera, "um")
    return None if camera_um is None else camera_um / magnification[0]


def _energy_kev(file: h5py.File) -> float | None:
    """Photon energy."""
    energy = read_number(file, "/measurement/instrument/monochromator/energy")
    return None if energy is None else to_kev(*energy)
