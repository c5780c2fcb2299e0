"""Attempts: exit codes, retries, time limits, and what DescribeJobs tells of them."""

import pytest

EXITED = "Essential container in task exited"
SPOT_ONLY = {
    "attempts": 3,
    "evaluateOnExit": [
        {"onStatusReason": "Host EC2*", "action": "RETRY"},
        {"onReason": "*", "action": "EXIT"},
    ],
}


@pytest.mark.parametrize(
    ("script", "status", "exit_code"),
    [
        ("exit 0", "SUCCEEDED", 0),
        ("exit 3", "FAILED", 3),
        ("kill -TERM $$", "FAILED", 143),
        ("kill -KILL $$", "FAILED", 137),
    ],
)
def test_exit_code(account, script, status, exit_code):
    job = account.run("sh", "-c", script)
    assert (job["status"], job["container"]["exitCode"]) == (status, exit_code)
    (attempt,) = job["attempts"]
    assert attempt["container"]["exitCode"] == exit_code
    assert attempt["statusReason"] == job["statusReason"] == EXITED
    assert job["createdAt"] <= attempt["startedAt"] <= attempt["stoppedAt"] <= job["stoppedAt"]


def test_a_command_that_is_not_there(account):
    job = account.run("no-such-command")
    assert (job["status"], job["statusReason"]) == ("FAILED", "Task failed to start")
    assert "CannotStartContainerError" in job["container"]["reason"]


def test_retried_until_it_succeeds(account):
    script = "test $AWS_BATCH_JOB_ATTEMPT = 3"
    job = account.run("sh", "-c", script, retryStrategy={"attempts": 5})
    assert job["status"] == "SUCCEEDED"
    assert [attempt["container"]["exitCode"] for attempt in job["attempts"]] == [1, 1, 0]
    assert len({a["container"]["logStreamName"] for a in job["attempts"]}) == 3


def test_a_rule_stops_the_retries(account):
    job = account.run("false", retryStrategy=SPOT_ONLY)
    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)
    assert job["retryStrategy"] == SPOT_ONLY


def test_the_definition_has_a_strategy_of_its_own(account):
    definition = account.batch.register_job_definition(
        jobDefinitionName="tries-twice",
        type="container",
        retryStrategy={"attempts": 2},
        containerProperties={"image": "image", "command": ["false"], "vcpus": 1, "memory": 64},
    )
    job_id = account.batch.submit_job(
        jobName="job", jobQueue="tomobatch-cpu", jobDefinition=definition["jobDefinitionArn"]
    )["jobId"]
    assert len(account.wait(job_id)["attempts"]) == 2


def test_the_time_limit_ends_an_attempt_for_good(account):
    job = account.run(
        "sleep",
        "30",
        timeout={"attemptDurationSeconds": 60},
        retryStrategy={"attempts": 3},
    )
    assert (job["status"], len(job["attempts"])) == ("FAILED", 1)
    assert job["statusReason"] == "Job attempt duration exceeded timeout"
    assert job["container"]["exitCode"] == 143
    assert job["timeout"] == {"attemptDurationSeconds": 60}


@pytest.mark.parametrize(
    ("trap", "last_line", "exit_code"),
    [
        ("trap 'echo cleaning; exit 5' TERM", "cleaning", 5),
        ("trap 'echo ignored' TERM", "ignored", 137),
    ],
)
def test_sigterm_then_sigkill(account, trap, last_line, exit_code):
    script = f"{trap}; echo ready; while true; do sleep 0.05; done"
    job_id = account.submit("sh", "-c", script)
    account.wait_for_log(job_id, "ready")
    account.batch.terminate_job(jobId=job_id, reason="enough")
    job = account.wait(job_id)
    assert (job["status"], job["statusReason"]) == ("FAILED", "enough")
    assert job["container"]["exitCode"] == exit_code
    assert account.log(job)[-1] == last_line


def test_a_terminated_job_that_exits_zero_still_failed(account):
    job_id = account.submit("sh", "-c", "trap 'exit 0' TERM; echo ready; sleep 30 & wait")
    account.wait_for_log(job_id, "ready")
    account.batch.terminate_job(jobId=job_id, reason="enough")
    assert account.wait(job_id)["status"] == "FAILED"


def test_terminate_can_end_a_finished_job_and_one_that_never_was(account):
    job = account.run("true")
    for job_id in (job["jobId"], "never-was"):
        account.batch.terminate_job(jobId=job_id, reason="late")
    assert account.describe(job["jobId"])["status"] == "SUCCEEDED"


def test_overrides_and_parameters_reach_the_command(account):
    job = account.run(
        "sh",
        "-c",
        'echo "$0 $WORD"',
        "Ref::greeting",
        parameters={"greeting": "hello"},
        containerOverrides={
            "environment": [{"name": "WORD", "value": "world"}],
            "resourceRequirements": [{"type": "MEMORY", "value": "128"}],
        },
        tags={"rule": "greet"},
    )
    assert account.log(job) == ["hello world"]
    sizes = {r["type"]: r["value"] for r in job["container"]["resourceRequirements"]}
    assert sizes == {"VCPU": "2", "MEMORY": "128"}
    assert {"name": "WORD", "value": "world"} in job["container"]["environment"]
    assert job["tags"] == {"rule": "greet"}
    assert job["jobDefinition"].endswith("job-definition/tomobatch-cpu:1")
    assert account.batch.list_tags_for_resource(resourceArn=job["jobArn"])["tags"] == job["tags"]
