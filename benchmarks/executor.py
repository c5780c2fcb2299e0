"""The executor plugin: calls at the server, start-up of a child, cost at the controller.

Everything runs against the emulator on this machine, with S3 storage on; the released plugin
snakemake-executor-plugin-aws-batch runs the same workflow beside it, on a smaller scatter.

    python benchmarks/executor.py > benchmarks/results/executor.md
"""

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import boto3

from aws_batch_emulator import Emulator, start
from snakemake_executor_plugin_aws_batch_array.store import RunStore, S3Path

HERE = Path(__file__).parent
BUCKET = "tomobatch-data"
SCATTER = """
rule gather:
    input: expand("a/{i}.txt", i=range(int(config["items"])))
    output: "gather.txt"
    shell: "cat {input} > {output}"

rule a:
    output: "a/{i}.txt"
    shell: "echo {wildcards.i} > {output}"
"""
ARRAY = "aws-batch-array"
RELEASED = "aws-batch"


@dataclass
class Run:
    """What one run of Snakemake took."""

    n_jobs: int
    wall_s: float
    cpu_s: float
    peak_mib: int
    calls: Counter[str]
    log: str

    def per_job(self, service: str) -> float:
        """Return the calls of one service a job."""
        return sum(n for call, n in self.calls.items() if call.startswith(service)) / self.n_jobs


def main() -> None:
    """Measure and print a report in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=1000, help="jobs of the scatter")
    parser.add_argument("--released-items", type=int, default=50, help="under the released plugin")
    parser.add_argument("--large", type=int, default=5000, help="jobs for the controller's cost")
    options = parser.parse_args()

    print("# The executor plugin\n")
    print(
        f"{os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}, "
        f"Snakemake {version('snakemake')}, snakemake-storage-plugin-s3 "
        f"{version('snakemake-storage-plugin-s3')}. Made by `benchmarks/executor.py`; the emulator "
        "ran on the same machine, so times are upper bounds and counts are exact.\n"
    )
    report_calls(options.items, options.released_items)
    report_start_up()
    report_controller(options.large)


def report_calls(n_items: int, n_released: int) -> None:
    """Count calls at the server for a scatter and its gather."""
    ours = run_cheap(ARRAY, n_items)
    theirs = run_cheap(RELEASED, n_released)
    print("## Calls to AWS\n")
    print(
        f"A scatter of {n_items:,} jobs and its gather under aws-batch-array, array size 100, and "
        f"one of {n_released} under aws-batch {version('snakemake-executor-plugin-aws-batch')}, "
        "both polling every 10 s at most. The children write their outputs and do nothing else.\n"
    )
    print("| call | aws-batch-array | aws-batch |\n|---|--:|--:|")
    for call in sorted(ours.calls | theirs.calls):
        print(f"| {call} | {ours.calls[call]:,} | {theirs.calls[call]:,} |")
    print(f"| **jobs** | {ours.n_jobs:,} | {theirs.n_jobs:,} |")
    for service in ("batch", "s3"):
        mine, other = ours.per_job(service), theirs.per_job(service)
        print(f"| **{service} calls a job** | {mine:.3f} | {other:.2f} |")
    ratio = theirs.per_job("batch") / ours.per_job("batch")
    print(f"\n{ratio:,.0f} times fewer calls to AWS Batch a job.\n")


def report_start_up() -> None:
    """Time a child with one job, and the further jobs of a slice, against a bare Snakemake."""
    bare_s = min(time_bare_snakemake() for _ in range(3))
    one_s = min(time_child(1)[0] for _ in range(3))
    _, further = time_child(21)
    further_s = f"{min(further):.2f} and {statistics.median(further):.2f}"
    print("## Start-up of a child\n")
    print(
        "Seconds from the start of the child's process to its end, as Batch records them; each job "
        "is an `echo`. A bare `python -m snakemake --cores 1` runs the same job on local files.\n"
    )
    print("| | s |\n|---|--:|")
    print(f"| bare Snakemake, 1 job, best of 3 | {bare_s:.2f} |")
    print(f"| child with 1 job, best of 3 | {one_s:.2f} ({one_s / bare_s:.2f} times) |")
    print(f"| further job of a slice, best and median of {len(further)} | {further_s} |")
    print(
        "\nThe released plugin starts `pip install` and two processes of Snakemake for every "
        f"job: {2 * bare_s:.2f} s at least, without the installation.\n"
    )


def report_controller(n_items: int) -> None:
    """Measure what a large scatter costs the controller, by phase."""
    run = run_cheap(ARRAY, n_items)
    none = run_cheap(ARRAY, 1)
    print("## Cost at the controller\n")
    print(f"A scatter of {n_items:,} jobs whose children finish at once, S3 storage on.\n")
    print("| phase | wall clock, s | CPU, s | CPU a job, ms |\n|---|--:|--:|--:|")
    for phase, (wall_s, cpu_s) in phases(run.log).items():
        print(f"| {phase} | {wall_s:.1f} | {cpu_s:.1f} | {1000 * cpu_s / n_items:.2f} |")
    above_one = 1000 * (run.cpu_s - none.cpu_s) / n_items
    print(f"| all, above a scatter of 1 | {run.wall_s:.1f} | {run.cpu_s:.1f} | {above_one:.2f} |")
    print("\n| | |\n|---|--:|")
    print(f"| peak memory | {run.peak_mib} MiB |")
    print(f"| S3 requests a job | {run.per_job('s3'):.2f} |")
    print(f"| Batch calls a job | {run.per_job('batch'):.4f} |\n")
    print("| S3 request | a job | made by |\n|---|--:|---|")
    who = "Snakemake while it builds the DAG: whether a missing output exists"
    for call in ("s3:HeadObject", "s3:HeadBucket", "s3:ListObjects"):
        print(f"| {call} | {run.calls[call] / run.n_jobs:.2f} | {who} |")
    rest = ("s3:ListObjectsV2", "s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    n_rest = sum(run.calls[call] for call in rest)
    print(f"| others | {n_rest / run.n_jobs:.3f} | this plugin, and the sources |\n")


def phases(log: str) -> dict[str, tuple[float, float]]:
    """Return wall and CPU seconds between the stamps that `run` put before each line of the log."""
    marks = {
        "imports and Snakefile": "Building DAG of jobs",
        "Snakemake: DAG": "Uploading source archive",
        "Snakemake: choice of jobs": r"Execute \d{2,} jobs",
        "this plugin: submission": "Submitted",
        "waiting for children": "Finished jobid",
        "Snakemake: finishing jobs": "Execute 1 jobs",
    }
    seconds, previous = {}, (0.0, 0.0)
    for phase, mark in marks.items():
        found = re.search(rf"^(\d+\.\d+) (\d+\.\d+) .*{mark}", log, re.MULTILINE)
        stamp = float(found[1]), float(found[2])
        seconds[phase] = stamp[0] - previous[0], stamp[1] - previous[1]
        previous = stamp
    return seconds


def run_cheap(executor: str, n_items: int) -> Run:
    """Run scatter and gather with children that only write their outputs."""
    with (
        start(bucket=BUCKET, children="executor_children:write_outputs", slots=8) as emulator,
        tempfile.TemporaryDirectory(prefix="executor-") as folder,
    ):
        return run(emulator, Path(folder), executor, n_items, ["--aws-batch-array-size=100"])


def run(emulator: Emulator, folder: Path, executor: str, n_items: int, options: list[str]) -> Run:
    """Run the workflow and count calls from then on."""
    (folder / "Snakefile").write_text(SCATTER)
    command = [
        *(sys.executable, "-m", "snakemake", f"--executor={executor}"),
        *("--default-storage-provider=s3", f"--default-storage-prefix=s3://{BUCKET}/x"),
        *(f"--storage-s3-region={emulator.region}", "--jobs=20000", "--scheduler=greedy"),
        *("--max-jobs-per-timespan=100000/1s", "--seconds-between-status-checks=10"),
        *(f"--config=items={n_items}".split("=", 1)),
        *plugin_options(emulator, executor),
        *(options if executor == ARRAY else []),
    ]
    emulator.reset_calls()
    since_s = time.perf_counter()
    with subprocess.Popen(
        command,
        cwd=folder,
        # The other plugin registers a definition for each job: users of ours may not.
        env={**os.environ, **emulator.administrator},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = [
            f"{time.perf_counter() - since_s:.2f} {cpu_seconds(process.pid):.2f} {line}"
            for line in process.stdout
        ]
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit("".join(lines[-60:]))
    return Run(
        n_jobs=n_items + 1,
        wall_s=time.perf_counter() - since_s,
        cpu_s=usage.ru_utime + usage.ru_stime,
        peak_mib=usage.ru_maxrss // 1024,
        calls=Counter(emulator.calls()),
        log="".join(lines),
    )


def cpu_seconds(pid: int) -> float:
    """Return the CPU time a process has used so far; 0 once it has ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def plugin_options(emulator: Emulator, executor: str) -> list[str]:
    """Return what each plugin needs to find its queue."""
    if executor == ARRAY:
        return ["--aws-batch-array-stack=tomobatch"]
    os.environ.update(emulator.administrator)
    stacks = boto3.client("cloudformation").describe_stacks()["Stacks"]
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for stack in stacks
        for output in stack.get("Outputs", [])
    }
    return [
        f"--aws-batch-region={emulator.region}",
        f"--aws-batch-job-queue={outputs['CpuJobQueue']}",
        f"--aws-batch-job-role={outputs['JobRole']}",
    ]


