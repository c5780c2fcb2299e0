"""HDF5 scans as beamlines leave them: links, masters, keys, angles, flats."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray
from tests.odd_scans.row import Row, Written
from tests.odd_scans.scene import counts, evenly, take
from tests.odd_scans.writers import N_ANGLES, scene, stacked, taken, write_dx, write_nx

_DETECTOR = "/entry/instrument/detector"


def external_link(folder: Path) -> Written:
    def link(_: h5py.File, detector: h5py.Group, stack: NDArray[Any]) -> None:
        with h5py.File(folder / "camera.h5", "w") as camera:
            camera["entry/data/frames"] = stack
        detector["data"] = h5py.ExternalLink("camera.h5", "/entry/data/frames")

    return write_nx(folder / "scan.nxs", taken(), link)


def soft_link(folder: Path) -> Written:
    def link(file: h5py.File, detector: h5py.Group, stack: NDArray[Any]) -> None:
        file["entry/measurement/camera"] = stack
        detector["data"] = h5py.SoftLink("/entry/measurement/camera")

    return write_nx(folder / "scan.nx", taken(), link)


def master(folder: Path) -> Written:
    for name, cor_px in (("a", 37.3), ("b", 34.0)):
        write_nx(folder / f"{name}.nx", taken(cor_px=cor_px))
    with h5py.File(folder / "master.nx", "w") as file:
        for number, name in enumerate("ab", 1):
            file[f"{number}.1"] = h5py.ExternalLink(f"{name}.nx", "/entry")
    return Written(folder / "master.nx", scene())


def virtual(folder: Path, *, missing: bool = False) -> Written:
    def link(_: h5py.File, detector: h5py.Group, stack: NDArray[Any]) -> None:
        layout, start = h5py.VirtualLayout(stack.shape, stack.dtype), 0
        for i, part in enumerate(np.array_split(stack, 3)):
            (folder / "raw").mkdir(exist_ok=True)
            with h5py.File(folder / f"raw/part{i}.h5", "w") as file:
                file["pictures"] = part
            source = h5py.VirtualSource(f"raw/part{i}.h5", "pictures", part.shape)
            layout[start : start + len(part)] = source
            start += len(part)
        detector.create_virtual_dataset("data", layout)

    written = write_nx(folder / "scan.nx", taken(), link)
    if missing:
        (folder / "raw/part1.h5").unlink()
    return written


def key_of_dls(folder: Path, *, far: bool) -> Written:
    scan = taken()
    stack, key, angles = stacked(scan)
    with h5py.File(folder / "camera.hdf", "w") as file:
        file["entry/instrument/detector/data"] = stack
    link = h5py.ExternalLink("camera.hdf", _DETECTOR + "/data")
    with h5py.File(folder / "scan.nxs", "w") as file:
        entry = file.create_group("entry1/tomo_entry")
        entry["data/data"] = link
        entry["data/rotation_angle"] = angles
        entry["data/rotation_angle"].attrs["units"] = "degrees"
        if far:
            file["entry1/instrument/image_key/image_key"] = key
        else:
            entry["instrument/detector/data"] = link
            entry["instrument/detector/image_key"] = key
    return Written(folder / "scan.nxs", scan.scene)


def key_of_another_length(folder: Path, *, key_is_longer: bool) -> Written:
    """One more turn was planned than taken, or taken than noted; what both have is half a turn."""
    scan = taken()
    stack, key, angles = stacked(scan)
    if key_is_longer:
        key, angles = np.append(key, np.zeros(40, np.int32)), np.append(angles, evenly(40) + 180)
    else:
        stack = np.concatenate([stack, stack[-25:]])
    return write_nx(folder / "scan.nx", scan, parts=(stack, key, angles))


def aborted_key(folder: Path) -> Written:
    scan = taken()
    stack, key, angles = stacked(scan)
    return write_nx(folder / "scan.nx", scan, parts=(stack[:-20], key, angles))


def control(folder: Path) -> Written:
    scan = taken()
    stack, key, angles = stacked(scan)
    more = stack[[-1, -N_ANGLES // 2]]
    parts = (np.concatenate([stack, more]), np.append(key, [0, 0]), np.append(angles, [0.0, 90.0]))
    written = write_nx(folder / "scan.nx", scan, parts=parts)
    with h5py.File(written.path, "a") as file:
        file[f"{_DETECTOR}/image_key_control"] = np.append(key, [-1, -1])
    return written


def angles(folder: Path, *, spoilt: bool) -> Written:
    scan = taken() if spoilt else taken(angles_deg=evenly(N_ANGLES, closed=True))
    stack, key, values = stacked(scan)
    values[70] = np.nan
    return write_nx(folder / "scan.nx", scan, parts=(stack, key, values if spoilt else None))


def radians(folder: Path) -> Written:
    scan = taken()
    stack, key, values = stacked(scan)
    return write_nx(folder / "scan.nx", scan, parts=(stack, key, np.deg2rad(values)), unit="rad")


def flats_in_the_middle(folder: Path) -> Written:
    scan = take(scene(), (1.0, 0.85, 0.7))
    first, second, third = np.split(scan.flats, 3)
    half = N_ANGLES // 2
    before, after = scan.projections[:half], scan.projections[half:]
    pieces = ((2, scan.darks), (1, first), (0, before), (1, second), (0, after), (1, third))
    key = np.concatenate([np.full(len(stack), kind, np.int32) for kind, stack in pieces])
    values = np.zeros(len(key))
    values[key == 0] = scan.angles_deg
    stack = counts(np.concatenate([stack for _, stack in pieces]))
    return write_nx(folder / "scan.nx", scan, parts=(stack, key, values))


def half_acquisition(folder: Path) -> Written:
    at_edge = scene(evenly(180, 360.0), cor_px=60.0, size=1.4)
    written = write_nx(folder / "scan.nx", take(at_edge))
    with h5py.File(written.path, "a") as file:
        file[f"{_DETECTOR}/field_of_view"] = "Half"
    return written


def pixel(folder: Path, value: float, unit: str, voxel_um: float = 6.5) -> Written:
    written = write_nx(folder / "scan.nx", taken())
    with h5py.File(written.path, "a") as file:
        file[f"{_DETECTOR}/x_pixel_size"] = value
        file[f"{_DETECTOR}/x_pixel_size"].attrs["units"] = unit
    return Written(written.path, written.scene, voxel_um)


def flats_in_another_file(folder: Path) -> Written:
    scan = taken()
    written = write_dx(folder / "scan.h5", scan)
    with h5py.File(written.path, "a") as file, h5py.File(folder / "beam.h5", "w") as other:
        other["measured/open"] = file["exchange/data_white"][:]
        del file["exchange/data_white"]
    return written


_ABORTED = ("as after an aborted scan: the first", "of both are used")
_UNSEEN = "of the half turn unseen"

ROWS = (
    Row("pictures behind an external link", external_link),
    Row("pictures behind a soft link", soft_link),
    Row("master of two scans", master, "refused", ("holds 2 scans", "/1.1/", "/2.1/")),
    Row("one scan of a master", master,
        sections={"datasets": {"projections": "/1.1/instrument/detector/data"}}),
    Row("virtual pictures", virtual),
    Row("virtual pictures with a source that is gone",
        lambda folder: virtual(folder, missing=True), "refused", ("missing", "raw/part1.h5")),
    Row("key beside a link to the camera's file", lambda folder: key_of_dls(folder, far=False)),
    Row("key far from the pictures", lambda folder: key_of_dls(folder, far=True)),
    Row("key far from the pictures, named", lambda folder: key_of_dls(folder, far=True),
        sections={"datasets": {"projections": "/entry1/tomo_entry/data/data",
                               "image_key": "/entry1/instrument/image_key/image_key"}}),
    Row("key longer than the stack",
        lambda folder: key_of_another_length(folder, key_is_longer=True), words=_ABORTED),
    Row("stack longer than the key",
        lambda folder: key_of_another_length(folder, key_is_longer=False), words=_ABORTED),
    Row("aborted scan of a longer key", aborted_key, "warned", (*_ABORTED, _UNSEEN)),
    Row("alignment pictures marked by a control key", control),
    Row("no angles", lambda folder: angles(folder, spoilt=False), words=("0..180 degrees",)),
    Row("an angle that is no number", lambda folder: angles(folder, spoilt=True), "refused",
        ("NaN", "datasets.angle_range_deg")),
    Row("an angle that is no number, range given", lambda folder: angles(folder, spoilt=True),
        sections={"datasets": {"angle_range_deg": [0, 180 * (1 - 1 / N_ANGLES)]}}),
    Row("angles in radians", radians),
    Row("flats before, amid and after a beam that falls", flats_in_the_middle,
        words=("the beam changed by 30%",)),
    Row("half acquisition that the file states", half_acquisition, words=("half acquisition",)),
    Row("pixel size in mm", lambda folder: pixel(folder, 0.0065, "mm")),
    Row("pixel size of 6.5 m", lambda folder: pixel(folder, 6.5, "m"), words=("pixel size",)),
    Row("pixel size in pixels", lambda folder: pixel(folder, 6.5, "pixel"),
        words=("pixel size", "cannot be")),
    Row("flats in another file", flats_in_another_file,
        sections={"datasets": {"flats": "beam.h5:/measured/open"}}),
)  # fmt: skip
