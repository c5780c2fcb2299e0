"""``tomobatch series``: volumes one after the other in time, as one OME-Zarr."""

from pathlib import Path
from typing import Annotated

import typer

from tomobatch.cli.view import find_volume
from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote

Volumes = Annotated[
    list[str], typer.Argument(metavar="VOLUME...", help="Volumes or folders of results, in order.")
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The folder to write, a new one.")]


def run(
    volumes: Volumes,
    output: Output,
    interval_s: Annotated[
        float | None, typer.Option("--interval", min=0, help="Seconds from one to the next.")
    ] = None,
) -> None:
    """Join finished volumes to one OME-Zarr with an axis of time.

    They must have been reconstructed with the same settings; `calibrate.like` in config.yaml gives
    them one axis and one grey window. Files are linked, not copied, where the disk can.

    Example: `tomobatch series results/t0 results/t1 -o results/series.ome.zarr`
    """
    from tomobatch.joined.series import join_series

    found = volumes_here(volumes, output)
    join_series(found, output, interval_s=interval_s)
    typer.echo(f"{output}: {len(found)} moments")


def volumes_here(asked: list[str], output: Path) -> list[Path]:
    """Return the folders of the volumes that are to be joined.

    Raises
    ------
    UserError
        If one lies on S3, or what is to be written is there.
    """
    if output.exists():
        raise UserError(f"{output} is there already; give another by --output")
    found = [find_volume(volume).rstrip("/") for volume in asked]
    for volume in found:
        if is_remote(volume):
            raise UserError(f"{volume} lies on S3: bring it here by `tomobatch fetch` first")
    return [Path(volume) for volume in found]
