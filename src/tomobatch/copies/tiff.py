"""TIFF: one stack, or a file a slice."""

from pathlib import Path
from typing import Any

import tifffile

from tomobatch.copies.original import Original
from tomobatch.stores.files import complete_folder, complete_or_absent

# Offsets of a classic TIFF have 32 bits; the rest is for what is no pixel.
_LARGEST_CLASSIC_BYTES = 2**32 - 2**24

_LARGE = (
    "beyond 4 GB, and so a BigTIFF: Fiji opens it by Bio-Formats Import, ImageJ does not;"
    " `tomobatch export --to slices` writes a file a slice, which all open"
)


def write_stack(original: Original, path: Path) -> str | None:
    """Write a volume as a stack of pages in its own type, slice by slice.

    Below 4 GB it is a classic TIFF that says to ImageJ how far slices are apart and what its whole
    numbers mean; beyond, a BigTIFF, whose pages say the size of a pixel alone.

    Returns
    -------
    What the user should know of it; None if nothing.
    """
    volume, voxel_um = original.array, original.voxel_um
    with complete_or_absent(path) as partial:
        if volume.nbytes > _LARGEST_CLASSIC_BYTES:
            per_cm: dict[str, Any] = {}
            if voxel_um is not None:
                pixels_per_cm = 1e4 / voxel_um[2], 1e4 / voxel_um[1]
                per_cm = {"resolution": pixels_per_cm, "resolutionunit": "CENTIMETER"}
            with tifffile.TiffWriter(partial, bigtiff=True) as stack:
                for page in original.slices():
                    stack.write(page, contiguous=True, metadata=None, **per_cm)
            return _LARGE
        with tifffile.TiffWriter(partial, imagej=True) as stack:
            stack.write(
                original.slices(),
                shape=volume.shape,
                dtype=volume.dtype,
                metadata={"axes": "ZYX", **_for_imagej(original)},
                **_per_um(original),
            )
    return None


def write_slices(original: Original, folder: Path) -> str:
    """Write a volume as a folder of classic TIFFs, one a slice, numbered from 0.

    Each says to ImageJ how large a pixel is, how far the next slice is away and what its whole
    numbers mean; ``File > Import > Image Sequence`` makes a stack of them.

    Returns
    -------
    How many there are.
    """
    n_slices = original.array.shape[0]
    digits = max(4, len(str(n_slices - 1)))
    facts = {"axes": "YX", **_for_imagej(original)}
    with complete_folder(folder) as partial:
        for number, page in enumerate(original.slices()):
            name = partial / f"slice_{number:0{digits}}.tif"
            tifffile.imwrite(name, page, imagej=True, metadata=facts, **_per_um(original))
    return f"{n_slices} files"


def _per_um(original: Original) -> dict[str, Any]:
    """Return the pixels in the unit that ImageJ is told."""
    voxel_um = original.voxel_um
    return {} if voxel_um is None else {"resolution": (1 / voxel_um[2], 1 / voxel_um[1])}


def _for_imagej(original: Original) -> dict[str, Any]:
    """Return what ImageJ reads of a stack: spacing, and the straight line from codes to greys."""
    facts: dict[str, Any] = {}
    if original.voxel_um is not None:
        facts |= {"unit": "um", "spacing": original.voxel_um[0]}
    codes = original.codes
    if codes is not None:
        # Function 0 of ImageJ is the straight line.
        facts |= {"cf": 0, "c0": codes.low, "c1": codes.scale, "vunit": original.unit}
    return facts
