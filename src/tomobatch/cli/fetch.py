"""``tomobatch fetch``: bring the results of a run to this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.shared.deployed import RunName, observed
from tomobatch.cli.shared.uploading import transfer_bar

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Observer

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Folder for them; by default results-aws/RUN."),
]


def run(
    run: RunName = None,
    slices: Annotated[
        str | None,
        typer.Option(metavar="A:B", help="Only the chunks of the volume with slices A to B - 1."),
    ] = None,
    level: Annotated[
        int | None, typer.Option(min=0, help="Only this level of the volume; 0 is the finest.")
    ] = None,
    output: Output = None,
) -> None:
    """Fetch the volume or a part of it, with report, previews and calibration.

    A table beside them, summary.csv, has a line a scan.

    Slices that are left out read as zeros. What is there already is not fetched again.

    Example: `tomobatch fetch tooth --slices 100:164 --level 1`
    """
    from tomobatch.aws.runs.parts import choose_parts, parse_slices

    wanted = parse_slices(slices)
    with observed(run) as observer:
        folder = output or Path("results-aws") / observer.run
        scans = scan_results(observer)
        for scan in scans:
            refuse_own(folder / scan)
        for scan, url in scans.items():
            files = choose_parts(url, wanted, level)
            with transfer_bar(f"Fetching {scan}", sum(file.size for file in files)) as progress:
                from tomobatch.s3.fetch import fetch_files

                n_files = fetch_files(url, folder / scan, files, progress=progress)
            size_mb = sum(file.size for file in files) / 1e6
            typer.echo(
                f"{folder / scan}: {len(files)} files, {size_mb:.1f} MB, of which {n_files} are new"
            )
    from tomobatch.records.table import write_table

    typer.echo(f"{write_table(folder, scans, {})}: what came of every scan")


def refuse_own(results: Path) -> None:
    """Refuse to fetch over results that were made on this machine.

    Raises
    ------
    UserError
        If they are finished, and of a scan that does not lie on S3.
    """
    from tomobatch.errors import UserError
    from tomobatch.s3.address import is_remote
    from tomobatch.stores.finished import read_made_with

    made_with = read_made_with(str(results))
    if made_with is None or made_with.settings is None:
        return
    if not is_remote(str(made_with.settings.get("path", ""))):
        raise UserError(f"{results} was made on this machine: give another folder by --output")


def scan_results(observer: "Observer") -> dict[str, str]:
    """Return each scan of a run with the s3:// address of its results.

    Raises
    ------
    UserError
        If nothing of the run is known that tells them.
    """
    from tomobatch.aws.runs.record import get_record
    from tomobatch.aws.runs.results import results_of
    from tomobatch.aws.runs.targets import parse_target
    from tomobatch.errors import UserError

    record = get_record(observer.place, observer.run)
    if record is not None:
        return {scan: f"{record.results}/{scan}" for scan in record.scans}
    found = {
        target.scan: f"{results_of(commands)}/{target.scan}"
        for commands in observer.reader.lists().values()
        for command in commands.commands
        if (target := parse_target(command.target)).scan
    }
    if not found:
        raise UserError(f"run {observer.run} has submitted no job yet: it has no results")
    return found
