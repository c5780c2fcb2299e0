"""APS Data Exchange: ``/exchange/data``, ``data_white``, ``data_dark``, ``theta``.

Layout after De Carlo et al., "Scientific data exchange", J. Synchrotron Rad. 21 (2014) 1224,
and the files that the beamlines' acquisition writes.
"""

import h5py
import numpy as np

from tomobatch.known_axis import read_known_axis
from tomobatch.scan.addresses import open_each, refuse_second_role
from tomobatch.scan.angle_files import names_angle_file, read_angles_beside
from tomobatch.scan.angles import FoundAngles
from tomobatch.scan.beam_geometry import BeamGeometry
from tomobatch.scan.hdf5 import file_name, get_dataset, read_angles, read_number, read_text
from tomobatch.scan.hdf5_frames import Hdf5Frames
from tomobatch.scan.hdf5_links import Found, get_item
from tomobatch.scan.hdf5_metadata import read_array, read_detector_mm, read_source_mm
from tomobatch.scan.header import Frames
from tomobatch.scan.parts import FlatBlock, ScanParts, flat_blocks
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.units import Figure, energy_kev, pixel_um

PROJECTIONS = "/exchange/data"
_FLATS, _DARKS, _ANGLES = "/exchange/data_white", "/exchange/data_dark", "/exchange/theta"
_INSTRUMENT = "/measurement/instrument"
# Values of each projection; what was read while flats were taken is not stored.
_MONITORS = (
    f"{_INSTRUMENT}/source/current",
    f"{_INSTRUMENT}/source/beam_intensity_incident",
    f"{_INSTRUMENT}/monitor/data",
)
_OBJECTIVE = f"{_INSTRUMENT}/detection_system/objective"


def is_data_exchange(file: h5py.File) -> bool:
    """Tell whether the file has the layout."""
    return isinstance(get_item(file, PROJECTIONS), h5py.Dataset)


def read_data_exchange(file: h5py.File, datasets: DatasetSettings) -> ScanParts:
    """Find the parts of a scan; paths given in the config win, and make any HDF5 file readable."""
    (frames,) = open_each(file, datasets.projections or PROJECTIONS, "projections")
    flats = _flat_blocks(file, datasets, frames)
    darks = _darks(file, datasets)
    refuse_second_role(frames, {"flats": [block.frames for block in flats], "darks": darks})
    return ScanParts(
        format="APS Data Exchange" if is_data_exchange(file) else "HDF5",
        projections=frames,
        flats=flats,
        darks=tuple(darks),
        angles=_angles(file, datasets),
        pixel_size=_pixel_size(file),
        energy=_energy(file),
        beam=_beam(file),
        known_axis=read_known_axis(file),
        monitor=read_array(file, frames.shape[0], *_MONITORS),
        close=file.close,
    )


def _given_or_there(file: h5py.File, given: str | None, usual: str, key: str) -> Found | None:
    """Get the dataset the config names, or else the usual one if the file has it."""
    if given is not None:
        return get_dataset(file, given, key)
    found = get_item(file, usual)
    return Found(usual, found) if isinstance(found, h5py.Dataset) else None


def _angles(file: h5py.File, datasets: DatasetSettings) -> FoundAngles | None:
    if datasets.angles is not None and names_angle_file(datasets.angles):
        return read_angles_beside(file_name(file), datasets.angles)
    angles = _given_or_there(file, datasets.angles, _ANGLES, "angles")
    return None if angles is None else read_angles(angles)


def _darks(file: h5py.File, datasets: DatasetSettings) -> list[Frames]:
    if datasets.darks is not None:
        return open_each(file, datasets.darks, "darks")
    found = _given_or_there(file, None, _DARKS, "darks")
    return [] if found is None or found.dataset.size == 0 else [Hdf5Frames(found)]


def _flat_blocks(
    file: h5py.File, datasets: DatasetSettings, projections: Frames
) -> tuple[FlatBlock, ...]:
    """Cut the flats where the scan lay between them, if the acquisition's settings tell."""
    n_projections = projections.shape[0]
    if datasets.flats is not None:
        return flat_blocks(open_each(file, datasets.flats, "flats"), n_projections)
    found = _given_or_there(file, None, _FLATS, "flats")
    if found is None or found.dataset.size == 0:
        return ()
    whole = Hdf5Frames(found)
    n_flats = whole.shape[0]
    settings = "/process/acquisition/flat_fields"
    mode = read_text(file, f"{settings}/flat_field_mode").lower()
    each = read_number(file, f"{settings}/num_flat_fields")
    if mode in ("start", "end"):
        return (FlatBlock(whole, 0 if mode == "start" else n_projections),)
    if mode == "both" and each is not None and 2 * each[0] == n_flats:
        before, after = np.split(np.arange(n_flats), 2)
        return (
            FlatBlock(Hdf5Frames(found, before), 0),
            FlatBlock(Hdf5Frames(found, after), n_projections),
        )
    return (FlatBlock(whole, None),)


def _pixel_size(file: h5py.File) -> Figure:
    """Size of a pixel at the specimen: as stored, or the camera's pixel over the magnification."""
    resolution = read_number(file, f"{_OBJECTIVE}/resolution")
    if resolution is not None:
        return pixel_um(*resolution, "um")
    camera = read_number(
        file, f"{_INSTRUMENT}/detector/pixel_size_x", f"{_INSTRUMENT}/detector/pixel_size"
    )
    magnification = read_number(file, f"{_OBJECTIVE}/magnification")
    if camera is None or magnification is None:
        return Figure()
    value, unit = camera
    return pixel_um(value / magnification[0], unit, "um")


def _energy(file: h5py.File) -> Figure:
    """Photon energy."""
    energy = read_number(file, f"{_INSTRUMENT}/monochromator/energy")
    return Figure() if energy is None else energy_kev(*energy)


def _beam(file: h5py.File) -> BeamGeometry:
    """Return what the file says of a beam that may diverge."""
    magnification = read_number(
        file, f"{_INSTRUMENT}/geometric_magnification", f"{_INSTRUMENT}/magnification"
    )
    return BeamGeometry.of_figures(
        read_source_mm(
            file,
            "m",
            f"{_INSTRUMENT}/source/distance",
            f"{_INSTRUMENT}/source/source_distance",
            f"{_INSTRUMENT}/source_distance",
            f"{_INSTRUMENT}/setup/source_distance",
        ),
        read_detector_mm(
            file, "mm", f"{_INSTRUMENT}/detector/distance", f"{_INSTRUMENT}/detector_distance"
        ),
        magnification=None if magnification is None else magnification[0],
        kind=read_text(file, f"{_INSTRUMENT}/source/beam_geometry")
        or read_text(file, f"{_INSTRUMENT}/geometry"),
    )
