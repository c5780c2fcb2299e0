"""What the records of all jobs sum up to: how long each step of a scan took."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tomobatch.results import RECORDS
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


def warnings_of(records: Iterable[dict[str, Any]]) -> list[str]:
    """Return what the jobs of a scan warn of, each once, in the order of its steps."""
    return list(dict.fromkeys(line for record in records for line in record.get("warnings", ())))


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
