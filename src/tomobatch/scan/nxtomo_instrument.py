"""What an NXtomo entry says of pixels, energy and distances, wherever beamlines put it."""

import h5py
import numpy as np

from tomobatch.orientation import Rotation
from tomobatch.scan.beam_geometry import BeamGeometry
from tomobatch.scan.cone import FoundCone
from tomobatch.scan.hdf5 import as_text, read_number, read_text
from tomobatch.scan.hdf5_metadata import read_detector_mm, read_pixel_mm, read_source_mm
from tomobatch.scan.units import Figure, energy_kev, pixel_um

_SOURCE = (
    "instrument/source/distance",
    "instrument/source/sample_source_distance",
    "sample/source_distance",
)
_DETECTOR = "instrument/detector/distance"
_UPRIGHT = 0.9
"""Of an axis, along the vertical; one that lies is that of something else."""


def read_pixel_size(entry: h5py.Group) -> Figure:
    """Size of a pixel at the specimen if it is given, or else at the detector."""
    found = read_number(
        entry,
        "sample/x_pixel_size",
        "instrument/detector/x_magnified_pixel_size",
        "instrument/detector/x_pixel_size",
    )
    return Figure() if found is None else pixel_um(*found, "m")


def read_energy(entry: h5py.Group) -> Figure:
    """Photon energy, if it is given."""
    found = read_number(
        entry,
        "instrument/beam/incident_energy",
        "beam/incident_energy",
        "instrument/monochromator/energy",
    )
    return Figure() if found is None else energy_kev(*found)


def read_rotation(angles: h5py.Dataset) -> Rotation | None:
    """Return how the sample turns about the axis that the angles give as their ``vector``.

    By the definition of NXtransformations a turn about a vector is right-handed, and y points up;
    files in the coordinates of a synchrotron have z there, about which, as the beam's direction in
    the definition, no sample turns.
    """
    vector = np.asarray(angles.attrs.get("vector", ())).reshape(-1)
    kind = as_text(angles.attrs.get("transformation_type", ""))
    if kind != "rotation" or vector.size != 3 or vector.dtype.kind not in "iuf":
        return None
    up = float(vector[1:][np.argmax(np.abs(vector[1:]))])
    if not abs(up) > _UPRIGHT * float(np.linalg.norm(vector)):
        return None
    return "counter-clockwise" if up > 0 else "clockwise"


def read_flips(entry: h5py.Group) -> list[str]:
    """Say in which ways a file's detector shows its pictures turned round.

    Layouts before 1.3 have ``x_flipped`` and ``y_flipped``; later ones turn the detector by 180
    degrees among its ``transformations``. A picture that is flipped once shows a mirrored sample,
    which turns the other way.
    """
    detector = entry.get("instrument/detector")
    if not isinstance(detector, h5py.Group):
        return []
    found = [
        name
        for name in ("x_flipped", "y_flipped")
        if isinstance(detector.get(name), h5py.Dataset) and bool(np.any(detector[name][()]))
    ]
    turns = detector.get("transformations")
    for name in turns if isinstance(turns, h5py.Group) else ():
        one = turns[name]
        if not isinstance(one, h5py.Dataset) or one.size != 1 or one.dtype.kind not in "iuf":
            continue
        half_turn = np.pi if as_text(one.attrs.get("units", "")).startswith("rad") else 180.0
        is_turn = as_text(one.attrs.get("transformation_type", "")) == "rotation"
        if is_turn and np.isclose(abs(float(np.ravel(one[()])[0])), half_turn, rtol=1e-3):
            vector = np.asarray(one.attrs.get("vector", ())).reshape(-1)
            about = ", ".join(f"{part:g}" for part in vector)
            found.append(f"transformations/{name}, half a turn about ({about})")
    if not found:
        return []
    return [
        f"the detector's pictures are flipped, by its {' and '.join(found)}: they are taken as they"
        " lie, so that the volume may be mirrored or upside down; datasets.rotation says how the"
        " sample turns in them"
    ]


def read_beam(entry: h5py.Group) -> BeamGeometry:
    """Distances along the beam, and a magnification that is not a lens's."""
    magnification = read_number(
        entry, "instrument/detector/magnification", "instrument/magnification", "magnification"
    )
    return BeamGeometry.of_figures(
        read_source_mm(entry, "m", *_SOURCE),
        read_detector_mm(entry, "m", _DETECTOR),
        magnification=None if magnification is None else magnification[0],
        kind=read_text(entry, "instrument/beam/geometry")
        or read_text(entry, "instrument/source/geometry")
        or read_text(entry, "geometry"),
    )


def read_cone(entry: h5py.Group, beam: BeamGeometry) -> FoundCone | None:
    """Return what a file that says how far its source is says of the detector as well."""
    if beam.source_mm is None:
        return None
    # A length without a unit may be out by thousands: it is asked for instead.
    distances = read_source_mm(entry, "", *_SOURCE), read_detector_mm(entry, "", _DETECTOR)
    source_mm, behind_mm = (None if one.note else one.value for one in distances)
    known = None if source_mm is None or behind_mm is None else source_mm + behind_mm
    on_sample = ("sample/x_pixel_size", "instrument/detector/x_magnified_pixel_size")
    voxel_mm = read_pixel_mm(entry, *on_sample)
    if known is None and source_mm is not None and beam.magnification is not None:
        known = source_mm * beam.magnification
    return FoundCone(
        source_to_axis_mm=source_mm,
        source_to_detector_mm=known,
        pixel_mm=read_pixel_mm(entry, "instrument/detector/x_pixel_size"),
        row_pitch_mm=read_pixel_mm(entry, "instrument/detector/y_pixel_size"),
        voxel_um=None if voxel_mm is None else 1e3 * voxel_mm,
    )
