"""``tomobatch diff``: how two volumes, or two configurations, differ."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tomobatch.cli.shared.options import AsJson
from tomobatch.cli.view import find_volume
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.provenance.differences import Difference, Pixels

_SUFFIXES = (".yaml", ".yml")

One = Annotated[
    str, typer.Argument(metavar="A", help="A volume, a folder of results, or a config.yaml.")
]
Other = Annotated[str, typer.Argument(metavar="B", help="Another one of the kind.")]


def run(a: One, b: Other, as_json: AsJson = False) -> None:
    """Compare two volumes by how they were made and voxel by voxel, or two configurations.

    Settings, versions, devices, the scan, what was found, warnings, and the greys; of stacks and
    series, of each part. The exit code is 0 where nothing differs, and 1 where something does.

    Example: `tomobatch diff results/tooth reruns/tooth/results/tooth`
    """
    kinds = {Path(one).suffix in _SUFFIXES for one in (a, b)}
    if len(kinds) > 1:
        raise UserError(f"{a} and {b}: one is a configuration and the other a volume")
    if kinds == {True}:
        differences, pixels = compare_configurations(a, b), None
        said = None
    else:
        differences, pixels, said = compare_volumes(find_volume(a), find_volume(b))
    if as_json:
        values: dict[str, Any] = {"differences": [vars(one) for one in differences]}
        values["pixels"] = pixels.to_dict() if pixels is not None else said
        typer.echo(json.dumps(values, indent=1))
    else:
        show(differences, pixels, said)
    if differences or said or (pixels is not None and pixels.n_different):
        raise typer.Exit(1)


def show(differences: "list[Difference]", pixels: "Pixels | None", said: str | None) -> None:
    """Print what differs, a line each, and how the voxels do."""
    for one in differences:
        typer.echo(str(one))
    if not differences:
        typer.echo("nothing differs in how they were made")
    for line in (said, None if pixels is None else pixels.words):
        if line is not None:
            typer.echo(line)


def compare_volumes(a: str, b: str) -> "tuple[list[Difference], Pixels | None, str | None]":
    """Return the differences of two volumes' records and voxels, or why voxels are not compared."""
    # Libraries that take seconds to import are left to the commands that need them.
    from tomobatch.provenance.differences import axes_of, compare_pixels, compare_records
    from tomobatch.provenance.record import read_record
    from tomobatch.stores.multiscale import open_finest

    volumes = [open_finest(one.rstrip("/")) for one in (a, b)]
    differences = compare_records(read_record(a), read_record(b))
    shapes = [" x ".join(map(str, one.shape)) for one in volumes]
    if shapes[0] != shapes[1]:
        axes = " | ".join(dict.fromkeys(axes_of(one.shape) for one in volumes))
        said = f"voxels cannot be compared: {shapes[0]} | {shapes[1]} {axes}"
        return differences, None, said
    return differences, compare_pixels(*volumes), None


def compare_configurations(a: str, b: str) -> "list[Difference]":
    """Return the differences of two configurations, with the defaults of what they leave out."""
    from tomobatch.provenance.differences import compare_records

    return compare_records(*(_read(Path(one)) for one in (a, b)))


def _read(path: Path) -> dict[str, Any]:
    from tomobatch.config.file import read_config_file
    from tomobatch.config.schema import load_config

    if not path.is_file():
        raise UserError(f"{path}: no such file")
    return load_config(read_config_file(path)).model_dump(mode="json")
