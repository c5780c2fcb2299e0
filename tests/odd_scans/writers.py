"""Scans on disk: Data Exchange, NXtomo and folders of TIFFs, as plain as they come."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tifffile
from numpy.typing import NDArray
from tests.odd_scans.row import Written
from tests.odd_scans.scene import Floats, Scene, Taken, counts, evenly, take

Cast = Callable[[Floats], NDArray[Any]]
N_ROWS, N_COLS, N_ANGLES, COR_PX = 4, 72, 100, 37.3


def scene(angles_deg: Floats | None = None, **changes: Any) -> Scene:
    """The usual scene: half a turn in so many steps, the axis 1.8 columns off the middle."""
    usual = {"n_rows": N_ROWS, "n_cols": N_COLS, "cor_px": COR_PX} | changes
    return Scene(evenly(N_ANGLES) if angles_deg is None else angles_deg, **usual)


def taken(**changes: Any) -> Taken:
    """The usual scan."""
    return take(scene(**changes))


def write_dx(path: Path, scan: Taken, cast: Cast = counts, **filters: Any) -> Written:
    """Write a Data Exchange file whose flats lie before the scan, if anybody knew."""
    with h5py.File(path, "w") as file:
        for name, stack in (
            ("data", scan.projections),
            ("data_white", scan.flats),
            ("data_dark", scan.darks),
        ):
            file.create_dataset(f"exchange/{name}", data=cast(stack), **filters)
        file["exchange/theta"] = scan.angles_deg
        file["exchange/theta"].attrs["units"] = "deg"
    return Written(path, scan.scene)


def stacked(scan: Taken) -> tuple[NDArray[np.uint16], NDArray[np.int32], Floats]:
    """Darks, flats and projections in one stack, their key, and an angle for each."""
    stack = counts(np.concatenate([scan.darks, scan.flats, scan.projections]))
    key = np.repeat([2, 1, 0], [len(scan.darks), len(scan.flats), len(scan.projections)])
    angles = np.concatenate([np.zeros(len(key) - len(scan.angles_deg)), scan.angles_deg])
    return stack, key.astype(np.int32), angles


def write_nx(
    path: Path,
    scan: Taken,
    pictures: Callable[[h5py.File, h5py.Group, NDArray[Any]], None] | None = None,
    *,
    parts: tuple[NDArray[Any], NDArray[Any], Floats | None] | None = None,
    unit: str = "degree",
) -> Written:
    """Write an NXtomo file; ``pictures`` puts the stack into the detector, ``parts`` are given."""
    stack, key, angles = stacked(scan) if parts is None else parts
    with h5py.File(path, "w") as file:
        detector = file.create_group("entry/instrument/detector")
        detector.attrs["NX_class"] = "NXdetector"
        if pictures is None:
            detector["data"] = stack
        else:
            pictures(file, detector, stack)
        detector["image_key"] = key
        plotted = file.create_group("entry/data")
        plotted.attrs["NX_class"] = "NXdata"
        plotted["data"] = h5py.SoftLink("/entry/instrument/detector/data")
        plotted["image_key"] = h5py.SoftLink("/entry/instrument/detector/image_key")
        if angles is not None:
            file["entry/sample/rotation_angle"] = angles
            file["entry/sample/rotation_angle"].attrs["units"] = unit
            plotted["rotation_angle"] = h5py.SoftLink("/entry/sample/rotation_angle")
    return Written(path, scan.scene)


def write_pictures(folder: Path, names: list[str], stack: Floats, **options: Any) -> None:
    """Write a TIFF for each picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in zip(names, counts(stack), strict=True):
        tifffile.imwrite(folder / name, picture, **options)


def write_references(folder: Path, scan: Taken) -> None:
    """Write flats and darks into folders of their names."""
    for kind, stack in (("flats", scan.flats), ("darks", scan.darks)):
        write_pictures(folder / kind, [f"{kind}_{i:03d}.tif" for i in range(len(stack))], stack)


def closed() -> Taken:
    """Half a turn with both its ends, as is assumed of pictures without angles."""
    return taken(angles_deg=evenly(N_ANGLES, closed=True))


def numbered(scan: Taken, form: str = "p_{:04d}.tif", first: int = 0) -> list[str]:
    """Names for the projections."""
    return [form.format(i + first) for i in range(len(scan.projections))]
