"""What goes wrong at AWS: the run ends well, nothing runs twice that was done."""

import pytest

from aws_batch_emulator import Fault, start

BUCKET = "tomobatch-data"

SCATTER = """
rule all:
    input: "all.txt"

rule scatter:
    output: "a/{i}.txt"
    shell: "echo {wildcards.i} >> {output}; sleep 1"

rule gather:
    input: expand("a/{i}.txt", i=range(4))
    output: "all.txt"
    shell: "cat {input} > {output}"
"""


ENDLESS = """
rule a:
    output: "a.txt"
    resources: runtime=1
    shell: "sleep 600; touch {output}"
"""


@pytest.fixture
def workflow(new_workflow):
    return new_workflow(SCATTER)


def statuses(jobs):
    return sorted((job["status"], job["attempts"]) for job in jobs)


def test_a_reclaimed_child_goes_on_where_it_was(
    emulator, new_workflow, own_jobs, wait_until, gate, tmp_path
):
    """The reclaim strikes while a child has done its first command and the second is held up."""
    begun = tmp_path / "begun"
    begun.mkdir()
    held = f"touch {begun}/{{wildcards.i}}; test $(ls {begun} | wc -l) -le 1 || ({gate.wait})"
    workflow = new_workflow(SCATTER.replace("sleep 1", "true").replace("echo", f"{held}; echo"))
    process = workflow.start("--aws-batch-array-size=1")
    wait_until(lambda: len(list(begun.iterdir())) == 2, "the second command")
    emulator.inject(Fault("reclaim", match="*-scatter-*"))
    wait_until(lambda: emulator.faults()[0]["struck"], "the reclaim")
    gate.open()
    workflow.finish(process)

    assert workflow.read("all.txt") == "0\n1\n2\n3\n"
    assert statuses(own_jobs("scatter")) == [("SUCCEEDED", 2)]
    assert len(own_jobs("gather")) == 1


def test_calls_that_fail_are_repeated_and_nothing_is_submitted_twice(emulator, workflow, own_jobs):
    emulator.inject(Fault("lost-reply", match="batch:SubmitJob", count=1))
    emulator.inject(Fault("throttle", match="batch:*", count=None, rate=0.3))
    emulator.inject(Fault("throttle", match="s3:*", count=None, rate=0.1))

    workflow.run()

    assert workflow.read("all.txt") == "0\n1\n2\n3\n"
    assert statuses(own_jobs()) == [("SUCCEEDED", 1)] * 5


def test_a_kill_for_memory_is_told_and_retried_with_more(emulator, new_workflow, own_jobs):
    workflow = new_workflow(
        """
rule hungry:
    output: "a.txt"
    retries: 1
    resources: mem_mb=lambda wildcards, attempt: 100 * attempt
    shell: "test {resources.mem_mb} -ge 200 || sleep 600; echo {resources.mem_mb} > {output}"
"""
    )
    emulator.inject(Fault("out-of-memory", match="*-hungry-*", after_s=1))

    text = workflow.run()

    assert "was killed for want of memory (exit code 137" in text
    assert workflow.read("a.txt") == "200\n"
    assert statuses(own_jobs()) == [("FAILED", 1), ("SUCCEEDED", 1)]


def test_a_job_batch_forgets_for_good_is_an_error_and_leaves_nothing_behind(
    emulator, new_workflow, own_jobs
):
    workflow = new_workflow(ENDLESS)
    emulator.inject(Fault("forget", match="*-a-*", count=None))

    text = workflow.run(succeeds=False)

    assert "AWS Batch knows no job" in text
    emulator.wait_until_idle(120)


def test_a_child_that_hangs_runs_into_its_time_limit(new_workflow, monkeypatch):
    with start(bucket=BUCKET, stack="tomobatch", grace_s=2, timeout_scale=0.1) as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        emulator.inject(Fault("hang", match="*-a-*", after_s=1))

        text = new_workflow(ENDLESS).run(succeeds=False)

        assert "ran into its time limit" in text
        assert emulator.live_jobs() == []
        assert [job["attempts"] for job in emulator.jobs()] == [1]


def test_a_job_batch_forgets_for_a_moment_is_no_error(emulator, workflow, own_jobs):
    emulator.inject(Fault("forget", match="*-scatter-*", count=2))

    workflow.run()

    assert statuses(own_jobs()) == [("SUCCEEDED", 1)] * 5
