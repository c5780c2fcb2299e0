"""The closing lines of a run on this machine: what came out, and every warning once more."""

from collections.abc import Iterable
from pathlib import Path

import typer

from tomobatch.results import CALIBRATION, REFERENCES


def warnings_of(results: Path) -> list[str]:
    """Return what a scan's results warn of, one line each, as its report says them."""
    from tomobatch.calibrate.calibration import Calibration
    from tomobatch.stores.references import load_references

    calibration = Calibration.from_json((results / CALIBRATION).read_text(encoding="utf-8"))
    return [*load_references(results / REFERENCES).warnings, *calibration.warnings]


def say_warnings(results: Path, scans: Iterable[str]) -> None:
    """Repeat every warning of some scans, on the terminal's last lines.

    Parameters
    ----------
    results
        The folder that holds a folder a scan.
    scans
        Their names.
    """
    for scan in scans:
        for line in warnings_of(results / scan):
            typer.echo(f"warning: {scan}: {line}")
