"""Array jobs: what children are given, and how the parent follows them."""

import json
import time
from itertools import pairwise

import pytest

PRINT_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


def test_every_child_knows_its_index(account):
    parent = account.run("sh", "-c", "echo $AWS_BATCH_JOB_ARRAY_INDEX", arrayProperties={"size": 5})
    assert parent["status"] == "SUCCEEDED"
    children = account.children(parent["jobId"], 5)
    assert [child["arrayProperties"]["index"] for child in children] == [0, 1, 2, 3, 4]
    assert [account.log(child) for child in children] == [["0"], ["1"], ["2"], ["3"], ["4"]]


def test_environment_of_a_child(account):
    parent = account.run(
        "python",
        "-c",
        PRINT_ENVIRONMENT,
        arrayProperties={"size": 2},
        containerOverrides={"environment": [{"name": "ARRAY_SIZE", "value": "mine"}]},
    )
    child = account.children(parent["jobId"], 2)[1]
    environment = json.loads(account.log(child)[0])
    expected = {
        "AWS_BATCH_JOB_ID": child["jobId"],
        "AWS_BATCH_JOB_ARRAY_INDEX": "1",
        "AWS_BATCH_JOB_ARRAY_SIZE": "2",
        "AWS_BATCH_JOB_ATTEMPT": "1",
        "AWS_BATCH_JQ_NAME": "tomobatch-cpu",
        "AWS_BATCH_CE_NAME": "tomobatch-cpu",
        "AWS_ENDPOINT_URL": account.emulator.endpoint_url,
        "AWS_REGION": "eu-central-1",
        "ARRAY_SIZE": "mine",
    }
    assert {name: environment.get(name) for name in expected} == expected


def test_a_plain_job_has_no_index(account):
    job = account.run("python", "-c", PRINT_ENVIRONMENT)
    environment = json.loads(account.log(job)[0])
    assert environment["AWS_BATCH_JOB_ID"] == job["jobId"]
    assert not [name for name in environment if name.startswith("AWS_BATCH_JOB_ARRAY")]
    assert "arrayProperties" not in job


def test_parent_is_pending_while_children_run_then_failed_if_one_is(account, flag):
    parent_id = account.submit(
        *flag.then("exit $AWS_BATCH_JOB_ARRAY_INDEX"),
        arrayProperties={"size": 2},
        containerOverrides=flag.variable,
    )
    account.wait(f"{parent_id}:1", "RUNNING")
    running = account.describe(parent_id)
    assert running["status"] == "PENDING"
    assert "stoppedAt" not in running
    flag.raise_()
    parent = account.wait(parent_id)
    assert parent["status"] == "FAILED"
    assert parent["arrayProperties"]["size"] == 2
    summary = parent["arrayProperties"]["statusSummary"]
    assert summary == {
        "SUBMITTED": 0,
        "PENDING": 0,
        "RUNNABLE": 0,
        "STARTING": 0,
        "RUNNING": 0,
        "SUCCEEDED": 1,
        "FAILED": 1,
    }
    assert parent["stoppedAt"] >= parent["createdAt"]


def test_waiting_children_are_runnable(account):
    parent_id = account.submit("sleep", "30", arrayProperties={"size": 8})
    deadline = time.monotonic() + 60
    expected = {"RUNNING": 6, "RUNNABLE": 2}
    while (summary := _summary(account, parent_id)) != expected:
        assert time.monotonic() < deadline, summary
        time.sleep(0.02)


def test_terminating_the_parent_ends_every_child(account):
    parent_id = account.submit("sleep", "30", arrayProperties={"size": 8})
    account.wait(f"{parent_id}:0", "RUNNING")
    account.batch.terminate_job(jobId=parent_id, reason="not needed")
    parent = account.wait(parent_id)
    assert (parent["status"], parent["statusReason"]) == ("FAILED", "not needed")
    children = account.children(parent_id, 8)
    assert {child["status"] for child in children} == {"FAILED"}
    assert {child["statusReason"] for child in children} == {"not needed"}
    assert all(child["isTerminated"] for child in children)
    assert not account.emulator.live_jobs()


def test_cancelling_the_parent_spares_the_running_children(account, flag):
    parent_id = account.submit(
        *flag.then("true"), arrayProperties={"size": 8}, containerOverrides=flag.variable
    )
    account.wait(f"{parent_id}:5", "RUNNING")
    account.batch.cancel_job(jobId=parent_id, reason="not needed")
    assert account.describe(parent_id)["status"] == "PENDING"
    flag.raise_()
    assert account.wait(parent_id)["status"] == "FAILED"
    children = account.children(parent_id, 8)
    assert [child["status"] for child in children] == ["SUCCEEDED"] * 6 + ["FAILED"] * 2
    assert all(child["isCancelled"] for child in children[6:])


def test_terminating_one_child_leaves_the_others(account, flag):
    parent_id = account.submit(
        *flag.then("true"), arrayProperties={"size": 2}, containerOverrides=flag.variable
    )
    account.batch.terminate_job(jobId=f"{parent_id}:1", reason="this one")
    account.wait(f"{parent_id}:1")
    flag.raise_()
    account.wait(parent_id)
    assert [c["status"] for c in account.children(parent_id, 2)] == ["SUCCEEDED", "FAILED"]


@pytest.mark.parametrize(("exit_code", "status"), [(0, "SUCCEEDED"), (1, "FAILED")])
def test_a_job_waits_for_an_array(account, flag, exit_code, status):
    first = account.submit(
        *flag.then(f"exit {exit_code}"),
        arrayProperties={"size": 2},
        containerOverrides=flag.variable,
    )
    second = account.submit("true", dependsOn=[{"jobId": first}])
    assert account.describe(second)["status"] == "PENDING"
    flag.raise_()
    assert account.wait(second)["status"] == status
    assert account.describe(first)["stoppedAt"] <= account.describe(second)["stoppedAt"]


def test_a_job_that_depends_on_a_failed_one_fails_without_an_attempt(account):
    first = account.run("false")["jobId"]
    second = account.run("true", dependsOn=[{"jobId": first}])
    assert (second["status"], second["attempts"]) == ("FAILED", [])


def test_sequential_children_run_one_after_the_other(account):
    parent = account.run(
        "sleep", "0.05", arrayProperties={"size": 3}, dependsOn=[{"type": "SEQUENTIAL"}]
    )
    children = account.children(parent["jobId"], 3)
    for earlier, later in pairwise(children):
        assert earlier["stoppedAt"] <= later["startedAt"]


def test_a_failure_stops_a_sequence(account):
    parent = account.run(
        "sh",
        "-c",
        "exit $AWS_BATCH_JOB_ARRAY_INDEX",
        arrayProperties={"size": 4},
        dependsOn=[{"type": "SEQUENTIAL"}],
    )
    children = account.children(parent["jobId"], 4)
    assert [len(child["attempts"]) for child in children] == [1, 1, 0, 0]


def test_n_to_n_ties_child_to_child(account):
    first = account.submit(
        "sh", "-c", "exit $AWS_BATCH_JOB_ARRAY_INDEX", arrayProperties={"size": 2}
    )
    second = account.submit(
        "true", arrayProperties={"size": 2}, dependsOn=[{"jobId": first, "type": "N_TO_N"}]
    )
    account.wait(second)
    assert [c["status"] for c in account.children(second, 2)] == ["SUCCEEDED", "FAILED"]


def _summary(account, parent_id):
    summary = account.describe(parent_id)["arrayProperties"]["statusSummary"]
    return {status: count for status, count in summary.items() if count}
