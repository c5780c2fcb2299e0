"""Finished volumes of which every voxel is known."""

from pathlib import Path

import numpy as np
from tests.copies.originals import RECORD

from tomobatch.provenance.record import as_group
from tomobatch.stores.grey_codes import GreyCodes
from tomobatch.stores.volume import VolumeLayout
from tomobatch.stores.volume_writer import open_chunk

VOXEL_UM = 2.0


def write_volume(
    folder: Path, values: np.ndarray, *, chunk: int = 8, codes: GreyCodes | None = None
) -> Path:
    """Write a finished volume (z, y, x) of grey values as a run lays it out."""
    dtype = "float32" if codes is None else codes.dtype
    layout = VolumeLayout(*values.shape, chunk, 2, pixel_size_um=VOXEL_UM, dtype=dtype, codes=codes)
    root = folder / "volume.ome.zarr"
    for level in range(2):
        (root / str(level)).mkdir(parents=True)
        (root / str(level) / "zarr.json").write_bytes(layout.array(level).metadata())
    window = float(values.min()) * VOXEL_UM / 1e4, float(values.max()) * VOXEL_UM / 1e4
    (root / "zarr.json").write_bytes(layout.group_metadata(folder.name, window))
    for number, start in enumerate(range(0, len(values), chunk)):
        paths = [root / f"{level}/c/{layout.array(level).key(number)}" for level in range(2)]
        with open_chunk(layout, number, paths) as writer:
            writer.write(0, values[start : start + chunk].astype(np.float32))
    (root / "provenance").mkdir()
    record = {**RECORD, "scan": {**RECORD["scan"], "name": folder.name}}
    (root / "provenance" / "zarr.json").write_bytes(as_group(record))
    return root


def specimen(
    n_slices: int, size: int, seed: int = 0, shift: tuple[float, float, float] = (0, 0, 0)
) -> np.ndarray:
    """Return soft balls at random places, float32 (z, y, x): what is seen at a place is exact.

    With ``shift`` all of them lie so many voxels further.
    """
    rng = np.random.default_rng(seed)
    shape = n_slices, size, size
    values = np.zeros(shape)
    for _ in range(4 * n_slices):
        centre = rng.uniform((0, 0.2 * size, 0.2 * size), (n_slices, 0.8 * size, 0.8 * size))
        radius = rng.uniform(0.03, 0.08) * size
        along = [
            np.exp(-(((np.arange(n) - at) / radius) ** 2))
            for n, at in zip(shape, centre + np.array(shift), strict=True)
        ]
        values += along[0][:, None, None] * along[1][:, None] * along[2]
    return values.astype(np.float32)
