"""``tomobatch rerun``: a volume made again, from what it says of how it was made."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from tomobatch.cli.diff import compare_volumes, show
from tomobatch.cli.shared.here import LOCAL
from tomobatch.cli.shared.options import Verbose
from tomobatch.cli.shared.snakemake import run_snakemake
from tomobatch.cli.shared.study import make_study
from tomobatch.cli.view import find_volume
from tomobatch.errors import UserError
from tomobatch.results import VOLUME

if TYPE_CHECKING:
    from tomobatch.provenance.record import Record

_CONFIG = "config.yaml"


def run(
    volume: Annotated[
        str, typer.Argument(help="A volume or a folder of results, here or on S3; or a run on AWS.")
    ],
    scan: Annotated[
        str | None, typer.Option(help="Where the scan lies now, if it was moved.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="A new folder; by default reruns/ and the scan's name.")
    ] = None,
    verbose: Verbose = False,
) -> None:
    """Make a volume again on this machine with the settings it carries, and compare the two.

    First is said what is not as it was: versions, and the scan. The exit code is 0 where every
    voxel is equal, bit by bit.

    Example: `tomobatch rerun results/tooth`
    """
    from tomobatch.provenance.differences import Difference, flatten
    from tomobatch.provenance.record import read_record, versions

    original = find_volume(volume)
    record = read_record(original)
    _check_single(original, record)
    name = record["scan"]["name"]
    path = scan or record["scan"]["path"]
    folder = output or Path("reruns") / name
    if (folder / _CONFIG).exists():
        raise UserError(f"{folder} is there already; give another folder by --output")
    _check_scan(path, record)
    then, now = dict(flatten(record["versions"])), dict(flatten(versions()))
    for key in dict.fromkeys([*then, *now]):
        if then.get(key) != now.get(key):
            typer.echo(f"then | now: {Difference(key, then.get(key), now.get(key))}")
    make_study(folder)
    (folder / _CONFIG).write_text(_config_text(name, path, record["settings"]), encoding="utf-8")
    with contextlib.chdir(folder):
        run_snakemake(["--profile", LOCAL, *(["--verbose"] if verbose else [])])
    made = str(folder / "results" / name / VOLUME)
    differences, pixels, said = compare_volumes(original, made)
    show(differences, pixels, said)
    typer.echo(made)
    if said or pixels is None or pixels.n_different:
        raise typer.Exit(1)


def _check_single(volume: str, record: "Record") -> None:
    """Refuse a volume that is joined of others."""
    from tomobatch.provenance.record import joined_as, records_of_scans

    how = joined_as(record)
    if how is not None:
        scans = [one["scan"] for one in records_of_scans(record)]
        named = ", ".join(f"{scan['name']} ({scan['path']})" for scan in scans)
        raise UserError(
            f"{volume} is a {how} of {named}: rerun the volume of each, then join them by"
            f" `tomobatch {how}`"
        )


def _check_scan(path: str, record: Mapping[str, Any]) -> None:
    """Refuse another scan than the one that the volume is of."""
    from tomobatch.scan.identity import identify
    from tomobatch.scan.open import open_scan
    from tomobatch.scan.settings import DatasetSettings

    then = record["scan"]
    with open_scan(path, DatasetSettings.model_validate(record["settings"]["datasets"])) as opened:
        now = identify(opened).to_dict()
    parts = {"header_sha256": "its header", "sample_sha256": "the pixels of three projections"}
    changed = [words for key, words in parts.items() if then[key] != now[key]]
    if changed:
        raise UserError(
            f"{path} is not the scan that the volume is of: {' and '.join(changed)} differ;"
            " give the right one by --scan"
        )
    for key in ("format", "size_bytes"):
        if then[key] != now[key]:
            typer.echo(f"then | now: scan.{key}: {then[key]} | {now[key]}")


def _config_text(name: str, path: str, settings: Mapping[str, Any]) -> str:
    """Return a configuration of one scan with every setting."""
    from tomobatch.config.schema import load_config

    sections = {key: value for key, value in settings.items() if key not in ("path", "volume")}
    values = {"scans": {name: {"path": path, **sections}}, "volume": settings["volume"]}
    load_config(values)
    head = "# Written by `tomobatch rerun`: every setting of the volume that is made again.\n"
    return head + yaml.safe_dump(values, sort_keys=False)
