"""``tomobatch init``: a config.yaml for scans that lie there."""

from pathlib import Path
from typing import Annotated

import typer

from tomobatch.errors import UserError


def run(
    scans: Annotated[list[str], typer.Argument(help="Files, folders or s3:// addresses.")],
    output: Annotated[Path, typer.Option(help="The file to write.")] = Path("config.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a commented config.yaml for scans, after a look at each.

    Example: `tomobatch init scans/tooth.h5 scans/bone.h5`
    """
    # Looking at scans takes libraries that take seconds to import.
    from tomobatch.cli.shared.config_file import look, write_config
    from tomobatch.cli.shared.naming import name_scans

    if output.exists() and not force:
        raise UserError(f"{output} exists; give another --output, or --force to overwrite it")
    names = name_scans(scans)
    content = write_config(names, {name: look(path) for name, path in names.items()})
    partial = output.with_name(f".{output.name}.partial")
    partial.write_text(content, encoding="utf-8")
    partial.replace(output)
    typer.echo(f"{output}: {', '.join(names)}")
    typer.echo("Next: snakemake --profile profiles/local -n")
