"""How many calls a scatter costs, counted at the server."""

from pathlib import Path

import pytest

from aws_batch_emulator import start

N_JOBS = 150
SCATTER = f"""
rule gather:
    input: expand("a/{{i}}.txt", i=range({N_JOBS}))
    output: "gather.txt"
    shell: "cat {{input}} > {{output}}"

rule a:
    output: "a/{{i}}.txt"
    shell: "echo {{wildcards.i}} > {{output}}"
"""


@pytest.fixture
def cheap_emulator(monkeypatch):
    """An emulator whose children write their outputs and do nothing else."""
    monkeypatch.chdir(Path(__file__).parents[4] / "benchmarks")
    with start(bucket="tomobatch-data", children="executor_children:write_outputs") as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator


def test_calls_of_a_scatter(cheap_emulator, new_workflow):
    workflow = new_workflow(SCATTER)
    # Where the cheap children write.
    prefix = ["--default-storage-prefix=s3://tomobatch-data/x", "--scheduler=greedy"]
    cheap_emulator.reset_calls()

    workflow.run("--aws-batch-array-size=100", *prefix)

    calls = cheap_emulator.calls()
    batch = {call for call in calls if call.startswith("batch:")}
    assert batch <= {"batch:SubmitJob", "batch:DescribeJobs", "batch:ListJobs"}
    assert calls["batch:SubmitJob"] == 2
    # One DescribeJobs a poll; a listing only in some of the polls.
    assert calls.get("batch:ListJobs", 0) <= calls["batch:DescribeJobs"]
    # The DAG takes three requests a job; outputs that end few at a time are asked for singly. It
    # would be nine if all were.
    n_s3 = sum(number for call, number in calls.items() if call.startswith("s3:"))
    assert n_s3 <= 4 * (N_JOBS + 1)
