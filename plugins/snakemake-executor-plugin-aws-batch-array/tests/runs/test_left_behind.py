"""What a controller leaves that dies or is told to stop, and what the next one makes of it."""

import json
import time

import boto3
import pytest

BUCKET, PREFIX = "tomobatch-data", "results"

pytestmark = pytest.mark.usefixtures("busy")

SCATTER = """
rule all:
    input: expand("b/{i}.txt", i=range(3))

rule b:
    output: "b/{i}.txt"
    shell: "test {wildcards.i} -ne 2 || (HOLD); date +%s.%N > {output}"
"""

WITH_INPUTS = """
rule all:
    input: expand("b/{i}.txt", i=range(3))

rule b:
    input: "in/{i}.txt"
    output: "b/{i}.txt"
    shell: "test {wildcards.i} -ne 2 || (HOLD); cat {input} > {output}"
"""


@pytest.fixture
def interrupt(end, emulator, wait_until, own_jobs, gate):
    """Start a workflow, and interrupt it when two children are done and the third is held up."""

    def two_are_done():
        return [job["status"] for job in own_jobs("b")].count("SUCCEEDED") == 2

    def interrupt(workflow):
        process = workflow.start()
        wait_until(two_are_done, "two of three children")
        end(process)

    yield interrupt
    gate.open()
    wait_until(lambda: not emulator.live_jobs(), "the end of all jobs")


def outputs(workflow):
    return {name: workflow.read(name) for name in workflow.names("b/")}


def test_what_is_still_right_does_not_run_again(emulator, new_workflow, interrupt, gate):
    workflow = new_workflow(SCATTER.replace("HOLD", gate.wait))
    interrupt(workflow)
    gate.open()
    before = outputs(workflow)

    workflow.run()

    after = outputs(workflow)
    assert after.keys() == {"b/0.txt", "b/1.txt", "b/2.txt"}
    assert {name: after[name] for name in before} == before


def test_inputs_that_are_newer_are_made_use_of(emulator, new_workflow, interrupt, s3, gate):
    workflow = new_workflow(WITH_INPUTS.replace("HOLD", gate.wait))

    def upload(what):
        for i in range(3):
            key = f"{PREFIX}/{workflow.name}/in/{i}.txt"
            s3.put_object(Bucket=BUCKET, Key=key, Body=f"{what} {i}".encode())

    upload("old")
    interrupt(workflow)
    time.sleep(1.1)
    upload("new")
    gate.open()

    workflow.run()

    assert outputs(workflow) == {f"b/{i}.txt": f"new {i}" for i in range(3)}


def test_forced_jobs_run_whatever_is_there(
    emulator, new_workflow, interrupt, own_jobs, wait_until, gate
):
    workflow = new_workflow(SCATTER.replace("HOLD", gate.wait))
    interrupt(workflow)
    before = outputs(workflow)

    process = workflow.start("--forceall")
    # What ran of the first three is ended before the others begin.
    wait_until(lambda: "FAILED" in [job["status"] for job in own_jobs("b")], "the third's end")
    gate.open()
    workflow.finish(process)

    after = outputs(workflow)
    assert len(after) == 3
    assert all(after[name] != before[name] for name in before)
    statuses = [job["status"] for job in own_jobs("b")]
    assert (statuses.count("FAILED"), statuses.count("SUCCEEDED")) == (1, 5)


def test_outputs_that_were_deleted_are_made_anew(
    emulator, new_workflow, interrupt, gate, wait_until
):
    workflow = new_workflow(SCATTER.replace("HOLD", gate.wait))
    interrupt(workflow)
    gate.open()
    wait_until(lambda: not emulator.live_jobs(), "the end of all jobs")
    workflow.run("--delete-all-output")
    assert outputs(workflow) == {}

    workflow.run()

    assert len(outputs(workflow)) == 3


CHECKPOINT = """
rule all:
    input: "d/all.txt"

checkpoint mk:
    output: directory("d/x"), "d/names.txt"
    shell:
        "mkdir -p {output[0]}/sub; echo 1 2 3 4 5 > {output[1]}; "
        "for i in $(seq 1 5); do echo $i > {output[0]}/sub/$i.txt; done"

def made(wildcards):
    folder, names = checkpoints.mk.get(**wildcards).output
    found = glob_wildcards(os.path.join(folder, "sub", "{i}.txt")).i
    assert sorted(found) == open(names).read().split(), "a file of a checkpoint is there too"
    return expand("d/y/{i}.txt", i=sorted(found))

rule y:
    input: "d/x"
    output: "d/y/{i}.txt"
    shell: "cp {input}/sub/{wildcards.i}.txt {output}"

rule gather:
    input: made
    output: "d/all.txt"
    shell: "HOLD; cat {input} > {output}"
"""


