"""The closing lines of a run: where everything is, what was found, and how long it took."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tomobatch.calibrate.calibration import Calibration
from tomobatch.phantom.truth import Truth
from tomobatch.results import CALIBRATION, PREVIEW, RECORDS, REPORT, VOLUME
from tomobatch.steps import RECORDED


@dataclass(frozen=True)
class StepTime:
    """What one step of a scan took."""

    step: str
    n_jobs: int
    first_started: datetime
    elapsed_s: float
    busy_s: float


def read_records(results: Path) -> Iterator[dict[str, Any]]:
    """Walk the records of all jobs of a scan, in the order of its steps."""
    for step in RECORDED:
        single = results / RECORDS / f"{step}.json"
        paths = [single] if single.exists() else (results / RECORDS / step).glob("*.json")
        for path in sorted(paths, key=lambda path: (len(path.stem), path.stem)):
            yield json.loads(path.read_text(encoding="utf-8"))


def step_times(records: list[dict[str, Any]]) -> list[StepTime]:
    """Sum up the records by step: from the first start to the last end, and all jobs together."""
    by_step = defaultdict(list)
    for record in records:
        start = datetime.fromisoformat(record["started"])
        by_step[record["rule"]].append((start, float(record["wall_s"])))
    times = []
    for step in RECORDED:
        spans = by_step[step]
        if not spans:
            continue
        first = min(start for start, _ in spans)
        elapsed_s = max((start - first).total_seconds() + wall_s for start, wall_s in spans)
        times.append(StepTime(step, len(spans), first, elapsed_s, sum(wall for _, wall in spans)))
    return times


def summarise(results: Path, truth: Truth | None) -> str:
    """Return the closing lines of one scan's results.

    Parameters
    ----------
    results
        The scan's folder, such as ``results/demo``.
    truth
        The known answer of a demo scan, shown beside what was found.
    """
    calibration = Calibration.from_json((results / CALIBRATION).read_text(encoding="utf-8"))
    cor = f"{calibration.line.mid_px:.2f} px"
    tilt = f"{calibration.tilt_deg:.3f} degrees"
    if truth is not None:
        cor += f" (true: {truth.cor_px:.2f} px)"
        tilt += f" (true: {truth.tilt_deg:.3f} degrees)"
    lines = [
        "",
        f"Volume               {results}/{VOLUME}",
        f"Report               {results}/{REPORT}",
        f"Preview              {results}/{PREVIEW}/xy.png",
        f"Centre of rotation   {cor}, in the middle row",
        f"Tilt                 {tilt}",
        "",
        f"{'Step':<20} {'jobs':>5} {'elapsed':>10} {'all jobs':>10}",
    ]
    for time in step_times(list(read_records(results))):
        lines.append(
            f"{time.step:<20} {time.n_jobs:>5} {time.elapsed_s:>8.1f} s {time.busy_s:>8.1f} s"
        )
    return "\n".join(lines)
