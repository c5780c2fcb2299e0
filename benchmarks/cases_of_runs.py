"""Small workflows that once came out wrong, each interrupted while a job of it runs."""

import threading
import time

import boto3
from trial import Trial, found_or_lacking

CHECKPOINT = """
rule all:
    input: "d/all.txt"

checkpoint mk:
    output: directory("d/x")
    shell: "mkdir -p {output}/sub; for i in $(seq 1 5); do echo $i > {output}/sub/$i.txt; done"

def made(wildcards):
    folder = checkpoints.mk.get(**wildcards).output[0]
    return expand("d/y/{i}.txt", i=glob_wildcards(os.path.join(folder, "sub", "{i}.txt")).i)

rule y:
    input: "d/x"
    output: "d/y/{i}.txt"
    shell: "sleep 2; cp {input}/sub/{wildcards.i}.txt {output}"

rule gather:
    input: made
    output: "d/all.txt"
    shell: "cat {input} > {output}"
"""

STEPS = """
rule c:
    input: "b/{scan}-1.txt"
    output: "b/{scan}-2.txt"
    shell: "sleep 4; cat {input} > {output}"

rule a:
    output: "b/{scan}-1.txt"
    shell: "sleep {wildcards.scan}; echo {wildcards.scan} > {output}"
"""

BY_CONFIG = """
rule all:
    input: f"b/{config['scan']}.txt"

rule b:
    output: f"b/{config['scan']}.txt"
    shell: "sleep 10; echo {config[scan]} > {output}"
"""

VANISHING = """
rule all:
    input: "b/bad.txt", "b/good.txt"

rule bad:
    output: "b/bad.txt"
    retries: 2
    shell: "echo 1 > {output}"

rule good:
    output: "b/good.txt"
    shell: "sleep 20; echo 1 > {output}"
"""

ODD = [
    "plain", "with space", "co,mma", "eq=ual", "co:lon", "ünïcode", "dollar$HOME", "semi;colon",
    "star*", "quote'mid", 'dq"mid', "per%cent", "plus+amp&", "back\\slash", "br[ace]", "-dash",
    "tilde~", "a/b/c", "<|>!`",
]  # fmt: skip

WILD = f"""
rule all:
    input: expand("w/{{w}}.txt", w={ODD!r})

rule w:
    output: "w/{{w}}.txt"
    params: p=lambda wildcards: "p " + wildcards.w + " \\"q\\" 'r' $(echo no) \\n second"
    shell: "sleep 1; printf '%s' {{params.p:q}} > {{output:q}}"
"""

MANY_MEMORIES = """
rule all:
    input: expand("b/{i}.txt", i=range(30))

rule b:
    output: "b/{i}.txt"
    resources: mem_mb=lambda wildcards: 100 + int(wildcards.i)
    shell: "sleep 1; echo 1 > {output}"
"""

QUEUE_NAME = """
rule a:
    output: "b/a.txt"
    resources: queue="tomobatch-gpu"
    shell: "sleep 5; echo 1 > {output}"
"""


def checkpoint(trial: Trial) -> list[str]:
    """Look with `glob_wildcards` for what a checkpoint made: it is there."""
    wrong = interrupt_and_run(trial, CHECKPOINT, "y")
    made = sorted(trial.outputs("d").get("d/all.txt", "").split())
    return wrong + ([] if made == ["1", "2", "3", "4", "5"] else [f"found {made}"])


def sources_deleted(trial: Trial) -> list[str]:
    """Let one of two runs end: it leaves the sources of the other alone."""
    trial.write_workflow(STEPS)
    other = f"--aws-batch-array-run-id={trial.name}-other"
    slow = trial.start("b/12-2.txt", other)
    wrong = interrupt_and_run(trial, STEPS, "c", "b/0-2.txt")
    wrong += trial.finish(slow)
    expected = {f"b/{scan}-{step}.txt": f"{scan}\n" for scan in (0, 12) for step in (1, 2)}
    return wrong + found_or_lacking(trial, "b", expected)


def two_configs(trial: Trial) -> list[str]:
    """Two configurations in one folder do not touch each other."""
    trial.write_workflow(BY_CONFIG)
    first = trial.start("--config", "scan=A")
    trial.wait_for(lambda: trial.jobs("b"), "the first")
    second = trial.start("--config", "scan=B")
    trial.wait_for(lambda: len(trial.jobs("b")) == 2, "the second")
    trial.end(second)
    wrong = trial.run("--config", "scan=B") + trial.finish(first)
    jobs = trial.jobs("b")
    wrong += [] if len(jobs) <= 3 else [f"{len(jobs)} jobs"]
    return wrong + found_or_lacking(trial, "b", {"b/A.txt": "A\n", "b/B.txt": "B\n"})


