"""One listing a folder tells the graph of jobs what lies on S3, as single requests would."""

import time

import pytest

N_JOBS = 60
AHEAD = """
from snakemake_executor_plugin_aws_batch_array.inventory import list_ahead
if config.get("ahead"):
    list_ahead([workflow.storage_settings.default_storage_prefix + "/a"])
"""
WORKFLOW = f"""
rule gather:
    input: expand("a/{{i}}.txt", i=range({N_JOBS})), "a/folder", "b/elsewhere.txt"
    output: "gather.txt"
    shell: "touch {{output}}"

rule a:
    output: "a/{{i}}.txt"
    shell: "touch {{output}}"

rule folder:
    input: "a/0.txt"
    output: directory("a/folder")
    shell: "mkdir {{output}}; touch {{output}}/in"

rule elsewhere:
    output: "b/elsewhere.txt"
    shell: "touch {{output}}"
"""


@pytest.fixture
def workflow(emulator, new_workflow):
    return new_workflow(AHEAD + WORKFLOW)


def look(workflow, emulator, ahead):
    """Return which jobs a dry run finds to be done and why, and how often it asked S3."""
    emulator.reset_calls()
    told = workflow.run("--dry-run", f"--config=ahead={ahead}")
    jobs = sorted(
        line for line in told.splitlines() if line.startswith(("    output:", "    reason:"))
    )
    asked = sum(number for call, number in emulator.calls().items() if call.startswith("s3:"))
    return jobs, asked


def put(s3, workflow, name):
    s3.put_object(Bucket="tomobatch-data", Key=f"results/{workflow.name}/{name}", Body=b"x")


def test_where_nothing_is_yet_one_listing_is_enough(workflow, emulator):
    jobs, asked = look(workflow, emulator, 1)
    assert len(jobs) == 2 * (N_JOBS + 3)
    jobs_as_ever, asked_as_ever = look(workflow, emulator, 0)
    assert jobs == jobs_as_ever
    # Whether each is there is asked no more. The rest are sizes, which the choice of jobs wants to
    # know of inputs that are not there yet in a dry run alone.
    assert asked <= asked_as_ever - 3 * N_JOBS


def test_what_is_there_is_as_new_as_it_is(workflow, emulator, s3):
    for i in range(1, N_JOBS):
        put(s3, workflow, f"a/{i}.txt")
    put(s3, workflow, "a/folder/in")
    put(s3, workflow, "b/elsewhere.txt")
    time.sleep(1.1)  # S3's times are whole seconds.
    put(s3, workflow, "a/0.txt")
    jobs, asked = look(workflow, emulator, 1)
    # The input of the folder is newer than all that lies in it.
    outputs = [line.split()[1].rpartition("/")[2] for line in jobs if "output:" in line]
    assert outputs == ["folder", "gather.txt"]
    assert any("Updated input files" in line for line in jobs)
    jobs_as_ever, asked_as_ever = look(workflow, emulator, 0)
    assert jobs == jobs_as_ever
    assert asked <= asked_as_ever
