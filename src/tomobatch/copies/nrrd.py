"""NRRD, which 3D Slicer, ITK and ParaView open: a header of text, and the voxels as they are."""

from pathlib import Path

from tomobatch.copies.original import Original
from tomobatch.stores.files import complete_or_absent

_TYPES = {"float32": "float", "uint16": "uint16", "uint8": "uint8"}


def write_nrrd(original: Original, path: Path) -> None:
    """Write a volume as one NRRD file, block by block.

    Lengths are in millimetres, which is what the readers take them for whatever their unit. What
    whole numbers mean stands in the keys ``scale_factor`` and ``add_offset``.
    """
    with complete_or_absent(path) as partial, partial.open("wb") as file:
        file.write(header(original).encode("ascii"))
        for block in original.blocks():
            file.write(block.astype(block.dtype.newbyteorder("<"), copy=False).tobytes())


def header(original: Original) -> str:
    """Return the header with the empty line that ends it; axes run from the fastest, x y z."""
    volume, voxel_um, codes = original.array, original.voxel_um, original.codes
    lines = [
        "NRRD0005",
        f"type: {_TYPES[volume.dtype.name]}",
        "dimension: 3",
        "sizes: " + " ".join(str(n) for n in volume.shape[::-1]),
        "endian: little",
        "encoding: raw",
    ]
    if voxel_um is not None:
        z, y, x = (edge / 1e3 for edge in voxel_um)
        origin = ",".join(f"{value / 1e3:.9g}" for value in original.origin_um[::-1])
        lines += [
            "space dimension: 3",
            f"space directions: ({x:.9g},0,0) (0,{y:.9g},0) (0,0,{z:.9g})",
            'space units: "mm" "mm" "mm"',
            f"space origin: ({origin})",
        ]
    keys = {"grey_unit": original.unit, **({} if codes is None else codes.attributes())}
    lines += [f"{key}:={value}" for key, value in keys.items()]
    return "\n".join(lines) + "\n\n"
