"""Raw HDF5 files of the ESRF, as BLISS writes them: darks, flats and projections are scans each.

A file has an entry ``1.1``, ``2.1`` ... for every scan of its detectors, whose ``title`` says what
it is. A tomography is an entry that opens it (``tomo:fullturn``) and those that follow: dark
images, reference images, projections, more references, and static images for the alignment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import h5py
import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.known_axis import read_known_axis
from tomobatch.scan.addresses import open_each
from tomobatch.scan.angle_files import names_angle_file, read_angles_beside
from tomobatch.scan.angles import FoundAngles, to_radians
from tomobatch.scan.beam_geometry import BeamGeometry
from tomobatch.scan.hdf5 import (
    file_name,
    get_dataset,
    read_angles,
    read_number,
    read_text,
    read_unit,
)
from tomobatch.scan.hdf5_frames import Hdf5Frames
from tomobatch.scan.hdf5_links import Found, get_item
from tomobatch.scan.hdf5_metadata import read_array, read_detector_mm
from tomobatch.scan.joined_frames import joined
from tomobatch.scan.parts import FlatBlock, ScanParts, flat_blocks
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.units import Figure, energy_kev, pixel_um

# What titles begin with.
_TITLES = {
    "opening": ("tomo:", "sequence_of_scans", "pcotomo:"),
    "darks": ("dark",),
    "flats": ("reference images", "flat", "ref"),
    "projections": ("projections", "ascan rot ", "ascan diffrz 0 "),
    "alignment": ("static images", "ascan diffrz 180 "),
}
_NUMBERED = re.compile(r"(\d+)\.(\d+)")
_ROTATIONS = ("rotm", "mhsrot", "hsrot", "mrsrot", "hrsrot", "srot", "srot_eh2", "diffrz",
              "hrrz_trig", "rot")  # fmt: skip
_CURRENTS = ("measurement/current", "instrument/machine/current", "measurement/srcur")
_SAME_EXPOSURE = 0.01


@dataclass
class Acquisition:
    """The entries of one tomography, by their names in the file."""

    name: str
    darks: list[str] = field(default_factory=list)
    flats: list[tuple[str, int]] = field(default_factory=list)
    projections: list[str] = field(default_factory=list)

    @property
    def entries(self) -> list[str]:
        """All of them."""
        return [self.name, *self.darks, *(name for name, _ in self.flats), *self.projections]


def find_acquisitions(file: h5py.File) -> list[Acquisition]:
    """Find the tomographies of a file that have projections, in the order they were taken.

    A flat is noted with the number of entries of projections before it.
    """
    found: list[Acquisition] = []
    for name, kind in _entries(file):
        if kind == "opening" or not found:
            found.append(Acquisition(name))
        last = found[-1]
        if kind == "darks":
            last.darks.append(name)
        elif kind == "flats":
            last.flats.append((name, len(last.projections)))
        elif kind == "projections":
            last.projections.append(name)
    return [one for one in found if one.projections]


def choose_acquisition(file: h5py.File, datasets: DatasetSettings) -> Acquisition | None:
    """Take the tomography that the config names by one of its entries, or the only one.

    None for a file that is of another kind, or whose pictures the config names.

    Raises
    ------
    UserError
        If there are several and the config names none.
    """
    found = find_acquisitions(file)
    if datasets.projections is not None:
        entry = datasets.projections.strip("/")
        return next((one for one in found if entry in one.entries), None)
    if len(found) > 1:
        named = ", ".join(f"/{one.name}" for one in found)
        raise UserError(
            f"{file_name(file)}: holds {len(found)} scans; choose one with datasets.projections:"
            f" {named}"
        )
    return found[0] if found else None


def read_acquisition(
    file: h5py.File, acquisition: Acquisition, datasets: DatasetSettings
) -> ScanParts:
    """Find the parts of a tomography; paths given in the config win.

    Raises
    ------
    UserError
        If an entry has no pictures, or those of several detectors.
    """
    stacks = [_pictures(file, name) for name in acquisition.projections]
    projections = joined(stacks)
    first = file[acquisition.projections[0]]
    groups = [first, file[acquisition.name]]
    counts = [stack.shape[0] for stack in stacks]
    monitors = [
        read_array(file[name], count, *_CURRENTS)
        for name, count in zip(acquisition.projections, counts, strict=True)
    ]
    known = [monitor for monitor in monitors if monitor is not None]
    darks = (
        open_each(file, datasets.darks, "darks")
        if datasets.darks is not None
        else [_pictures(file, name) for name in acquisition.darks]
    )
    fields_of_view = [read_text(group, "technique/scan/field_of_view") for group in groups]
    return ScanParts(
        format="ESRF HDF5",
        projections=projections,
        flats=_flats(file, acquisition, counts, datasets),
        darks=tuple(darks),
        angles=_angles(file, acquisition, counts, datasets),
        pixel_size=_pixel_size(groups),
        energy=_energy(groups),
        beam=BeamGeometry.of_figures(Figure(), _distance(groups)),
        known_axis=read_known_axis(file),
        monitor=np.concatenate(known) if len(known) == len(monitors) else None,
        half_acquisition="half" in [text.lower() for text in fields_of_view],
        close=file.close,
    )


def _entries(file: h5py.File) -> Iterator[tuple[str, str]]:
    """Walk the entries in the order of their numbers, with what each is."""
    numbered = [(match, name) for name in file if (match := _NUMBERED.fullmatch(name))]
    for _, name in sorted(numbered, key=lambda one: tuple(map(int, one[0].groups()))):
        entry = get_item(file, name)
        if not isinstance(entry, h5py.Group):
            continue
        title = read_text(entry, "title").lower()
        for kind, beginnings in _TITLES.items():
            if title.startswith(beginnings):
                yield name, kind
                break


def _pictures(file: h5py.File, entry: str) -> Hdf5Frames:
    """Find the stack of an entry's one detector."""
    measured = get_item(file, f"{entry}/measurement")
    names = list(measured) if isinstance(measured, h5py.Group) else []
    stacks = [
        Found(f"/{entry}/measurement/{name}", stack)
        for name in names
        if isinstance(stack := get_item(file, f"{entry}/measurement/{name}"), h5py.Dataset)
        and stack.ndim == 3
    ]
    if len(stacks) == 1:
        return Hdf5Frames(stacks[0])
    listed = ", ".join(found.path for found in stacks) or "none"
    raise UserError(
        f"{file_name(file)}: entry {entry} has the pictures of {len(stacks)} detectors in"
        f" measurement ({listed}); name those of one with datasets.projections, flats and darks"
    )


