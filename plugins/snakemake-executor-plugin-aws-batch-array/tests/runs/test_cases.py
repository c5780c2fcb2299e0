"""Small workflows, each for a way in which a run came out wrong."""

import json
import threading
import time

import boto3
import pytest

BUCKET, PREFIX = "tomobatch-data", "results"

pytestmark = pytest.mark.usefixtures("busy")


STEPS = """
rule c:
    output: "b/{scan}-2.txt"
    input: "b/{scan}-1.txt"
    shell: "sleep 4; cat {input} > {output}"

rule a:
    output: "b/{scan}-1.txt"
    shell: "sleep {wildcards.scan}; echo 1 > {output}"
"""


def test_a_run_that_ends_leaves_the_sources_of_another_alone(emulator, new_workflow, run_id):
    workflow = new_workflow(STEPS)
    slow = workflow.start("b/6-2.txt")
    workflow.run("b/0-2.txt", f"--aws-batch-array-run-id={run_id}b")

    workflow.finish(slow)

    assert workflow.names("b/") == ["b/0-1.txt", "b/0-2.txt", "b/6-1.txt", "b/6-2.txt"]


VANISHING = """
rule all:
    input: "b/bad.txt", "b/good.txt"

rule bad:
    output: "b/bad.txt"
    retries: 3
    shell: "echo 1 > {output}"

rule good:
    output: "b/good.txt"
    shell: "sleep 15; echo 1 > {output}"
"""


def test_an_output_that_vanishes_fails_its_job_and_is_retried(emulator, new_workflow, own_jobs, s3):
    workflow = new_workflow(VANISHING)
    key = f"{PREFIX}/{workflow.name}/b/bad.txt"
    deleted = []

    def delete():
        while len(deleted) < 2:
            if workflow.names("b/bad.txt"):
                s3.delete_object(Bucket=BUCKET, Key=key)
                deleted.append(key)
            time.sleep(0.02)

    threading.Thread(target=delete, daemon=True).start()

    text = workflow.run("--keep-going")

    n_found = text.count("these of its outputs are missing afterwards")
    assert 1 <= n_found <= len(deleted)  # A file that is seen in time is there.
    assert len(own_jobs("bad")) == 1 + n_found
    assert [job["status"] for job in own_jobs("good")] == ["SUCCEEDED"]


def test_any_name_of_a_folder_will_do(emulator, new_workflow):
    workflow = new_workflow('rule a:\n    output: "b/a.txt"\n    shell: "touch {output}"\n')
    folder = workflow.folder / "_work"
    folder.mkdir()
    (workflow.folder / "Snakefile").rename(folder / "Snakefile")
    workflow.folder = folder

    workflow.run("--aws-batch-array-run-id=")

    assert workflow.names("b/") == ["b/a.txt"]


def test_a_list_that_nobody_can_read_is_one_warning(emulator, new_workflow, s3):
    workflow = new_workflow('rule a:\n    output: "b/a.txt"\n    shell: "touch {output}"\n')
    root = f"{PREFIX}/{workflow.name}/.aws-batch-array/{workflow.name}"
    old = json.dumps({"version": 0, "name": "old"}).encode()
    s3.put_object(Bucket=BUCKET, Key=f"{root}/lists/old.json", Body=old)

    text = workflow.run()

    assert workflow.names("b/") == ["b/a.txt"]
    assert text.count("old is left alone: the list of commands has schema version 0") == 1


def test_tags_of_a_long_group_fit(emulator, new_workflow):
    names = [f"a_reasonable_rule_name_{i}" for i in range(30)]
    rules = [
        f'rule {name}:\n    input: "b/{i}"\n    output: "b/{i + 1}"\n    group: "g"\n'
        '    shell: "touch {output}"\n'
        for i, name in enumerate(names)
    ]
    rules[0] = rules[0].replace('    input: "b/0"\n', "")
    workflow = new_workflow('rule all:\n    input: "b/30"\n' + "".join(rules))

    workflow.run()

    jobs = [job for job in emulator.jobs() if job["jobName"].startswith(workflow.name)]
    described = boto3.client("batch").describe_jobs(jobs=[job["jobId"] for job in jobs])["jobs"]
    assert len(described) == 1
    assert len(jobs[0]["jobName"]) <= 128
    assert all(len(value) <= 256 for value in described[0]["tags"].values())


def test_memory_of_its_own_for_each_job_makes_one_array(emulator, new_workflow, own_jobs):
    workflow = new_workflow(
        """
rule all:
    input: expand("b/{i}.txt", i=range(12))

rule b:
    output: "b/{i}.txt"
    resources: mem_mb=lambda wildcards: 100 + int(wildcards.i)
    shell: "echo 1 > {output}"
"""
    )

    workflow.run("--aws-batch-array-size=3")

    assert len({job["jobId"].partition(":")[0] for job in own_jobs("b")}) == 1
    assert len(workflow.names("b/")) == 12


def test_a_queue_is_known_by_its_plain_name(emulator, new_workflow, own_jobs):
    workflow = new_workflow(
        """
rule a:
    output: "b/a.txt"
    resources: queue="tomobatch-gpu"
    shell: "echo 1 > {output}"
"""
    )

    workflow.run()

    (job,) = own_jobs("a")
    (described,) = boto3.client("batch").describe_jobs(jobs=[job["jobId"]])["jobs"]
    assert described["jobQueue"].endswith("/tomobatch-gpu")
    assert "tomobatch-gpu" in described["jobDefinition"]
