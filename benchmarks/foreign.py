"""Workflows of others' shapes under the executor: plain, reclaimed, throttled, unanswered, late.

    python benchmarks/foreign.py [--shapes NAME ...] [--conditions NAME ...]

Each result is kept in benchmarks/results/foreign.json as soon as it is there; what is there is not
run again. The table goes to benchmarks/results/foreign.md.
"""

import argparse
import json
import random
import signal
import subprocess
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import boto3
from controller import BUCKET, LATE, account, command
from shapes import SHAPES, Shape

from aws_batch_emulator import Emulator, Fault

RESULTS = Path(__file__).parent / "results"
TIMEOUT_S = 240

CONDITIONS: dict[str, Sequence[Fault]] = {
    "plain": (),
    "reclaims": (Fault("reclaim", match="*", count=2, after_s=1),),
    "throttled": (
        Fault("throttle", match="batch:*", count=None, rate=0.3),
        Fault("throttle", match="s3:*", count=None, rate=0.1),
    ),
    "lost-replies": (Fault("lost-reply", match="batch:SubmitJob", count=1),),
    "late": (Fault("forget", count=2),),
}
"""What goes wrong; under `late`, lists, arrays and logs lag by far as well."""


@dataclass(frozen=True)
class Verdict:
    """What became of one run: empty if all is right."""

    wrong: str
    n_jobs: int
    n_attempts: int


def main() -> None:
    """Run what is left to do, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", nargs="*", default=list(SHAPES), choices=list(SHAPES))
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    kept = RESULTS / "foreign.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    with account() as (emulator, python):
        for condition in options.conditions:
            for name in options.shapes:
                key = f"{name} {condition}"
                if key not in results:
                    verdict = run(emulator, name, condition, options.seed, python)
                    results[key] = vars(verdict)
                    kept.write_text(json.dumps(results, indent=1) + "\n")
                    print(key, verdict, flush=True)
    (RESULTS / "foreign.md").write_text(table(results))


def run(emulator: Emulator, name: str, condition: str, seed: int, python: Path) -> Verdict:
    """Run one shape under one condition, and compare what it makes.

    Parameters
    ----------
    python
        Starts the controller.
    """
    shape = SHAPES[name]
    run_id = f"s{zlib.crc32(f'{name} {condition} {seed}'.encode()):08x}"
    prefix = f"foreign/{run_id}"
    random.seed(seed)
    emulator.clear_faults()
    lags = LATE if condition == "late" else {}
    with tempfile.TemporaryDirectory() as folder, emulator.lagging(**lags):
        prepare(shape, Path(folder), prefix)
        for fault in CONDITIONS[condition]:
            emulator.inject(fault)
        returncode, text = snakemake(python, Path(folder), run_id, prefix)
    emulator.clear_faults()
    jobs = [job for job in emulator.jobs() if job["jobName"].startswith(run_id)]
    wrong = compare(shape, prefix)
    if returncode != 0:
        wrong = [f"exit code {returncode}: {last_error(text)}", *wrong]
    wrong += [f"left behind: {job['jobName']}" for job in jobs if is_live(job)]
    n_attempts = sum(job["attempts"] for job in jobs)
    return Verdict("; ".join(wrong), len(jobs), n_attempts)


def prepare(shape: Shape, folder: Path, prefix: str) -> None:
    """Write the workflow, and upload its inputs."""
    for path, text in {"Snakefile": shape.snakefile, **shape.files}.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    for path, text in shape.inputs.items():
        boto3.client("s3").put_object(Bucket=BUCKET, Key=f"{prefix}/{path}", Body=text.encode())


def snakemake(python: Path, folder: Path, run_id: str, prefix: str) -> tuple[int, str]:
    """Run Snakemake to its end; return its exit code and what it printed."""
    process = subprocess.Popen(
        command(python, run_id, prefix),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        text, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        text, _ = process.communicate(timeout=TIMEOUT_S)
        text += f"error: did not end within {TIMEOUT_S} s"
    return process.returncode, text


def compare(shape: Shape, prefix: str) -> list[str]:
    """Return what is not as it should be."""
    client = boto3.client("s3")
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
    keys = {item["Key"] for page in pages for item in page.get("Contents", [])}
    wrong = [f"{path} is still there" for path in shape.gone if f"{prefix}/{path}" in keys]
    for path, expected in shape.makes.items():
        key = f"{prefix}/{path}"
        if key not in keys:
            wrong.append(f"{path} is missing")
            continue
        found = client.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()
        if found != expected:
            wrong.append(f"{path} holds {found!r}")
    return wrong


def is_live(job: dict[str, str]) -> bool:
    """Whether a job is not over."""
    return job["status"] not in ("SUCCEEDED", "FAILED")


def last_error(text: str) -> str:
    """Return the line that tells most."""
    lines = [line.strip() for line in text.splitlines() if "rror" in line]
    return lines[-1][:200] if lines else text[-200:]


def table(results: dict[str, dict[str, object]]) -> str:
    """Return the results in Markdown."""
    n_right = sum(not result["wrong"] for result in results.values())
    n_jobs = sum(int(str(result["n_jobs"])) for result in results.values())
    n_attempts = sum(int(str(result["n_attempts"])) for result in results.values())
    names = [name for name in SHAPES if any(key.startswith(f"{name} ") for key in results)]
    lines = [
        "# Workflows of others' shapes under aws-batch-array",
        "",
        f"benchmarks/foreign.py on the emulator: {n_right} of {len(results)} right. {n_jobs} jobs "
        f"took {n_attempts} attempts; every child is a process that runs Snakemake.",
        "",
        f"| workflow | {' | '.join(CONDITIONS)} |",
        f"|---|{'---|' * len(CONDITIONS)}",
    ]
    for name in names:
        cells = []
        for condition in CONDITIONS:
            result = results.get(f"{name} {condition}")
            cells.append(
                "not run" if result is None else str(result["wrong"]).replace("|", "/") or "right"
            )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
