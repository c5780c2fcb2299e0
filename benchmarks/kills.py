"""kill -9 of the controller at random moments, while inputs change: what comes out, and what ran.

    python benchmarks/kills.py [--kills 50] [--seed 1]

A workflow with a checkpoint, a group, temporary files and inputs on S3 is started, killed, started
again with the same command, up to three times, and then left to finish. A kill comes at any moment
of the time that a whole run takes, its start-up included. In half of the trials an input is
replaced meanwhile. Every command notes what it made of what, on this machine. Each trial is kept in
benchmarks/results/kills.json as soon as it is there; what is there is not run again.
"""

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import boto3
from controller import BUCKET, account, command

from aws_batch_emulator import Emulator

RESULTS = Path(__file__).parent / "results"
N = 3

SNAKEFILE = """
NOTES = config["notes"]

rule all:
    input: "all.txt", "chosen.txt"

rule first:
    input: "in/{i}.txt"
    output: temp("first/{i}.txt")
    shell: "sleep 1; cat {input} > {output}; echo first {wildcards.i} $(cat {input}) >> {NOTES}"

rule left:
    input: "first/{i}.txt", "in/{i}.txt"
    output: temp("left/{i}.txt")
    group: "pair"
    shell: "cp {input[0]} {output}; echo left {wildcards.i} $(cat {input[0]}) >> {NOTES}"

rule right:
    # What is temporary and gone tells Snakemake nothing of inputs that changed before it.
    input: "left/{i}.txt", "in/{i}.txt"
    output: "right/{i}.txt"
    group: "pair"
    shell: "cp {input[0]} {output}; echo right {wildcards.i} $(cat {input[0]}) >> {NOTES}"

checkpoint choose:
    input: expand("right/{i}.txt", i=range(N))
    output: directory("choice")
    shell:
        "mkdir -p {output}; for f in {input}; do cp $f {output}/; done; "
        "echo choose - $(cat {input}) >> {NOTES}"

def chosen(wildcards):
    folder = checkpoints.choose.get().output[0]
    return expand("part/{x}.txt", x=sorted(glob_wildcards(folder + "/{x}.txt").x))

rule part:
    input: "choice"
    output: "part/{x}.txt"
    shell:
        "cp {input}/{wildcards.x}.txt {output}; "
        "echo part {wildcards.x} $(cat {output}) >> {NOTES}"

rule gather_parts:
    input: chosen
    output: "chosen.txt"
    shell: "cat {input} > {output}; echo gather_parts - $(cat {input}) >> {NOTES}"

rule gather:
    input: expand("right/{i}.txt", i=range(N))
    output: "all.txt"
    shell: "cat {input} > {output}; echo gather - $(cat {input}) >> {NOTES}"
""".replace("range(N)", f"range({N})")


@dataclass(frozen=True)
class Trial:
    """What became of one trial; `wrong` is empty if all is right."""

    kills_s: list[float]
    changed: bool
    n_commands: int
    wrong: str


def main() -> None:
    """Run what is left to do, and write the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    kept = RESULTS / "kills.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    with account() as (emulator, python):
        whole_run_s = time_of_a_run(emulator, python)
        for number in itertools.count():
            key = f"{options.seed}-{number}"
            if key not in results:
                dice = random.Random(key)  # noqa: S311
                trial = run_trial(emulator, dice, f"k{key}", python, whole_run_s)
                results[key] = asdict(trial)
                kept.write_text(json.dumps(results, indent=1) + "\n")
                print(key, trial, flush=True)
            if sum(len(each["kills_s"]) for each in results.values()) >= options.kills:
                break
    (RESULTS / "kills.md").write_text(summary(results))


def time_of_a_run(emulator: Emulator, python: Path) -> float:
    """Return the seconds that a run takes which nobody kills, here and now."""
    begun_s = time.monotonic()
    run_trial(emulator, random.Random(0), f"whole{os.getpid()}", python, 0.0)  # noqa: S311
    return time.monotonic() - begun_s


def run_trial(
    emulator: Emulator, dice: random.Random, name: str, python: Path, whole_run_s: float
) -> Trial:
    """Kill the controller at random moments, let it finish at last, and judge what came out."""
    changes = dice.random() < 0.5
    kills_s = []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "Snakefile").write_text(SNAKEFILE)
        texts = [f"{name}-{i}-old" for i in range(N)]
        upload(name, dict(enumerate(texts)))
        for kill in range(dice.randint(1, 3) if whole_run_s else 0):
            after_s = round(dice.uniform(0, whole_run_s), 2)
            if kill_after(launch(python, work, name), after_s):
                kills_s.append(after_s)
            if changes and kill == 0:
                changed = dice.randrange(N)
                texts[changed] = f"{name}-{changed}-new"
                time.sleep(1.1)
                upload(name, {changed: texts[changed]})
        process = launch(python, work, name)
        text, _ = process.communicate(timeout=400)
        notes = (work / "notes.txt").read_text().splitlines()
        wrong = judge(name, texts, notes, changed=changes)
        wrong += [f"left behind: {job['jobName']}" for job in emulator.live_jobs()]
        emulator.wait_until_idle(100)
    if process.returncode != 0:
        wrong.insert(0, f"exit code {process.returncode}: {text[-300:]}")
    return Trial(kills_s, changes, len(notes), "; ".join(wrong))


def kill_after(process: subprocess.Popen[str], after_s: float) -> bool:
    """Kill a controller after a while; return whether it had not ended by then."""
    try:
        process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    return False


def upload(name: str, texts: dict[int, str]) -> None:
    """Write inputs."""
    for i, text in texts.items():
        key = f"{name}/in/{i}.txt"
        boto3.client("s3").put_object(Bucket=BUCKET, Key=key, Body=f"{text}\n".encode())


def launch(python: Path, work: Path, name: str) -> subprocess.Popen[str]:
    """Start the controller."""
    return subprocess.Popen(
        command(python, name, name, "--config", f"notes={work / 'notes.txt'}"),
        cwd=work,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def judge(name: str, texts: list[str], notes: list[str], *, changed: bool) -> list[str]:
    """Return what is wrong: an output of other inputs, or a command that ran twice on the same.

    Where an input changed, the checkpoint runs once more, and all that read its directory with it.
    """
    client = boto3.client("s3")
    expected = "".join(f"{text}\n" for text in texts)
    wrong = []
    for path in ("all.txt", "chosen.txt"):
        try:
            found = client.get_object(Bucket=BUCKET, Key=f"{name}/{path}")["Body"].read().decode()
        except client.exceptions.NoSuchKey:
            found = "nothing"
        if found != expected:
            wrong.append(f"{path} holds {found!r}")
    twice = [
        note
        for note, count in Counter(notes).items()
        if count > (2 if changed and note.startswith("part ") else 1)
    ]
    return [*wrong, *(f"ran twice: {note}" for note in twice)]


def summary(results: dict[str, dict[str, object]]) -> str:
    """Return the results in Markdown."""
    right = sum(not result["wrong"] for result in results.values())
    n_kills = sum(len(list(result["kills_s"])) for result in results.values())
    lines = [
        "# kill -9 at random moments",
        "",
        f"benchmarks/kills.py: {len(results)} trials, {n_kills} kills, {right} trials right: right "
        "outputs, no command that ran twice on the same inputs, nothing left behind. Where an "
        "input changed, the checkpoint and what reads its directory run once more.",
        "",
        "| trial | killed after, s | an input changed | commands | wrong |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {key} | {result['kills_s']} | {result['changed']} | {result['n_commands']} | "
        f"{result['wrong']} |"
        for key, result in results.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
