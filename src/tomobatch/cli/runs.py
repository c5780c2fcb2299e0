"""``tomobatch runs``: all runs."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from tomobatch.cli.shared.deployed import AsJson, deployment

if TYPE_CHECKING:
    from rich.table import Table

    from tomobatch.aws.runs.record import RunRecord

_WIDTH = 200
"""Of the table where there is no terminal to tell."""


def run(as_json: AsJson = False) -> None:
    """List all runs: of `tomobatch run`, and for a week those of plain `snakemake`.

    With --json, each has the verdicts and warnings of its scans.

    Example: `tomobatch runs --json`
    """
    from rich.console import Console

    from tomobatch.aws.runs.find import all_runs
    from tomobatch.aws.runs.findings import findings_of

    with deployment() as place:
        runs = all_runs(place)
        recorded = [record for record in runs.values() if record is not None]
        known = findings_of(place, recorded) if as_json else {}
    if as_json:
        rows = [
            {"name": name, **({} if record is None else asdict(record))}
            | {"findings": {scan: one.to_dict() for scan, one in known.get(name, {}).items()}}
            for name, record in sorted(runs.items())
        ]
        typer.echo(json.dumps(rows, indent=1))
        return
    if not runs:
        typer.echo("no runs yet; start one with `tomobatch run SCAN`")
        return
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(_table(runs))


def _table(runs: "Mapping[str, RunRecord | None]") -> "Table":
    """Return a table of the runs, newest first."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("run", "started", "by", "scans", "jobs"):
        table.add_column(column, justify="right" if column == "jobs" else "left")
    table.add_column("results", overflow="fold")
    newest_first = sorted(
        runs.items(), key=lambda item: item[1].started_ms if item[1] is not None else 0
    )
    for name, record in reversed(newest_first):
        if record is None:
            table.add_row(name, "", "snakemake")
            continue
        started = datetime.fromtimestamp(record.started_ms / 1000, UTC).astimezone()
        table.add_row(
            name,
            f"{started:%Y-%m-%d %H:%M}",
            record.user,
            ", ".join(record.scans),
            str(sum(record.jobs.values())),
            record.results,
        )
    return table