def missing_output(trial: Trial) -> list[str]:
    """Delete an output: its job is retried, another one goes on."""
    over = threading.Event()

    def delete_once() -> None:
        while not over.is_set():
            if "b/bad.txt" in trial.outputs("b"):
                trial.delete("b/bad.txt")
                return
            time.sleep(0.05)

    thread = threading.Thread(target=delete_once)
    thread.start()
    try:
        wrong = interrupt_and_run(trial, VANISHING, "good", "--keep-going")
    finally:
        over.set()
        thread.join()
    if "b/bad.txt" not in trial.outputs("b"):
        # It vanished after it had been seen.
        wrong += trial.run("--keep-going")
    return wrong + found_or_lacking(trial, "b", {"b/bad.txt": "1\n", "b/good.txt": "1\n"})


def folder_work(trial: Trial) -> list[str]:
    """Any name of a folder will do where no run id is given."""
    folder = trial.folder / f"_{trial.name}"
    folder.mkdir()
    trial.folder = folder
    snakefile = 'rule a:\n    output: "b/a.txt"\n    shell: "sleep 5; echo 1 > {output}"\n'
    wrong = interrupt_and_run(trial, snakefile, "", "--aws-batch-array-run-id=")
    return wrong + found_or_lacking(trial, "b", {"b/a.txt": "1\n"})


def wild(trial: Trial) -> list[str]:
    """Odd names make the right files."""
    wrong = interrupt_and_run(trial, WILD, "w", "--aws-batch-array-size=5")
    expected = {f"w/{w}.txt": f"p {w} \"q\" 'r' $(echo no) \n second" for w in ODD}
    return wrong + found_or_lacking(trial, "w", expected)


def long_group(trial: Trial) -> list[str]:
    """Tags fit where a group has thirty rules."""
    rules = [
        f"rule a_reasonable_rule_name_{i}:\n"
        + (f'    input: "b/{i - 1}"\n' if i else "")
        + f'    output: "b/{i}"\n    group: "g"\n    shell: "sleep 0.2; echo {i} > {{output}}"\n'
        for i in range(30)
    ]
    wrong = interrupt_and_run(trial, 'rule all:\n    input: "b/29"\n' + "".join(rules), "")
    tags = [value for job in described(trial) for value in job["tags"].values()]
    wrong += [f"a tag of {len(tag)}" for tag in tags if len(tag) > 256]
    return wrong + found_or_lacking(trial, "b", {f"b/{i}": f"{i}\n" for i in range(30)})


def many_memories(trial: Trial) -> list[str]:
    """Thirty jobs with thirty values of mem_mb are one array, and after an interruption another."""
    wrong = interrupt_and_run(trial, MANY_MEMORIES, "b", "--aws-batch-array-size=10")
    arrays = {job["jobId"].partition(":")[0] for job in trial.jobs("b")}
    wrong += [] if len(arrays) <= 2 else [f"{len(arrays)} arrays"]
    return wrong + found_or_lacking(trial, "b", {f"b/{i}.txt": "1\n" for i in range(30)})


def queue_name(trial: Trial) -> list[str]:
    """Name a queue plainly: it is that one, with its job definition."""
    wrong = interrupt_and_run(trial, QUEUE_NAME, "a")
    for job in described(trial):
        wrong += [] if job["jobQueue"].endswith("/tomobatch-gpu") else [job["jobQueue"]]
        wrong += [] if "tomobatch-gpu" in job["jobDefinition"] else [job["jobDefinition"]]
    return wrong + found_or_lacking(trial, "b", {"b/a.txt": "1\n"})


def interrupt_and_run(trial: Trial, snakefile: str, rule: str, *options: str) -> list[str]:
    """Interrupt a controller when a job of a rule has begun, and start it again."""
    trial.write_workflow(snakefile)
    process = trial.start(*options)
    waits = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING")
    trial.wait_for(
        lambda: any(job["status"] not in waits for job in trial.jobs(rule)), f"a job of {rule}"
    )
    trial.end(process)
    return trial.run(*options)


def described(trial: Trial) -> list[dict[str, object]]:
    """Return its jobs as AWS Batch describes them."""
    ids = [job["jobId"] for job in trial.jobs()]
    return boto3.client("batch").describe_jobs(jobs=ids)["jobs"]


CASES_OF_RUNS = {
    "ckpt": checkpoint,
    "sources-deleted": sources_deleted,
    "two-configs": two_configs,
    "missing-output": missing_output,
    "folder-work": folder_work,
    "wild": wild,
    "long-group": long_group,
    "manymem": many_memories,
    "queue-name": queue_name,
}