def time_bare_snakemake() -> float:
    """Return the seconds of a bare Snakemake with one job on local files."""
    with tempfile.TemporaryDirectory(prefix="executor-") as folder:
        (Path(folder) / "Snakefile").write_text(SCATTER)
        command = [sys.executable, "-m", "snakemake", "--cores=1", "a/0.txt", "--config", "items=1"]
        since_s = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return time.perf_counter() - since_s


def time_child(n_items: int) -> tuple[float, list[float]]:
    """Return the seconds of a child that really runs, and of each further job of its slice."""
    with (
        start(bucket=BUCKET) as emulator,
        tempfile.TemporaryDirectory(prefix="executor-") as folder,
    ):
        options = ["--aws-batch-array-size=1", "--aws-batch-array-run-id=benchmark"]
        run(emulator, Path(folder), ARRAY, n_items, options)
        os.environ.update(emulator.administrator)
        (job_id,) = [job["jobId"] for job in emulator.jobs() if "-a-" in job["jobName"]]
        (job,) = boto3.client("batch").describe_jobs(jobs=[job_id])["jobs"]
        lists = S3Path(BUCKET, "x/.aws-batch-array/benchmark")
        outcomes = RunStore(boto3.client("s3"), lists).get_outcomes(job["jobName"], 0)
        starts_ms = sorted(outcome.started_ms for outcome in outcomes.by_command.values())
        further = [(later - start_ms) / 1000 for start_ms, later in pairwise(starts_ms)]
        return (job["stoppedAt"] - job["startedAt"]) / 1000, further


if __name__ == "__main__":
    os.chdir(HERE)
    main()
