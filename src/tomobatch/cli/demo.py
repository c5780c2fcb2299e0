"""``tomobatch demo``: the whole way, from a scan to its volume and report."""

from pathlib import Path
from typing import Annotated

import typer

from tomobatch.cli.phantom import make
from tomobatch.cli.shared.closing import say_closing_lines
from tomobatch.cli.shared.disk import foretell_disk
from tomobatch.cli.shared.naming import name_scans
from tomobatch.cli.shared.options import Verbose
from tomobatch.cli.shared.profile import data_url
from tomobatch.cli.shared.scans import CONFIG, plan_scans, read_config, write_sheet
from tomobatch.cli.shared.snakemake import run_snakemake
from tomobatch.cli.shared.study import make_study
from tomobatch.errors import UserError
from tomobatch.results import is_intermediate
from tomobatch.stores.files import write_bytes

DEMO_SCAN = Path("scans/demo.h5")
_PROMISE = (
    "A scan of a bead pack with known truth is made and reconstructed here: a minute or two on a "
    "laptop, 300 MB of disk."
)
CONE_SCAN = Path("scans/demo-cone.nx")


def run(
    scan: Annotated[
        str | None, typer.Argument(help="A scan of your own; without it, one is made.")
    ] = None,
    profile: Annotated[
        str, typer.Option(help="How to run: a folder of profiles/.")
    ] = "profiles/local",
    verbose: Verbose = False,
    cone: Annotated[
        bool, typer.Option("--cone", help="Make a scan with a cone beam instead.")
    ] = False,
) -> None:
    """Reconstruct a scan and say what came out.

    Example: `tomobatch demo path/to/scan.h5`
    """
    # Libraries that take seconds to import are left to the commands that need them.
    from tomobatch.opencl.devices import find_device
    from tomobatch.s3.transfer import upload_file
    from tomobatch.scan.open import open_scan

    typer.echo(_PROMISE if scan is None else f"Reconstructing {scan}; each step is a line below.")
    path = (CONE_SCAN if cone else DEMO_SCAN) if scan is None else Path(scan)
    if scan is not None and not path.exists():
        raise UserError(f"{scan}: no such file or folder; give the path of a scan")
    if not Path("Snakefile").is_file():
        make_study(Path())
    data = data_url(profile)
    if data is None:
        # What this machine lacks is said before anything is made.
        find_device()
    if not path.exists():
        make(path, cone=cone)
    _configure(path)
    results = Path("results") if data is None else Path("results-aws")
    lies_at = str(path) if data is None else f"{data}/scans/{path.name}"
    (name,) = name_scans([str(path.absolute())], taken_by_others(results, lies_at))
    if data is None:
        foretell_disk(plan_scans({name: {"path": lies_at}}, read_config()).good, results)
    else:
        typer.echo(f"Uploading {path} to {lies_at}")
        upload_file(path, lies_at, replace=False)
    sheet = results / f"{name}.tsv"
    write_sheet(sheet, {name: {"path": lies_at}})
    said = ["--verbose"] if verbose else []
    run_snakemake(["--profile", profile, *said, "--config", f"scans={sheet}"])
    if data is not None:
        _fetch(f"{data}/results/{name}", results / name)
    with open_scan(path) as opened:
        known = opened.header.known_axis
    say_closing_lines(results, [name], known)


def _fetch(there: str, folder: Path) -> None:
    """Bring results down from S3, all but what only the steps need."""
    from tomobatch.s3.fetch import fetch_files
    from tomobatch.s3.listing import list_files

    typer.echo(f"Fetching {there} to {folder}")
    fetch_files(there, folder, [each for each in list_files(there) if not is_intermediate(each)])


def _configure(scan: Path) -> None:
    """Write the configuration of a scan, in a folder without one."""
    from tomobatch.cli.shared.config_file import config_for

    if not CONFIG.exists():
        text, _ = config_for(Path(), [str(scan)])
        write_bytes(CONFIG, text.encode())


def taken_by_others(results: Path, lies_at: str) -> set[str]:
    """Return the names under which a folder has results of other scans than this one."""
    from tomobatch.config.sheet import read_sheet

    scans = {sheet.stem: read_sheet(sheet) for sheet in results.glob("*.tsv")}
    return {name for name, rows in scans.items() if rows.get(name, {}).get("path") != lies_at}
