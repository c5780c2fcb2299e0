"""``tomobatch open``: look at the report of a run."""

import os
import sys
import webbrowser
from pathlib import Path

import typer

from tomobatch.cli.fetch import Output, scan_results
from tomobatch.cli.shared.deployed import RunName, observed
from tomobatch.cli.shared.report_cost import add_cost
from tomobatch.errors import UserError
from tomobatch.results import REPORT


def run(run: RunName = None, output: Output = None) -> None:
    """Fetch the report of a run and open it in the browser; without a display, print its path.

    What the run has cost so far is added to the report.

    Example: `tomobatch open tooth`
    """
    from tomobatch.s3.fetch import fetch_files

    with observed(run) as observer:
        folder = output or Path("results-aws") / observer.run
        for scan, url in scan_results(observer).items():
            report = folder / scan / REPORT
            try:
                fetch_files(url, report.parent, [report.name])
            except FileNotFoundError:
                raise UserError(
                    f"run {observer.run} has no report of {scan} yet: it is its last step; see "
                    f"`tomobatch status {observer.run}`"
                ) from None
            add_cost(observer, report)
            typer.echo(report)
            if has_display():
                webbrowser.open(report.resolve().as_uri())


def has_display() -> bool:
    """Tell whether a browser has somewhere to open."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
