"""Whole workflows whose commands really run."""

KITCHEN_SINK = """
N = range(4)

rule all:
    input: "all.txt", "made.txt", "again.txt", "sorted.txt"

rule scatter:
    output: "a/{i}.txt"
    shell: "echo {wildcards.i} > {output}"

rule passing:
    input: "a/{i}.txt"
    output: temp("t/{i}.txt")
    shell: "cp {input} {output}"

rule first:
    input: "t/{i}.txt"
    output: "g1/{i}.txt"
    group: "pair"
    shell: "cp {input} {output}"

rule second:
    input: "g1/{i}.txt"
    output: "g2/{i}.txt"
    group: "pair"
    shell: "cp {input} {output}"

rule gather:
    input: expand("g2/{i}.txt", i=N)
    output: "all.txt"
    shell: "cat {input} > {output}"

checkpoint make:
    output: directory("made")
    shell: "mkdir -p {output}/x; for i in 1 2 3; do echo $i > {output}/x/$i.txt; done"

def made(wildcards):
    checkpoints.make.get()
    return expand("m/{i}.txt", i=[1, 2, 3])

rule use:
    input: "made"
    output: "m/{i}.txt"
    shell: "cp {input}/x/{wildcards.i}.txt {output}"

rule gather_made:
    input: made
    output: "made.txt"
    shell: "cat {input} > {output}"

rule again:
    output: "again.txt"
    retries: 2
    resources: mem_mb=lambda wildcards, attempt: 100 * attempt
    shell: "echo {resources.mem_mb} > {output}; test {resources.mem_mb} -ge 200"

rule produce:
    output: pipe("pipe")
    shell: "for i in 1 2 3; do echo $i; done > {output}"

rule serve:
    output: service("served")
    shell: "echo answer > {output}; sleep 300"

rule consume:
    input: "pipe", "served"
    output: ensure("sorted.txt", non_empty=True)
    shell: "sort -r < {input[0]} > {output}; cat {input[1]} >> {output}"
"""


def test_groups_checkpoint_retries_temp_files_pipe_service_and_scatter_gather(
    emulator, new_workflow, own_jobs
):
    workflow = new_workflow(KITCHEN_SINK)

    workflow.run("--aws-batch-array-size=2")

    assert workflow.read("all.txt") == "0\n1\n2\n3\n"
    assert workflow.read("made.txt") == "1\n2\n3\n"
    assert workflow.read("again.txt") == "200\n"
    assert workflow.read("sorted.txt") == "3\n2\n1\nanswer\n"
    assert workflow.names("t/") == workflow.names("pipe") == workflow.names("served") == []
    assert [job["status"] for job in own_jobs("again")] == ["FAILED", "SUCCEEDED"]
    assert {job["attempts"] for job in own_jobs()} == {1}
    assert len(own_jobs("scatter")) == 2
    calls = emulator.calls()
    assert "batch:RegisterJobDefinition" not in calls
    assert "batch:TerminateJob" not in calls


FAILING = """
rule all:
    input: expand("a/{i}.txt", i=range(4))

rule scatter:
    output: "a/{i}.txt"
    log: "log/{i}.txt"
    shell:
        "echo this is $(({wildcards.i} + 40)) > {log}; "
        "test {wildcards.i} != 2; echo done > {output}"
"""


def test_one_bad_command_does_not_stop_its_slice_and_its_log_is_shown(emulator, new_workflow):
    workflow = new_workflow(FAILING)

    text = workflow.run("--aws-batch-array-size=1", "--keep-going", succeeds=False)

    assert workflow.names("a/") == ["a/0.txt", "a/1.txt", "a/3.txt"]
    assert "ended with an error (exit code 1, 1 attempt)" in text
    assert "Last lines of log /aws/batch/job" in text
    assert "this is 42" in text
    assert "this is 41" not in text


def test_a_mistake_in_the_resources_fails_its_job_and_no_other(emulator, new_workflow):
    workflow = new_workflow(
        """
rule all:
    input: "good.txt", "bad.txt", "image.txt"

rule good:
    output: "good.txt"
    shell: "touch {output}"

rule bad:
    output: "bad.txt"
    resources: queue="nowhere"
    shell: "touch {output}"

rule image:
    output: "image.txt"
    resources: image="other:1"
    shell: "touch {output}"
"""
    )

    text = workflow.run("--keep-going", succeeds=False)

    assert workflow.names() == ["good.txt"]
    assert "Not submitted to AWS Batch" in text
    assert "nowhere" in text
    # As a stack has it whose users may not choose images.
    assert "you may not register the job definition" in text
