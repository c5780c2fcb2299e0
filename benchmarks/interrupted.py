"""Small workflows that once came out wrong: interrupted both ways, in accounts of all kinds.

    python benchmarks/interrupted.py [--cases NAME ...] [--conditions NAME ...] [--at-once 3]

Each case is interrupted by Ctrl-C and, in another trial, by kill -9, and given again; S3 and AWS
Batch refuse a part of all calls, each alone and both together, or all that is told comes late by
far. Each result is kept in benchmarks/results/interrupted.json as soon as it is there; what is
there is not run again. The table goes to benchmarks/results/interrupted.md.
"""

import argparse
import json
import tempfile
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from cases import CASES
from cases_of_runs import CASES_OF_RUNS
from controller import LATE, account
from trial import Trial, ctrl_c, is_live, kill

from aws_batch_emulator import Emulator, Fault

RESULTS = Path(__file__).parent / "results"
ALL_CASES = {**CASES, **CASES_OF_RUNS}
WAYS = {"Ctrl-C": ctrl_c, "kill -9": kill}

_S3 = Fault("throttle", match="s3:*", count=None, rate=0.1)
_BATCH = Fault("throttle", match="batch:*", count=None, rate=0.3)
CONDITIONS: dict[str, tuple[Fault, ...]] = {
    "S3 throttled": (_S3,),
    "Batch throttled": (_BATCH,),
    "both throttled": (_S3, _BATCH),
    "late": (Fault("forget", count=4),),
}
"""What goes wrong; under `late`, lists, arrays and logs lag by far as well."""


def main() -> None:
    """Run what is left to do, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", default=list(ALL_CASES), choices=list(ALL_CASES))
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS))
    parser.add_argument("--at-once", type=int, default=3)
    options = parser.parse_args()
    kept = RESULTS / "interrupted.json"
    results: dict[str, str] = json.loads(kept.read_text()) if kept.exists() else {}
    with account(slots=4 * options.at_once) as (emulator, python):
        for condition in options.conditions:
            keys = [(case, way, condition) for case in options.cases for way in WAYS]
            left = [key for key in keys if " / ".join(key) not in results]
            with within(emulator, condition), ThreadPoolExecutor(options.at_once) as pool:
                trials = {
                    pool.submit(run_case, emulator, python, case, way, condition): key
                    for key in left
                    for case, way, _ in [key]
                }
                for trial in as_completed(trials):
                    key = " / ".join(trials[trial])
                    results[key] = trial.result()
                    kept.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
                    print(key, results[key] or "right", sep=": ", flush=True)
    (RESULTS / "interrupted.md").write_text(table(results))


@contextmanager
def within(emulator: Emulator, condition: str) -> Iterator[None]:
    """Let an account be in a condition."""
    emulator.clear_faults()
    for fault in CONDITIONS[condition]:
        emulator.inject(fault)
    with emulator.lagging(**(LATE if condition == "late" else {})):
        yield
    emulator.clear_faults()


def run_case(emulator: Emulator, python: Path, case: str, way: str, condition: str) -> str:
    """Return what is wrong with one case that is interrupted in one way; empty if all is right."""
    name = f"i{zlib.crc32(f'{case} {way} {condition}'.encode()):08x}"
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(emulator, name, Path(folder), python, WAYS[way])
        try:
            wrong = ALL_CASES[case](trial)
            left = [job["jobId"] for job in trial.jobs() if is_live(job)]
            wrong += [f"left behind: {job_id}" for job_id in left]
        except Exception as error:
            wrong = [repr(error)]
    return "; ".join(wrong)


def table(results: dict[str, str]) -> str:
    """Return the results in Markdown."""
    columns = [(way, condition) for condition in CONDITIONS for way in WAYS]
    n_right = sum(not wrong for wrong in results.values())
    lines = [
        "# Small workflows that are interrupted",
        "",
        f"benchmarks/interrupted.py on the emulator: {n_right} of {len(results)} right: right "
        "outputs, nothing left behind, and what each case asks for besides.",
        "",
        f"| workflow | {' | '.join(f'{way}, {condition}' for way, condition in columns)} |",
        f"|---|{'---|' * len(columns)}",
    ]
    for case in ALL_CASES:
        cells = [
            str(results.get(f"{case} / {way} / {condition}", "not run")).replace("|", "/")
            or "right"
            for way, condition in columns
        ]
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
