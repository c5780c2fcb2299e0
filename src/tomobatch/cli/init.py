"""``tomobatch init``: a folder that runs, for scans that lie there."""

from pathlib import Path
from typing import Annotated

import typer

from tomobatch.errors import UserError

_CONFIG = "config.yaml"


def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the study.")],
    scans: Annotated[
        list[str], typer.Argument(metavar="SCAN...", help="Files, folders or s3:// addresses.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Write config.yaml anew; the old one is kept beside it.")
    ] = False,
) -> None:
    """Make a folder that runs: config.yaml after a look at each scan, profiles and the workflow.

    What is in the folder already stays. `tomobatch run`, `snakemake` and `make` work from there.

    Example: `tomobatch init study scans/tooth.h5 scans/bone.h5`
    """
    # Looking at scans takes libraries that take seconds to import.
    from tomobatch.cli.shared.config_file import config_for
    from tomobatch.cli.shared.study import make_study
    from tomobatch.stores.files import write_bytes

    if folder.is_file():
        raise UserError(
            f"{folder} is a file; the folder of the study comes first: tomobatch init DIR {folder}"
        )
    config = folder / _CONFIG
    if config.exists() and not force:
        raise UserError(f"{config} exists; give another folder, or --force to write it anew")
    text, names = config_for(folder, scans)
    make_study(folder)
    if config.exists():
        config.replace(_kept(config))
    write_bytes(config, text.encode())
    typer.echo(f"{config}: {', '.join(names)}")
    there = "" if folder.resolve() == Path.cwd() else f"cd {folder}, then "
    typer.echo(f"Next: {there}tomobatch run --local (make dry-run shows every job)")


def _kept(config: Path) -> Path:
    """Return a free name beside a file."""
    number = 1
    while (kept := config.with_name(f"{config.stem}.{number}{config.suffix}")).exists():
        number += 1
    return kept
