"""``tomobatch demo``: the whole way, from a scan to its volume and report."""

import re
from pathlib import Path
from typing import Annotated

import typer

from tomobatch.cli.phantom import make
from tomobatch.cli.snakemake import run_snakemake
from tomobatch.errors import UserError
from tomobatch.scan import open_scan
from tomobatch.summary import summarise

DEMO_SCAN = Path("scans/demo.h5")


def run(
    scan: Annotated[
        str | None, typer.Argument(help="A scan of your own; without it, one is made.")
    ] = None,
    results: Annotated[str, typer.Option(help="Folder of all results.")] = "results",
) -> None:
    """Reconstruct a scan on this machine and say what came out.

    Example: `tomobatch demo path/to/scan.h5`
    """
    if scan is None:
        if not DEMO_SCAN.exists():
            make(DEMO_SCAN)
        name, path = DEMO_SCAN.stem, DEMO_SCAN
    else:
        path = Path(scan)
        if not path.exists():
            raise UserError(f"{scan}: no such file or folder; give the path of a scan")
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-") or "scan"
    sheet = write_sheet(Path(results) / f"{name}.tsv", name, path)
    run_snakemake(
        ["--profile", "profiles/local", "--config", f"scans={sheet}", f"results={results}"]
    )
    with open_scan(path) as opened:
        truth = opened.header.truth
    typer.echo(summarise(Path(results) / name, truth))


def write_sheet(sheet: Path, name: str, path: Path) -> Path:
    """Write a sheet of one scan; a configuration that names it leaves all other scans alone."""
    content = f"scan\tpath\n{name}\t{path}\n"
    if not sheet.exists() or sheet.read_text(encoding="utf-8") != content:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        sheet.write_text(content, encoding="utf-8")
    return sheet
