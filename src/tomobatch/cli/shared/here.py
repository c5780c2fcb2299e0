"""A run on this machine: Snakemake, and what came of every scan."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tomobatch.cli.shared.closing import say_closing_lines
from tomobatch.cli.shared.replacing import replacing
from tomobatch.cli.shared.scans import Entry, write_sheet
from tomobatch.cli.shared.snakemake import run_snakemake
from tomobatch.results import FINDINGS, LOGS, REPORT

if TYPE_CHECKING:
    from tomobatch.plan import ScanPlan

LOCAL = "profiles/local"


def look_for_devices(plans: "Mapping[str, ScanPlan]") -> None:
    """Refuse now what the first jobs would refuse: no device, or one that can't compile."""
    from tomobatch.opencl.devices import find_device

    for kind in {plan.config.reconstruct.device for plan in plans.values()}:
        find_device(kind)


def run_here(
    name: str,
    scans: Mapping[str, Entry],
    results: Path,
    refused: Mapping[str, str],
    *,
    replaces: bool,
    verbose: bool,
) -> None:
    """Reconstruct scans on this machine, and say what came out; exit as Snakemake does.

    Where a scan fails, the others are told of as always, and the failed ones by name.

    Parameters
    ----------
    name
        Of the run.
    scans
        Those to reconstruct.
    results
        The folder that holds a folder a scan.
    refused
        Why other scans cannot be, by name; for the table.
    replaces
        Whether finished results of other settings give way.
    verbose
        Whether Snakemake says everything.
    """
    sheet = Path("results") / f"{name}.tsv"
    write_sheet(sheet, scans)
    said = ["--verbose"] if verbose else []
    config = ["--config", f"scans={sheet}", *replacing(replaces)]
    started = time.time()
    try:
        run_snakemake(["--profile", LOCAL, *said, *config])
    except typer.Exit:
        made = [scan for scan in scans if _is_newer(results / scan / FINDINGS, started)]
        if made:
            say_closing_lines(results, made)
        for scan in scans:
            if not (results / scan / REPORT).is_file():
                why = f"not finished; see {results / scan / LOGS}, and run the same again"
                typer.echo(f"error: {scan}: {why}", err=True)
        raise
    finally:
        _write_table(results, scans, refused)
    say_closing_lines(results, list(scans))


def _is_newer(path: Path, than_s: float) -> bool:
    return path.is_file() and path.stat().st_mtime >= than_s


def _write_table(results: Path, scans: Mapping[str, Entry], refused: Mapping[str, str]) -> None:
    """Write the table again: it knows those scans as well that Snakemake was not told of."""
    from tomobatch.records.table import write_table

    if refused and results.is_dir():
        write_table(results, [*scans, *refused], refused)
