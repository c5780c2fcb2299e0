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
    from tomobatch.cli.shared.config_file import Seen, look, write_config
    from tomobatch.cli.shared.naming import name_scans, without_repeats
    from tomobatch.cli.shared.study import make_study, seen_from
    from tomobatch.scan.several import name_within, scans_within

    if folder.is_file():
        raise UserError(
            f"{folder} is a file; the folder of the study comes first: tomobatch init DIR {folder}"
        )
    config = folder / _CONFIG
    if config.exists() and not force:
        raise UserError(f"{config} exists; give another folder, or --force to write it anew")
    scans = without_repeats(scans)
    seen = seen_from(folder, scans)
    names = name_scans([seen[path] for path in scans])
    found: dict[str, Seen] = {}
    for (name, lies_at), path in zip(names.items(), scans, strict=True):
        places = scans_within(path)
        found |= {name_within(name, place): look(path, lies_at, place) for place in places}
        if not places:
            found[name] = look(path, lies_at)
    content = write_config(found)
    make_study(folder)
    if config.exists():
        config.replace(_kept(config))
    partial = config.with_name(f".{config.name}.partial")
    partial.write_text(content, encoding="utf-8")
    partial.replace(config)
    typer.echo(f"{config}: {', '.join(found)}")
    there = "" if folder.resolve() == Path.cwd() else f"cd {folder}, then "
    typer.echo(f"Next: {there}tomobatch run --local (make dry-run shows every job)")


def _kept(config: Path) -> Path:
    """Return a free name beside a file."""
    number = 1
    while (kept := config.with_name(f"{config.stem}.{number}{config.suffix}")).exists():
        number += 1
    return kept