def _flats(
    file: h5py.File, acquisition: Acquisition, counts: list[int], datasets: DatasetSettings
) -> tuple[FlatBlock, ...]:
    """Return the flats with the projections taken before them, their monitor and exposure."""
    if datasets.flats is not None:
        return flat_blocks(open_each(file, datasets.flats, "flats"), sum(counts))
    exposure = _exposure(file, acquisition.projections[0])
    blocks = []
    for name, n_before in acquisition.flats:
        frames = _pictures(file, name)
        block = FlatBlock(frames, sum(counts[:n_before]))
        monitor = read_array(file[name], frames.shape[0], *_CURRENTS)
        if monitor is not None:
            block = replace(block, monitor=float(np.mean(monitor)))
        own = _exposure(file, name)
        if exposure and own and abs(exposure / own - 1) > _SAME_EXPOSURE:
            block = replace(block, scale=exposure / own)
        blocks.append(block)
    return tuple(blocks)


def _exposure(file: h5py.File, entry: str) -> float | None:
    found = read_number(file[entry], "technique/scan/exposure_time")
    return None if found is None else found[0]


def _angles(
    file: h5py.File, acquisition: Acquisition, counts: list[int], datasets: DatasetSettings
) -> FoundAngles | None:
    """Read where the rotation was at each projection."""
    if datasets.angles is not None and names_angle_file(datasets.angles):
        return read_angles_beside(file_name(file), datasets.angles)
    if datasets.angles is not None:
        return read_angles(get_dataset(file, datasets.angles, "angles"))
    read = [_rotation(file, name, count)
            for name, count in zip(acquisition.projections, counts, strict=True)]  # fmt: skip
    known = [one for one in read if one is not None]
    if len(known) < len(read):
        return None
    values = np.concatenate([values for values, _, _ in known])
    return to_radians(values, known[0][1], known[0][2])


def _rotation(
    file: h5py.File, entry: str, n_pictures: int
) -> tuple[NDArray[np.float64], str, str] | None:
    """Return the positions of the rotation in an entry, their unit and their path."""
    for name in _ROTATIONS:
        for path in (
            f"/{entry}/measurement/{name}",
            f"/{entry}/instrument/{name}/data",
            f"/{entry}/instrument/{name}/value",
            f"/{entry}/instrument/positioners/{name}",
        ):
            found = get_item(file, path)
            if isinstance(found, h5py.Dataset) and found.ndim == 1 and len(found) >= n_pictures:
                values = np.asarray(found[:n_pictures], np.float64)
                return values, read_unit(found) or "deg", path
    return None


def _pixel_size(groups: list[h5py.Group]) -> Figure:
    paths = ("technique/optic/sample_pixel_size", "technique/detector/pixel_size")
    found = [number for group in groups if (number := read_number(group, *paths)) is not None]
    return pixel_um(*found[0], "um") if found else Figure()


def _energy(groups: list[h5py.Group]) -> Figure:
    found = [
        number
        for group in groups
        if (number := read_number(group, "technique/scan/energy")) is not None
    ]
    return energy_kev(found[0][0], found[0][1] or "keV") if found else Figure()


def _distance(groups: list[h5py.Group]) -> Figure:
    path = "technique/scan/sample_detector_distance"
    found = [read_detector_mm(group, "mm", path) for group in groups]
    return next((figure for figure in found if figure != Figure()), Figure())