def test_what_a_checkpoint_made_is_there_for_those_that_look_for_it(emulator, new_workflow):
    workflow = new_workflow(CHECKPOINT.replace("HOLD", "true"))

    workflow.run()

    assert workflow.read("d/all.txt") == "1\n2\n3\n4\n5\n"
    assert "Nothing to be done" in workflow.run()


def test_a_checkpoint_of_an_earlier_controller_is_there_in_another_folder(
    emulator, new_workflow, wait_until, own_jobs, gate, kill
):
    """As where a controller that is a job starts anew on another machine."""
    workflow = new_workflow(CHECKPOINT.replace("HOLD", gate.wait))
    process = workflow.start()
    wait_until(lambda: any(j["status"] == "RUNNING" for j in own_jobs("gather")), "gather")
    kill(process)
    moved = workflow.folder / "elsewhere"
    moved.mkdir()
    (workflow.folder / "Snakefile").rename(moved / "Snakefile")
    workflow.folder = moved
    gate.open()

    workflow.run()

    assert workflow.read("d/all.txt") == "1\n2\n3\n4\n5\n"
    assert len(own_jobs("gather")) == 1


BY_CONFIG = """
rule all:
    input: f"b/{config['scan']}.txt"

rule b:
    output: f"b/{config['scan']}.txt"
    shell: "test {config[scan]} != A || (HOLD); echo {config[scan]} > {output}"
"""


def test_two_configurations_in_one_folder_do_not_touch_each_other(
    emulator, new_workflow, wait_until, own_jobs, gate
):
    workflow = new_workflow(BY_CONFIG.replace("HOLD", gate.wait))
    first = workflow.start("--config", "scan=A")
    wait_until(lambda: any(job["status"] == "RUNNING" for job in own_jobs("b")), "the first")

    workflow.run("--config", "scan=B")

    gate.open()
    workflow.finish(first)
    assert outputs(workflow) == {"b/A.txt": "A\n", "b/B.txt": "B\n"}
    assert [job["status"] for job in own_jobs("b")] == ["SUCCEEDED"] * 2


def test_the_other_configuration_survives_ctrl_c(
    emulator, new_workflow, wait_until, own_jobs, gate, ctrl_c
):
    workflow = new_workflow(BY_CONFIG.replace("test {config[scan]} != A || (HOLD)", gate.wait))
    first = workflow.start("--config", "scan=A")
    wait_until(lambda: any(job["status"] == "RUNNING" for job in own_jobs("b")), "the first")
    second = workflow.start("--config", "scan=B")
    wait_until(lambda: len(own_jobs("b")) == 2, "the second")

    ctrl_c(second)

    gate.open()
    workflow.finish(first)
    assert outputs(workflow) == {"b/A.txt": "A\n"}


def test_a_queue_that_is_gone_is_one_warning(
    emulator, new_workflow, wait_until, own_jobs, gate, kill
):
    keys = {
        name.lower(): value
        for name, value in emulator.administrator.items()
        if name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    }
    batch = boto3.client("batch", **keys)
    (known,) = batch.describe_job_queues(jobQueues=["tomobatch-cpu"])["jobQueues"]
    arn = batch.create_job_queue(
        jobQueueName="passing",
        priority=1,
        state="ENABLED",
        computeEnvironmentOrder=known["computeEnvironmentOrder"],
    )["jobQueueArn"]
    # The stack's policy for users names the stack's own queues only.
    submits = {"Effect": "Allow", "Action": "batch:SubmitJob", "Resource": arn}
    document = {"Version": "2012-10-17", "Statement": [submits]}
    boto3.client("iam", **keys).create_policy(
        PolicyName="passing", PolicyDocument=json.dumps(document)
    )
    emulator.grant("passing")
    workflow = new_workflow(SCATTER.replace("HOLD", gate.wait))
    options = ["--aws-batch-array-queues=cpu=passing"]
    process = workflow.start(*options)
    wait_until(lambda: any(job["status"] == "RUNNING" for job in own_jobs("b")), "the scatter")
    kill(process)
    for job in own_jobs("b"):
        batch.terminate_job(jobId=job["jobId"], reason="the test")
    wait_until(lambda: not emulator.live_jobs(), "the end of all jobs")
    batch.update_job_queue(jobQueue=arn, state="DISABLED")
    batch.delete_job_queue(jobQueue=arn)
    gate.open()

    text = workflow.run()

    assert len(outputs(workflow)) == 3
    assert text.count("there is no job of it in queue") == 1
