"""``tomobatch export``: a copy of a finished volume in another format."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tomobatch.cli.view import find_volume
from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote


class Kind(StrEnum):
    """What a copy may be."""

    TIFF = "tiff"
    SLICES = "slices"
    HDF5 = "hdf5"
    NRRD = "nrrd"


_SUFFIXES = {Kind.TIFF: ".tif", Kind.SLICES: "-slices", Kind.HDF5: ".h5", Kind.NRRD: ".nrrd"}


def run(
    volume: Annotated[
        str,
        typer.Argument(
            metavar="RUN|VOLUME",
            help="A volume or a folder of results, here or on S3; or the name of a run on AWS.",
        ),
    ],
    to: Annotated[
        Kind,
        typer.Option(
            help="A TIFF stack, a folder of a TIFF a slice, HDF5 (NeXus with settings), or NRRD."
        ),
    ] = Kind.TIFF,
    level: Annotated[int, typer.Option(min=0, help="The resolution to copy; 0 is all.")] = 0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A new file or folder; by default beside the volume."),
    ] = None,
) -> None:
    """Copy a finished volume, in its type, for programs that do not read OME-Zarr.

    From S3 it is read by range, and written here. `volume.export` in config.yaml has copies made
    by the run itself.

    Example: `tomobatch export results/demo --to slices`
    """
    # Libraries that take a second to import are left to the commands that need them.
    from tomobatch.copies.original import open_original
    from tomobatch.provenance.record import joined_as, read_record

    group = find_volume(volume).rstrip("/")
    record = read_record(group)
    original = open_original(group, level)
    name = joined_as(record) or str(record["scan"]["name"])
    path = output or _beside(group, name, level, to)
    if path.exists():
        raise UserError(f"{path} is there already; give another by --output")
    said: str | None = None
    if to in (Kind.TIFF, Kind.SLICES):
        from tomobatch.copies import tiff

        write = tiff.write_stack if to is Kind.TIFF else tiff.write_slices
        said = write(original, path)
    elif to is Kind.HDF5:
        from tomobatch.copies.nexus import write_nexus

        write_nexus(original, path, record)
    else:
        from tomobatch.copies.nrrd import write_nrrd

        write_nrrd(original, path)
    typer.echo(str(path) if said is None else f"{path}: {said}")


def _beside(group: str, name: str, level: int, to: Kind) -> Path:
    """Return where a copy goes: beside a volume of this machine, or here under the scan's name.

    A volume in a folder of results has its copies called ``volume``, any other after itself.
    """
    folder, stem = Path(group).parent, Path(group).name.removesuffix(".zarr").removesuffix(".ome")
    if is_remote(group):
        folder, stem = Path(), name
    coarser = f"-level{level}" if level else ""
    return folder / f"{stem}{coarser}{_SUFFIXES[to]}"
