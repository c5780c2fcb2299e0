"""Workflows whose jobs are run by pilots: one array for all steps."""

import pytest

from aws_batch_emulator import Fault

STEPS = """
rule all:
    input: "all.txt"

rule scatter:
    output: "a/{i}.txt"
    shell: "HOLD; echo {wildcards.i} $RANDOM$RANDOM > {output}"

rule again:
    input: "a/{i}.txt"
    output: "b/{i}.txt"
    resources: mem_mb=150
    shell: "cat {input} > {output}"

rule gather:
    input: expand("b/{i}.txt", i=range(5))
    output: "all.txt"
    resources: mem_mb=1000
    shell: "cat {input} > {output}"
"""


@pytest.fixture
def arrays(own_jobs):
    """Return the names of the submissions of this test's run, but for their digests."""
    return lambda: sorted({job["jobName"].split("-")[1] for job in own_jobs()})


def first_words(text):
    return [line.split()[0] for line in text.splitlines()]


@pytest.fixture
def held(gate, tmp_path):
    """Commands of which the first of all goes on, and the others wait for the gate."""
    begun = tmp_path / "begun"
    begun.mkdir()
    first = f"mkdir {tmp_path}/first 2> /dev/null"
    note = f"echo >> {begun}/{{wildcards.i}}; {first} || ({gate.wait})"
    begun_by = lambda: {path.name: len(path.read_text()) for path in begun.iterdir()}  # noqa: E731
    return note, begun_by


def test_one_array_runs_all_steps_but_one_that_needs_far_more(
    emulator, new_workflow, own_jobs, arrays
):
    workflow = new_workflow(STEPS.replace("HOLD", "true"))

    text = workflow.run("--aws-batch-array-pilots=3")

    assert first_words(workflow.read("all.txt")) == list("01234")
    assert "for 3 pilots" in text
    assert arrays() == ["gather", "pilots"]
    assert emulator.calls()["batch:SubmitJob"] == 2
    assert emulator.live_jobs() == []


def test_a_reclaimed_pilot_costs_nothing_but_what_it_was_at(
    emulator, new_workflow, wait_until, gate, held
):
    note, begun = held
    workflow = new_workflow(STEPS.replace("HOLD", note))
    process = workflow.start("--aws-batch-array-pilots=2")
    wait_until(lambda: len(begun()) == 3, "a command that is done, and two under way")
    emulator.inject(Fault("reclaim", match="*-pilots-*"))
    wait_until(lambda: emulator.faults()[0]["struck"], "the reclaim")
    gate.open()
    workflow.finish(process)

    assert first_words(workflow.read("all.txt")) == list("01234")
    # The one that was reclaimed may have begun no second time yet, when its pilot's was stopped.
    assert sorted(begun().values()) == [1, 1, 1, 1, 2]


def test_the_next_controller_goes_on_with_the_pilots(
    emulator, new_workflow, own_jobs, wait_until, gate, held, kill, arrays
):
    note, begun = held
    workflow = new_workflow(STEPS.replace("HOLD", note))
    first = workflow.start("--aws-batch-array-pilots=2")
    wait_until(lambda: len(begun()) == 3, "a command that is done, and two under way")
    kill(first)
    second = workflow.start("--aws-batch-array-pilots=2")
    wait_until(lambda: emulator.calls()["batch:DescribeJobs"] > 3, "the second to look")
    gate.open()
    workflow.finish(second)

    assert first_words(workflow.read("all.txt")) == list("01234")
    assert set(begun().values()) == {1}
    assert arrays() == ["gather", "pilots"]
    assert len({job["jobName"] for job in own_jobs("pilots")}) == 1


def test_ctrl_c_ends_the_pilots(emulator, new_workflow, wait_until, held, ctrl_c):
    note, begun = held
    workflow = new_workflow(STEPS.replace("HOLD", note))
    process = workflow.start("--aws-batch-array-pilots=2")
    wait_until(lambda: len(begun()) == 3, "a command that is done, and two under way")

    ctrl_c(process)

    wait_until(lambda: emulator.live_jobs() == [], "end of all jobs")
    assert emulator.calls()["batch:TerminateJob"] == 1
    assert len(begun()) == 3


FAILING = """
rule all:
    input: "a.txt", "b.txt"

rule a:
    output: "a.txt"
    retries: 1
    resources: mem_mb=lambda wildcards, attempt: 60 * attempt
    shell: "echo it has {resources.mem_mb}; test {resources.mem_mb} -ge 120; touch {output}"

rule b:
    output: "b.txt"
    shell: "touch {output}"
"""


@pytest.mark.usefixtures("busy")
def test_a_command_that_fails_is_told_with_its_log_and_tried_again(
    emulator, new_workflow, own_jobs, arrays
):
    workflow = new_workflow(FAILING)

    text = workflow.run("--aws-batch-array-pilots=2")

    assert "ended with an error (exit code 1, 1 attempt)" in text
    assert "it has 60" in text
    assert sorted(workflow.names()) == ["a.txt", "b.txt"]
    # The next attempt asks for more than pilots have.
    assert arrays() == ["a", "pilots"]
    assert [job["attempts"] for job in own_jobs("a")] == [1]
