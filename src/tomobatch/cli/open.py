"""``tomobatch open``: look at the reports of a run, and at the page of all its scans."""

import os
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tomobatch.cli.fetch import Output, scan_results
from tomobatch.cli.shared.deployed import observed
from tomobatch.cli.shared.report_cost import add_cost, costs_by_scan
from tomobatch.errors import UserError
from tomobatch.results import CALIBRATION, FINDINGS, PREVIEW, REPORT, VOLUME

if TYPE_CHECKING:
    from tomobatch.aws.runs.observe import Observer

_OF_THE_PAGE = (
    *(CALIBRATION, FINDINGS, f"{PREVIEW}/xy.png", f"{VOLUME}/zarr.json"),
    f"{VOLUME}/0/zarr.json",
)


def run(
    run: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|FOLDER]",
            help="Name of a run on AWS, or how it begins, the latest one by default; or a folder "
            "of results on this machine.",
        ),
    ] = None,
    output: Output = None,
) -> None:
    """Open the report of a scan in the browser, and of many scans one page that leads to them.

    The page has a row a scan: slice, verdict, axis, warnings, time and cost, to sort and to filter.
    What a run on AWS has cost is added. Without a display, paths are printed.

    Example: `tomobatch open results`
    """
    if run is not None and Path(run).is_dir():
        _open_here(Path(run))
        return
    with observed(run) as observer:
        folder = output or Path("results-aws") / observer.run
        scans = scan_results(observer)
        if len(scans) > 1:
            _show(_fetch_page(observer, scans, folder))
            return
        for scan, url in scans.items():
            report = folder / scan / REPORT
            if not _fetch(url, folder / scan, [REPORT]):
                raise UserError(
                    f"run {observer.run} has no report of {scan} yet: it is its last step; see "
                    f"`tomobatch status {observer.run}`"
                )
            add_cost(observer, report)
            _show(report)


def has_display() -> bool:
    """Tell whether a browser has somewhere to open."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_here(folder: Path) -> None:
    # Drawing takes libraries that take seconds to import.
    from tomobatch.report.scans import scans_in, write_scans_page

    if (folder / REPORT).is_file():
        _show(folder / REPORT)
    elif scans_in(folder):
        _show(write_scans_page(folder))
    else:
        raise UserError(f"{folder}: holds no results; give a folder such as results")


def _fetch_page(observer: "Observer", scans: dict[str, str], folder: Path) -> Path:
    """Bring reports and what the page shows of each scan, and write the page."""
    from tomobatch.report.scans import write_scans_page

    if not bring_reports(scans, folder):
        raise UserError(
            f"run {observer.run} has no report of any scan yet: it is their last step; see "
            f"`tomobatch status {observer.run}`"
        )
    return write_scans_page(folder, costs_by_scan(observer))


def bring_reports(scans: Mapping[str, str], folder: Path) -> list[str]:
    """Bring reports and what the page shows of scans, and return those that have a report.

    Parameters
    ----------
    scans
        The s3:// address of the results of each, by name.
    folder
        The folder that is to hold a folder a scan.
    """
    finished = []
    for scan, url in scans.items():
        (folder / scan).mkdir(parents=True, exist_ok=True)
        for name in _OF_THE_PAGE:
            _fetch(url, folder / scan, [name])
        if _fetch(url, folder / scan, [REPORT]):
            finished.append(scan)
    return finished


def _fetch(url: str, folder: Path, names: list[str]) -> bool:
    """Fetch files of a scan; False where one is not there yet."""
    from tomobatch.s3.fetch import fetch_files

    try:
        fetch_files(url, folder, names)
    except FileNotFoundError:
        return False
    return True


def _show(page: Path) -> None:
    typer.echo(page)
    if has_display():
        webbrowser.open(page.resolve().as_uri())
