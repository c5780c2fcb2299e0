"""``tomobatch stack``: volumes one above the other, as one OME-Zarr."""

from typing import Annotated

import typer

from tomobatch.cli.series import Output, Volumes, volumes_here


def run(
    volumes: Volumes,
    output: Output,
    overlap: Annotated[
        int | None,
        typer.Option(min=1, help="Slices that each has in common with the next; else found."),
    ] = None,
) -> None:
    """Join finished volumes of a specimen that was scanned in steps along the axis.

    The first is the one whose rows come first. Slices that two have in common are found by their
    likeness, aligned to a few hundredths of a pixel, and blended.

    Example: `tomobatch stack results/top results/bottom -o results/whole.ome.zarr`
    """
    from tomobatch.joined.stack import join_stack

    found = volumes_here(volumes, output)
    overlaps, remarks = join_stack(found, output, overlap=overlap)
    for one, other, between in zip(found, found[1:], overlaps, strict=False):
        slices, rows, columns = between.shift_px
        typer.echo(
            f"{one} and {other}: {between.n_slices} slices in common"
            + ("" if overlap else f", alike by {between.likeness:.3f}")
            + f"; shifted by {slices:.2f} slices, {rows:.2f} rows and {columns:.2f} columns"
        )
    for line in remarks:
        typer.echo(f"warning: {line}", err=True)
    typer.echo(output)
