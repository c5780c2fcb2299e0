"""The closing lines of a run on this machine: what came out, and every warning once more."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tomobatch.cli.shared.disk import show_size
from tomobatch.errors import UserError
from tomobatch.records.summary import read_records, warnings_of
from tomobatch.results import CALIBRATION, FINDINGS, RECORDS, REFERENCES, REPORT, TABLE, VOLUME

if TYPE_CHECKING:
    from tomobatch.calibrate.calibration import Calibration
    from tomobatch.known_axis import KnownAxis
    from tomobatch.records.findings import Finding

_MOST_SCANS_IN_FULL = 3


@dataclass(frozen=True)
class Outcome:
    """What a run made of one scan.

    Attributes
    ----------
    results
        Its folder, such as ``results/demo``.
    calibration
        What was found.
    warnings
        What the report warns of, one line each.
    doubts
        Where the report's verdict is not green.
    """

    results: Path
    calibration: "Calibration"
    warnings: tuple[str, ...]
    doubts: tuple["Finding", ...] = ()

    @property
    def volume(self) -> str:
        """Where the volume is, its size and its voxel."""
        from tomobatch.stores.volume import read_volume_facts

        group = self.results / VOLUME
        facts = read_volume_facts(group)
        if facts is None:
            raise UserError(f"{group}: the run has not made it")
        depth, height, width = facts.shape
        voxel = f"{facts.voxel_um:.4g} µm" if facts.voxel_um else "unknown size"
        size = show_size(4 * facts.n_voxels)
        return f"{group}, {width} x {height} x {depth} voxels of {voxel}, {size} as float32"


def read_outcome(results: Path) -> Outcome:
    """Read what the closing lines tell of one scan's results."""
    # Libraries that take seconds to import are left to the commands that need them.
    from tomobatch.calibrate.calibration import Calibration
    from tomobatch.records.findings import Findings
    from tomobatch.stores.references import load_references

    try:
        text = (results / CALIBRATION).read_text(encoding="utf-8")
        references = load_references(results / REFERENCES)
    except FileNotFoundError as error:
        raise UserError(f"{error.filename}: the run has not made it") from None
    calibration = Calibration.from_json(text)
    of_jobs = warnings_of(read_records(results))
    warnings = (*references.warnings, *of_jobs, *calibration.warnings)
    judged = results / FINDINGS
    doubts: tuple[Finding, ...] = ()
    if judged.is_file():
        doubts = Findings.from_json(judged.read_text(encoding="utf-8")).doubts
    return Outcome(results, calibration, warnings, doubts)


def say_closing_lines(
    results: Path, scans: Sequence[str], known: "KnownAxis | None" = None
) -> None:
    """Say where everything is, what was found, what to doubt of it, and what to do next.

    Parameters
    ----------
    results
        The folder that holds a folder a scan.
    scans
        Their names.
    known
        The known answer of a demo scan, shown beside what was found.
    """
    from tomobatch.report.scans import write_scans_page

    outcomes = {scan: read_outcome(results / scan) for scan in scans}
    say = _in_full if len(scans) <= _MOST_SCANS_IN_FULL else _in_a_line
    typer.echo()
    for scan, outcome in outcomes.items():
        for line in say(scan, outcome, known):
            typer.echo(line)
    for scan, outcome in outcomes.items():
        for doubt in outcome.doubts:
            typer.echo(f"{doubt.level}: {scan}: {doubt.line}")
        for line in outcome.warnings:
            typer.echo(f"warning: {scan}: {line}")
    told = tell_intermediates(outcome.results for outcome in outcomes.values())
    typer.echo(f"Intermediates        {told}")
    if len(scans) > 1:
        table = f", {results / TABLE}" if (results / TABLE).is_file() else ""
        typer.echo(f"All scans            {write_scans_page(results)}{table}")
    first = results / next(iter(scans))
    typer.echo(f"Next                 open {first / REPORT}, or tomobatch view {first}")


def tell_intermediates(folders: Iterable[Path]) -> str:
    """Say what has become of the intermediates of some scans, and why."""
    records = [
        json.loads(record.read_text(encoding="utf-8"))
        for folder in folders
        if (record := folder / RECORDS / "remove_intermediates.json").is_file()
    ]
    removed = [record["removed_bytes"] for record in records if "removed_bytes" in record]
    kept = [record["kept_since"] for record in records if "kept_since" in record]
    told = []
    if removed:
        told.append(f"removed, {show_size(sum(removed))}; keep_intermediates: true keeps them")
    if kept:
        of_some = f" of {len(kept)} scan{'s' * (len(kept) > 1)}" if len(records) > 1 else ""
        told.append(f"kept{of_some}: {', '.join(dict.fromkeys(kept))}")
    return "; ".join(told) or "kept, as keep_intermediates says"


def _in_full(scan: str, outcome: Outcome, known: "KnownAxis | None") -> list[str]:
    calibration, results = outcome.calibration, outcome.results
    cor = f"{calibration.line.mid_px:.2f} px"
    tilt = f"{calibration.tilt_deg:.3f} degrees"
    if known is not None:
        cor += f" (true: {known.cor_px:.2f} px)"
        tilt += f" (true: {known.tilt_deg:.3f} degrees)"
    return [
        f"Volume               {outcome.volume}",
        f"Report               {results}/{REPORT}",
        f"Centre of rotation   {cor}, in the middle row",
        f"Tilt                 {tilt}",
    ]


def _in_a_line(scan: str, outcome: Outcome, known: "KnownAxis | None") -> list[str]:
    found = outcome.calibration
    what = f"cor {found.line.mid_px:.2f} px, tilt {found.tilt_deg:.3f} degrees"
    return [f"{scan:<20} {what}, {outcome.results}/{REPORT}"]
