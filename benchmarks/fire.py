"""A large scatter under everything at once: ``python benchmarks/fire.py [--children 10000]``.

A child a job, with real work in real processes: reclaims of a fifth, calls to Batch and S3 that are
throttled, lost replies, jobs that Batch does not know for a while, and a controller that is killed
three times. Every command notes that it ran, on this machine. What came out is told as JSON, a file
for each number of children in benchmarks/results/.
"""

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from controller import account
from trial import Trial, is_live, kill

from aws_batch_emulator import Emulator, Fault

RESULTS = Path(__file__).parent / "results"
SEED, KILLS = 14, 3
WORK_S = 0.5
SNAKEFILE = """
rule all:
    input: expand("out/{i}.txt", i=range(int(config["items"])))

rule part:
    output: "out/{i}.txt"
    shell: "sleep 0.5; echo {wildcards.i} > {output}; echo {wildcards.i} >> {config[notes]}"
"""


def faults(n_children: int) -> list[Fault]:
    """Return what goes wrong, a fifth of the children reclaimed amid their work."""
    return [
        Fault("reclaim", match="*", count=max(1, n_children // 5), after_s=WORK_S),
        Fault("throttle", match="batch:*", count=None, rate=0.2),
        Fault("throttle", match="s3:*", count=None, rate=0.05),
        Fault("lost-reply", match="batch:SubmitJob", count=1 + KILLS),
        Fault("forget", count=20),
    ]


def main() -> None:
    """Run it, and write down what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--children", type=int, default=10_000)
    n = parser.parse_args().children
    with account(slots=4) as (emulator, python), tempfile.TemporaryDirectory() as folder:
        trial = Trial(emulator, f"fire{n}", Path(folder), python, kill)
        trial.write_workflow(SNAKEFILE)
        notes = Path(folder) / "notes.txt"
        notes.touch()
        for fault in faults(n):
            emulator.inject(fault)
        options = [f"--jobs={n}", "--retries=3", "--aws-batch-array-attempts=10"]
        options += ["--scheduler=firstfit", "--config", f"items={n}", f"notes={notes}"]
        begun_s = time.monotonic()
        killed_at = kill_three_times(trial, notes, n, options)
        found = finish(trial, options)
        found["minutes"] = round((time.monotonic() - begun_s) / 60, 1)
        found |= {"children": n, "killed_after_commands": killed_at, **judge(trial, notes, n)}
        struck(emulator, found)
    text = json.dumps(found, indent=1) + "\n"
    (RESULTS / f"fire-{n}.json").write_text(text, encoding="utf-8")
    print(text)


def kill_three_times(trial: Trial, notes: Path, n: int, options: list[str]) -> list[int]:
    """Kill controllers when so many commands are done, and return how many were."""
    dice = random.Random(SEED)  # noqa: S311 - no secrets
    moments = sorted(dice.randrange(n // 10, 9 * n // 10) for _ in range(KILLS))
    done = []
    for moment in moments:
        controller = trial.start(*options)
        while controller.poll() is None and count(notes) < moment:
            time.sleep(0.2)
        kill(controller)
        done.append(count(notes))
    return done


def finish(trial: Trial, options: list[str]) -> dict[str, object]:
    """Let the last controller come to its end."""
    controller = trial.start(*options)
    text, _ = controller.communicate()
    return {
        "exit_code": controller.returncode,
        "errors": [line for line in text.splitlines() if "rror" in line][-3:],
    }


def judge(trial: Trial, notes: Path, n: int) -> dict[str, object]:
    """Return what was lost, what ran twice and for what, and what was left behind."""
    jobs = [job for job in trial.jobs() if "-part-" in job["jobName"]]
    ran = Counter(notes.read_text().split())
    outputs = trial.outputs("out")
    wrong = [name for i in range(n) if outputs.get(name := f"out/{i}.txt", "").strip() != f"{i}"]
    return {
        "outputs_wrong_or_missing": len(wrong),
        "commands_that_ended_twice": sum(times - 1 for times in ran.values()),
        "attempts": sum(int(job["attempts"]) for job in jobs),
        "jobs_submitted": len(jobs),
        "left_behind": sum(map(is_live, trial.jobs())),
    }


def struck(emulator: Emulator, found: dict[str, object]) -> None:
    """Add how many calls there were of each kind that matters."""
    calls = emulator.calls()
    for service in ("batch", "s3"):
        found[f"{service}_calls"] = sum(
            number for call, number in calls.items() if call.startswith(f"{service}:")
        )


def count(notes: Path) -> int:
    """Return how many commands have ended."""
    return notes.read_bytes().count(b"\n")


if __name__ == "__main__":
    main()
