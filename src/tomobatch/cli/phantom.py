"""``tomobatch phantom``: make a scan with known truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.phantom.truth import Truth

Size = Annotated[int, typer.Option(min=16, max=8192, help="Detector columns, in pixels.")]
Rows = Annotated[
    int | None, typer.Option(min=1, help="Detector rows; half the columns by default.")
]
Angles = Annotated[
    int | None, typer.Option(min=8, help="Projections over 180 degrees, or with --cone over 360.")
]
Cone = Annotated[bool, typer.Option("--cone", help="A cone beam over a full circle, as NXtomo.")]
Short = Annotated[
    bool, typer.Option("--short-scan", help="With --cone: only half a turn and the fan's angle.")
]
Seed = Annotated[int, typer.Option(min=0, help="What all random numbers are drawn from.")]


def run(
    output: Annotated[Path, typer.Argument(help="The HDF5 file to write.")],
    size: Size = 256,
    rows: Rows = None,
    angles: Angles = None,
    seed: Seed = 0,
    cone: Cone = False,
    short_scan: Short = False,
) -> None:
    """Make a demo scan with known truth, as an APS Data Exchange file or, with --cone, as NXtomo.

    Example: `tomobatch phantom scans/demo.h5 --size 256 --seed 1`
    """
    if short_scan and not cone:
        raise UserError("--short-scan needs --cone: a parallel beam needs half a turn in any case")
    truth = make(
        output,
        size=size,
        rows=rows,
        angles=angles,
        seed=seed,
        beam="cone" if cone else "parallel",
        short_scan=short_scan,
    )
    typer.echo(
        f"{output}: {truth.n_rows} rows x {truth.n_cols} columns, centre of rotation "
        f"{truth.cor_px:.2f} px, tilt {truth.tilt_deg:.3f} degrees"
    )


def make(
    output: Path,
    *,
    size: int = 256,
    rows: int | None = None,
    angles: int | None = None,
    seed: int = 0,
    beam: Literal["parallel", "cone"] = "parallel",
    short_scan: bool = False,
) -> "Truth":
    """Write the scan with a progress bar, and return its truth."""
    from tomobatch.phantom.write import write_phantom
    from tomobatch.phantom.write_cone import write_cone_phantom

    with typer.progressbar(length=1000, label=f"Making {output}") as bar:
        done = 0

        def show(share: float) -> None:
            nonlocal done
            bar.update(round(1000 * share) - done)
            done = round(1000 * share)

        if beam == "cone":
            return write_cone_phantom(
                output,
                size=size,
                n_rows=rows,
                n_angles=angles,
                seed=seed,
                short_scan=short_scan,
                progress=show,
            )
        return write_phantom(
            output, size=size, n_rows=rows, n_angles=angles, seed=seed, progress=show
        )
