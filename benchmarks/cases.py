"""Small workflows that once came out wrong when they were interrupted, and what must come out.

Each case interrupts a controller, changes something, and gives the command again; it returns what
is wrong.
"""

import json
import time

from passing_queue import PassingQueue
from trial import Trial, found_or_lacking

SCATTER = """
rule all:
    input: expand("b/{i}.txt", i=range(3))

rule b:
    output: "b/{i}.txt"
    shell: "test {wildcards.i} -eq 2 && sleep 20; date +%s.%N > {output}"
"""
WITH_INPUTS = SCATTER.replace("    output:", '    input: "in/{i}.txt"\n    output:').replace(
    "date +%s.%N", "cat {input}"
)
ALL_THREE = {f"b/{i}.txt" for i in range(3)}


def nothing_changed(trial: Trial) -> list[str]:
    """Give the same command: what is right is not made again."""
    before = interrupt_scatter(trial)
    wrong = trial.run()
    after = trial.outputs("b")
    return [*wrong, *lacking(after), *(f"{n} is new" for n in before if after.get(n) != before[n])]


def stale_input(trial: Trial) -> list[str]:
    """Upload inputs anew: all is made of them."""
    trial.write({f"in/{i}.txt": f"old {i}" for i in range(3)})
    interrupt_scatter(trial, snakefile=WITH_INPUTS)
    time.sleep(1.1)  # S3's times are whole seconds.
    trial.write({f"in/{i}.txt": f"new {i}" for i in range(3)})
    wrong = trial.run()
    return wrong + found_or_lacking(trial, "b", {f"b/{i}.txt": f"new {i}" for i in range(3)})


def force_after_interrupt(trial: Trial) -> list[str]:
    """Force: everything runs."""
    before = interrupt_scatter(trial)
    wrong = trial.run("--forceall")
    return wrong + not_anew(before, trial.outputs("b"))


def delete_after_interrupt(trial: Trial) -> list[str]:
    """Delete outputs: they are made anew."""
    before = interrupt_scatter(trial)
    trial.wait_until_idle()
    wrong = trial.run("--delete-all-output")
    wrong += [f"{name} was not deleted" for name in trial.outputs("b")]
    wrong += trial.run()
    return wrong + not_anew(before, trial.outputs("b"))


def queue_gone(trial: Trial) -> list[str]:
    """Delete the queue: another one takes over, with one warning at most."""
    queue = PassingQueue(trial.emulator, f"gone-{trial.name}")
    interrupt_scatter(trial, f"--aws-batch-array-queues=cpu={queue.name}")
    queue.end_jobs([job["jobId"] for job in trial.jobs()])
    trial.wait_until_idle()
    queue.delete()
    wrong = trial.run()
    n_warnings = trial.said[-1].count("there is no job of it in queue")
    wrong += [] if n_warnings <= 1 else [f"{n_warnings} warnings"]
    return wrong + lacking(trial.outputs("b"))


def old_list(trial: Trial) -> list[str]:
    """Leave a list of a version that nobody reads: it is one warning."""
    interrupt_scatter(trial)
    root = f".aws-batch-array/{trial.name}"
    trial.write({f"{root}/lists/old.json": json.dumps({"version": 0, "name": "old"})})
    wrong = trial.run()
    n_warnings = trial.said[-1].count("old is left alone: the list of commands has schema version")
    wrong += [] if n_warnings == 1 else [f"{n_warnings} warnings"]
    return wrong + lacking(trial.outputs("b"))


def interrupt_scatter(trial: Trial, *options: str, snakefile: str = SCATTER) -> dict[str, str]:
    """Interrupt where two children are done and the third runs; return what is there by then."""
    trial.write_workflow(snakefile)
    process = trial.start(*options)
    trial.wait_for(
        lambda: [job["status"] for job in trial.jobs("b")].count("SUCCEEDED") == 2,
        "two of three children",
    )
    trial.end(process)
    return trial.outputs("b")


def lacking(found: dict[str, str]) -> list[str]:
    """Return what is not there."""
    return [f"{name} is missing" for name in sorted(ALL_THREE - found.keys())]


def not_anew(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Return what is missing, or as it was."""
    return [*lacking(after), *(f"{n} is old" for n in before if after.get(n) == before[n])]


CASES = {
    "nothing-changed": nothing_changed,
    "stale-input": stale_input,
    "force-after-interrupt": force_after_interrupt,
    "delete-after-interrupt": delete_after_interrupt,
    "queue-gone": queue_gone,
    "old-list": old_list,
}
