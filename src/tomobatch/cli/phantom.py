"""``tomobatch phantom``: make a scan with known truth."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tomobatch.cli.shared.new_file import refuse_existing
from tomobatch.cli.shared.options import Force
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.beam import ConeBeam
    from tomobatch.phantom.truth import Truth

_OFFSET_SHARE = 0.35
"""Of its width, by which a detector that is put beside the axis is moved."""

_CONE = "Of a cone beam"


def _of_cone(help: str) -> Any:  # noqa: ANN401  what typer takes
    return typer.Option(help=help, rich_help_panel=_CONE)


Size = Annotated[int, typer.Option(min=16, max=8192, help="Detector columns, in pixels.")]
Rows = Annotated[
    int | None, typer.Option(min=1, help="Detector rows; half the columns by default.")
]
Angles = Annotated[
    int | None, typer.Option(min=8, help="Projections over 180 degrees, or with --cone over 360.")
]
Counts = Annotated[
    float, typer.Option(min=1, max=60_000, help="Photons in the brightest pixels: fewer, noisier.")
]
Flats = Annotated[int, typer.Option(min=1, help="Flats before the scan, and as many after.")]
Darks = Annotated[int, typer.Option(min=1, help="Darks before the scan.")]
Stripes = Annotated[bool, typer.Option(help="Faulty columns of the detector, which make rings.")]
Seed = Annotated[int, typer.Option(min=0, help="What all random numbers are drawn from.")]
Cone = Annotated[bool, typer.Option("--cone", help="A cone beam over a full circle, as NXtomo.")]
Short = Annotated[
    bool,
    typer.Option(
        "--short-scan", help="Only half a turn and the fan's angle.", rich_help_panel=_CONE
    ),
]
Offset = Annotated[
    bool,
    typer.Option(
        "--offset-detector",
        help="The detector beside the axis, before a specimen 1.6 times as wide.",
        rich_help_panel=_CONE,
    ),
]
Reversed = Annotated[
    bool,
    typer.Option(
        "--counter-clockwise", help="Angles that count the other way.", rich_help_panel=_CONE
    ),
]
AxisShift = Annotated[
    float | None, _of_cone("Columns from the detector's normal to the axis; drawn by default.")
]
ShiftU = Annotated[float, _of_cone("Columns from the detector's middle to its normal.")]
ShiftV = Annotated[float, _of_cone("Rows from the detector's middle to the source's plane.")]
Roll = Annotated[
    float | None, _of_cone("Turn of the detector in its plane, degrees; drawn by default.")
]
Tilt = Annotated[float, _of_cone("Lean of the last rows away from the source, degrees.")]
Slant = Annotated[float, _of_cone("Turn of the last columns away from the source, degrees.")]
Drift = Annotated[
    tuple[float, float], _of_cone("Columns and rows that the picture drifts in the whole scan.")
]
Jitter = Annotated[float, _of_cone("Random shift of every projection, pixels.")]


def run(
    output: Annotated[Path, typer.Argument(help="The HDF5 file to write.")],
    size: Size = 256,
    rows: Rows = None,
    angles: Angles = None,
    counts: Counts = 30_000.0,
    flats: Flats = 20,
    darks: Darks = 20,
    stripes: Stripes = True,
    seed: Seed = 0,
    cone: Cone = False,
    short_scan: Short = False,
    offset_detector: Offset = False,
    counter_clockwise: Reversed = False,
    axis_shift: AxisShift = None,
    shift_u: ShiftU = 0.0,
    shift_v: ShiftV = 0.0,
    roll: Roll = None,
    tilt: Tilt = 0.0,
    slant: Slant = 0.0,
    drift: Drift = (0.0, 0.0),
    jitter: Jitter = 0.0,
    force: Force = False,
) -> None:
    """Make a demo scan with known truth, as an APS Data Exchange file or, with --cone, as NXtomo.

    Example: `tomobatch phantom scans/demo.h5 --size 256 --seed 1`

    Example: `tomobatch phantom scans/tilted.nx --cone --tilt 2 --shift-v -6 --counts 2000`
    """
    refuse_existing(output, force=force)
    general: dict[str, Any] = {"size": size, "n_rows": rows, "n_angles": angles, "seed": seed}
    general |= {"counts": counts, "n_flats": flats, "n_darks": darks, "stripes": stripes}
    shifts = {"shift_u_px": shift_u, "shift_v_px": shift_v, "axis_shift_px": axis_shift}
    turns = {"roll_deg": roll, "tilt_deg": tilt, "slant_deg": slant}
    moving = {"drift_px": drift, "jitter_px": jitter}
    flags = {"short_scan": short_scan, "offset_detector": offset_detector}
    flags["counter_clockwise"] = counter_clockwise
    if cone:
        _make_cone(output, general, shifts | turns, moving, flags)
        return
    asked = shifts | turns | flags | {"drift": any(drift), "jitter": jitter}
    if of_cone := [name for name, value in asked.items() if value]:
        option = of_cone[0].removesuffix("_px").removesuffix("_deg").replace("_", "-")
        raise UserError(f"--{option} needs --cone: the beam of this scan is parallel")
    _tell(output, make(output, **general), "tilt")


def make(output: Path, *, cone: bool = False, **options: Any) -> "Truth":  # noqa: ANN401
    """Write the scan with a progress bar, and return its truth.

    The options are those of ``write_phantom``, or of ``write_cone_phantom``.
    """
    from tomobatch.phantom.write import write_phantom
    from tomobatch.phantom.write_cone import write_cone_phantom

    with typer.progressbar(length=1000, label=f"Making {output}") as bar:
        done = 0

        def show(share: float) -> None:
            nonlocal done
            bar.update(round(1000 * share) - done)
            done = round(1000 * share)

        write = write_cone_phantom if cone else write_phantom
        return write(output, progress=show, **options)


def _make_cone(
    output: Path,
    general: dict[str, Any],
    beam: dict[str, float | None],
    moving: dict[str, Any],
    flags: dict[str, bool],
) -> None:
    """Write a cone-beam scan, and say what neither its file nor its data will tell."""
    from tomobatch.phantom.write_cone import demo_beam

    size = general["size"]
    if flags["offset_detector"]:
        beam["shift_u_px"] = (beam["shift_u_px"] or 0.0) + round(_OFFSET_SHARE * size)
        general["specimen_px"] = round(1.6 * size)
    given: dict[str, Any] = {name: value for name, value in beam.items() if value is not None}
    true = replace(
        demo_beam(size, general["seed"]), **given, sense=-1 if flags["counter_clockwise"] else 1
    )
    short = flags["short_scan"]
    truth = make(output, cone=True, beam=true, short_scan=short, **general, **moving)
    _tell(output, truth, "roll")
    hidden = [f"cone: {{{', '.join(_hidden(true))}}}"] if _hidden(true) else []
    hidden += ["rotation: counter-clockwise"] if true.sense < 0 else []
    if hidden:
        typer.echo(f"not told by the file: datasets: {{{', '.join(hidden)}}}")


def _hidden(beam: "ConeBeam") -> list[str]:
    """Return what is not ideal of a beam and not found from the data, as keys and values."""
    names = ("shift_u_px", "tilt_deg", "slant_deg")
    return [f"{name}: {value:g}" for name in names if (value := getattr(beam, name))]


def _tell(output: Path, truth: "Truth", turn: str) -> None:
    typer.echo(
        f"{output}: {truth.n_rows} rows x {truth.n_cols} columns, centre of rotation "
        f"{truth.cor_px:.2f} px, {turn} {truth.tilt_deg:.3f} degrees"
    )
