"""Controllers that die or are told to stop."""

import pytest

SLOW = """
rule all:
    input: "all.txt"

rule scatter:
    output: "a/{i}.txt"
    shell: "HOLD; echo {wildcards.i} $RANDOM > {output}"

rule gather:
    input: expand("a/{i}.txt", i=range(4))
    output: "all.txt"
    shell: "GATE; cat {input} > {output}"
"""


@pytest.mark.parametrize("options", [["--rerun-incomplete"], ["--ignore-incomplete"]])
def test_the_same_command_after_a_kill_runs_nothing_twice(
    emulator, new_workflow, own_jobs, wait_until, options, gate, kill
):
    workflow = new_workflow(SLOW.replace("HOLD", "sleep 1").replace("GATE", gate.wait))
    options = ["--aws-batch-array-size=2", *options]

    # Of the two commands of a child, one has ended.
    first = workflow.start(*options)
    wait_until(lambda: len(workflow.names("a/")) >= 1, "first outputs of the scatter")
    kill(first)
    # Nobody watches while the scatter ends.
    wait_until(lambda: not emulator.live_jobs(), "the end of the scatter")
    second = workflow.start(*options)
    wait_until(lambda: any(job["status"] == "RUNNING" for job in own_jobs("gather")), "gather")
    kill(second)
    before = {name: workflow.read(name) for name in workflow.names("a/")}
    gate.open()
    workflow.run(*options)

    assert {name: workflow.read(name) for name in workflow.names("a/")} == before
    assert len(workflow.read("all.txt").splitlines()) == 4
    assert len(own_jobs("scatter")) == 2
    assert len(own_jobs("gather")) == 1
    assert {job["attempts"] for job in own_jobs()} == {1}


def test_changed_sources_are_not_taken_for_the_old_ones(
    emulator, new_workflow, own_jobs, wait_until, gate, kill
):
    workflow = new_workflow(SLOW.replace("HOLD", gate.wait).replace("GATE", "true"))
    first = workflow.start()
    wait_until(lambda: any(job["status"] == "RUNNING" for job in own_jobs("scatter")), "scatter")
    kill(first)
    snakefile = workflow.folder / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace(f"{gate.wait}; echo", "echo new"))

    workflow.run()

    assert all(line.startswith("new") for line in workflow.read("all.txt").splitlines())
    assert {job["status"] for job in own_jobs("scatter")} == {"FAILED", "SUCCEEDED"}


def test_ctrl_c_ends_every_array(emulator, new_workflow, own_jobs, wait_until, gate, ctrl_c):
    workflow = new_workflow(SLOW.replace("HOLD", gate.wait))
    process = workflow.start()
    wait_until(lambda: any(job["status"] == "RUNNING" for job in own_jobs("scatter")), "scatter")

    ctrl_c(process)

    wait_until(lambda: emulator.live_jobs() == [], "end of all jobs")
    assert process.returncode != 0
    assert emulator.calls()["batch:TerminateJob"] == 1


AT_A_CALL = """
import os, signal
from botocore.httpsession import URLLib3Session

WHERE, _, MOMENT = os.environ.get("INTERRUPTED_AT", "").partition(" ")
send, left = URLLib3Session.send, 1 if WHERE else 0

def interrupted(session, request):
    global left
    is_now = left and WHERE in f"{request.method} {request.url}"
    left -= bool(is_now)
    if is_now and MOMENT == "before":
        os.kill(os.getpid(), signal.SIGINT)
    reply = send(session, request)
    if is_now and MOMENT == "after":
        os.kill(os.getpid(), signal.SIGINT)
    return reply

URLLib3Session.send = interrupted
"""


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize(
    "moment",
    [
        *("HEAD after", "POST before", "POST after", "/sources/ before", "/sources/ after"),
        *("/lists/ before", "/lists/ after", "submitjob before", "submitjob after"),
        "describejobs after",
    ],
)
def test_ctrl_c_at_a_call_leaves_nothing_behind(
    emulator, new_workflow, own_jobs, gate, wait_until, monkeypatch, moment
):
    """Before it is sent, or when it has arrived. No command comes to its end: the gate stays shut.

    At every line and every call, on an AWS that is replaced: tests/unit/control/test_ctrl_c.py.
    """
    monkeypatch.setenv("INTERRUPTED_AT", moment)
    workflow = new_workflow(AT_A_CALL + SLOW.replace("HOLD", gate.wait))
    text = workflow.run(succeeds=False)

    assert "may still run" not in text
    wait_until(lambda: not emulator.live_jobs(), "the end of all jobs")
    assert [job for job in own_jobs() if job["status"] == "SUCCEEDED"] == []
