"""Fit the rates of ``tomobatch estimate`` to runs: ``fit_rates.py RUN SMALL LARGE``.

RUN is a finished run of one small scan on AWS Batch, real or emulated, whose stacks the environment
names; its attempts tell what a job takes beside its own work. SMALL is the folder of results of
that scan, LARGE that of a larger one, whose jobs tell what a value takes. Writes the rates, and the
attempts for the test that holds an estimate against what a run cost.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from tomobatch.aws.pricing import Use
from tomobatch.aws.pricing.uses import read_uses
from tomobatch.aws.runs.observe import Observer
from tomobatch.aws.runs.place import find_place
from tomobatch.cores import n_usable_cores
from tomobatch.stores.angles import load_angles

RATES = Path("src/tomobatch/estimate/rates.json")
ATTEMPTS = Path("tests/cli/demo_attempts.json")
COUNTED = ("average_references", "preprocess", "process", "reconstruct")


def main(run: str, small: Path, large: Path) -> None:
    """Write rates and attempts."""
    observer = Observer(find_place(), run)
    uses = read_uses(observer.look(), observer.reader)
    ATTEMPTS.write_text(json.dumps([asdict(use) for use in uses], indent=1) + "\n")
    by_step = defaultdict(list)
    for use in uses:
        by_step[use.step].append((use.stop_ms - use.start_ms) / 1000)
    took_s = {step: median(times) for step, times in by_step.items()}
    start_s, handover_s = pauses_s(uses)
    ns = {step: ns_a_value(step, large) for step in COUNTED}
    own_s = {step: 1e-9 * ns[step] * values(step, small) + kernel_s(step, small) for step in ns}
    rates = {
        "measured": f"{datetime.now(UTC):%Y-%m-%d}, benchmarks/fit_rates.py, emulated AWS Batch "
        f"with two machines at once, on {processor()}, {n_usable_cores()} cores, load "
        f"{os.getloadavg()[2]:.0f}",
        "start_s": round(start_s, 2),
        "handover_s": round(handover_s, 2),
        "fixed_s": {s: round(max(0.0, t - own_s.get(s, 0.0)), 2) for s, t in took_s.items()},
        "ns_a_value": {step: round(value, 1) for step, value in ns.items()},
    }
    RATES.write_text(json.dumps(rates, indent=2) + "\n")


def pauses_s(uses: list[Use]) -> tuple[float, float]:
    """Return the time from one attempt to the next on a machine: within a step, and the rest."""
    within: list[float] = []
    between: list[float] = []
    machines = defaultdict(list)
    for use in sorted(uses, key=lambda each: each.start_ms):
        machines[use.instance_id].append(use)
    for stretch in machines.values():
        for one, following in pairwise(stretch):
            pause_s = (following.start_ms - one.stop_ms) / 1000
            (within if one.step == following.step else between).append(pause_s)
    start_s = median(within)
    return start_s, max(0.0, median(between) - start_s)


def ns_a_value(step: str, results: Path) -> float:
    """Return what a value costs a job: of the least disturbed one, the whole time."""
    return 1e9 * min(step_s(record) for record in records(step, results)) / values(step, results)


def step_s(record: dict[str, Any]) -> float:
    """Return the time of a job that grows with its chunk; the kernels have a model of their own."""
    stages = record["stages_s"]
    if record["rule"] == "reconstruct":
        return float(stages["read"] + stages["write"])
    return float(record["wall_s"])


def kernel_s(step: str, results: Path) -> float:
    """Return the time of the kernels of a job."""
    if step != "reconstruct":
        return 0.0
    return median(float(record["stages_s"]["compute"]) for record in records(step, results))


def values(step: str, results: Path) -> float:
    """Return the values of the chunk of one job, from the arrays that the run left."""
    layout = json.loads((results / "volume.ome.zarr/0/zarr.json").read_text())
    n_rows, n_cols = int(layout["shape"][0]), int(layout["shape"][2])
    n_angles = len(load_angles(results / "angles.json"))
    if step == "average_references":
        return 80.0 * n_rows * n_cols  # 40 flats and 40 darks in every demo scan
    if step == "preprocess":
        return 64.0 * n_rows * n_cols
    if step == "process":
        return 32.0 * n_angles * n_cols
    return 32.0 * (n_angles * n_cols + n_cols * n_cols)


def processor() -> str:
    """Return the name of this machine's processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))


def records(step: str, results: Path) -> Iterable[dict[str, Any]]:
    """Return the records of a step's jobs."""
    single = results / "records" / f"{step}.json"
    paths = [single] if single.exists() else sorted((results / "records" / step).glob("*.json"))
    return [json.loads(path.read_text()) for path in paths]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
