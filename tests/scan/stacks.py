"""One small made-up scan, and files of every format that hold it."""

from pathlib import Path

import h5py
import numpy as np
import tifffile
import zarr

N_PROJECTIONS, N_ROWS, N_COLS, N_FLATS, N_DARKS = 12, 5, 7, 3, 4
SHAPE = (N_ROWS, N_COLS)


def _counts(seed: int, count: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 60_000, (count, *SHAPE), dtype=np.uint16)


PROJECTIONS = _counts(1, N_PROJECTIONS)
FLATS_BEFORE, FLATS_AFTER = _counts(2, N_FLATS), _counts(3, N_FLATS)
DARKS = _counts(4, N_DARKS)
THETA_DEG = np.linspace(0, 180, N_PROJECTIONS, endpoint=False)


def write_data_exchange(path: Path, **changes: np.ndarray | None) -> Path:
    """Write an APS Data Exchange file; datasets of ``exchange`` can be changed, or left out."""
    datasets = {
        "data": PROJECTIONS,
        "data_white": np.concatenate([FLATS_BEFORE, FLATS_AFTER]),
        "data_dark": DARKS,
        "theta": THETA_DEG,
    } | changes
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            if values is not None:
                file[f"exchange/{name}"] = values
        settings = file.create_group("process/acquisition/flat_fields")
        settings["flat_field_mode"] = "Both"
        settings["num_flat_fields"] = N_FLATS
        system = file.create_group("measurement/instrument/detection_system/objective")
        system["resolution"] = 2.5
        file["measurement/instrument/monochromator/energy"] = 27_400.0
        file["measurement/instrument/monochromator/energy"].attrs["units"] = "eV"
    return path


def write_nxtomo(path: Path, entries: tuple[str, ...] = ("entry",), **filters: object) -> Path:
    """Write NXtomo entries: darks, flats, projections with one invalid among them, flats."""
    pictures = [DARKS, FLATS_BEFORE, PROJECTIONS[:8], DARKS[:1], PROJECTIONS[8:], FLATS_AFTER]
    keys = [2] * N_DARKS + [1] * N_FLATS + [0] * 8 + [3] + [0] * 4 + [1] * N_FLATS
    angles = np.zeros(len(keys))
    angles[np.equal(keys, 0)] = THETA_DEG
    with h5py.File(path, "w") as file:
        for name in entries:
            detector = file.create_group(f"{name}/instrument/detector")
            detector.attrs["NX_class"] = "NXdetector"
            stack = np.concatenate(pictures)
            detector.create_dataset("data", data=stack, chunks=(1, *SHAPE), **filters)
            detector["image_key"] = keys
            detector["x_pixel_size"] = 6.5e-6
            file[f"{name}/sample/rotation_angle"] = angles
            file[f"{name}/sample/rotation_angle"].attrs["units"] = "degree"
            file[f"{name}/instrument/beam/incident_energy"] = 19.0
            # As NeXus files do, the plotted group links to the same datasets.
            file[f"{name}/data/data"] = detector["data"]
            file[f"{name}/data/image_key"] = detector["image_key"]
    return path


def write_zarr(path: Path, zarr_format: int) -> Path:
    """Write a Zarr group of either format."""
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    for name, values in (
        ("projections", PROJECTIONS),
        ("flats", FLATS_BEFORE),
        ("flats_after", FLATS_AFTER),
        ("darks", DARKS),
        ("angles", np.deg2rad(THETA_DEG)),
    ):
        group.create_array(name, data=values, chunks=(2, *SHAPE)[: values.ndim])
    group["projections"].attrs.update(pixel_size_um=2.5, energy_kev=27.4)
    group["angles"].attrs["units"] = "radians"
    return path


def write_zarr_arrays(folder: Path) -> Path:
    """Write a Zarr array with its flats and darks beside it."""
    for name, values in (("scan", PROJECTIONS), ("flats", FLATS_BEFORE), ("darks", DARKS)):
        zarr.save_array(folder / f"{name}.zarr", values)
    return folder / "scan.zarr"


def write_tiff_folders(folder: Path) -> Path:
    """Write a folder of folders of TIFFs, and the angles in a text file."""
    for name, stack in (
        ("proj", PROJECTIONS),
        ("flats_before", FLATS_BEFORE),
        ("flats_after", FLATS_AFTER),
        ("darks", DARKS),
    ):
        (folder / name).mkdir(parents=True)
        for index, picture in enumerate(stack):
            # Numbers without leading zeros, which sort wrongly as text.
            tifffile.imwrite(folder / name / f"{name}_{index}.tif", picture)
    np.savetxt(folder / "angles.txt", THETA_DEG)
    return folder


def write_tiff_names(folder: Path) -> Path:
    """Write one folder of TIFFs whose names tell what they are."""
    folder.mkdir()
    for name, stack in (("sample", PROJECTIONS), ("Flat", FLATS_BEFORE), ("Dark", DARKS)):
        for index, picture in enumerate(stack):
            tifffile.imwrite(folder / f"{name}_{index:03d}.tiff", picture, compression="zlib")
    return folder


def write_tiff_pages(folder: Path, **options: object) -> Path:
    """Write TIFFs of many pages."""
    folder.mkdir()
    for name, stack in (("scan", PROJECTIONS), ("scan_flats", FLATS_BEFORE), ("scan_darks", DARKS)):
        # Without it, three pictures are taken for the three colours of one.
        tifffile.imwrite(folder / f"{name}.tif", stack, photometric="minisblack", **options)
    return folder / "scan.tif"
