"""ListJobs, DescribeJobs, and what SubmitJob refuses."""

import boto3
import pytest
from botocore.exceptions import ClientError


def names(reply):
    return sorted(job["jobName"] for job in reply["jobSummaryList"])


def test_a_queue_lists_running_jobs_unless_told_otherwise(account):
    done = account.run("true", name="list-done")
    account.wait(account.submit("sleep", "30", name="list-running"), "RUNNING")
    queue = {"jobQueue": "tomobatch-cpu"}
    assert names(account.batch.list_jobs(**queue)) == ["list-running"]
    succeeded = account.batch.list_jobs(**queue, jobStatus="SUCCEEDED")["jobSummaryList"]
    (summary,) = [job for job in succeeded if job["jobId"] == done["jobId"]]
    assert summary["container"] == {"exitCode": 0}
    assert summary["stoppedAt"] == done["stoppedAt"]


def test_a_queue_lists_parents_and_an_array_its_children(account):
    parent_id = account.submit("sleep", "30", name="list-array", arrayProperties={"size": 3})
    account.wait(f"{parent_id}:2", "RUNNING")
    pending = account.batch.list_jobs(jobQueue="tomobatch-cpu", jobStatus="PENDING")
    (parent,) = pending["jobSummaryList"]
    assert parent["jobId"] == parent_id
    assert parent["arrayProperties"]["size"] == 3
    assert parent["arrayProperties"]["statusSummary"]["RUNNING"] == 3
    children = account.batch.list_jobs(arrayJobId=parent_id)["jobSummaryList"]
    assert [child["arrayProperties"]["index"] for child in children] == [0, 1, 2]


def test_pages(account):
    parent = account.run("true", arrayProperties={"size": 5})
    pages = account.batch.get_paginator("list_jobs").paginate(
        arrayJobId=parent["jobId"], jobStatus="SUCCEEDED", PaginationConfig={"PageSize": 2}
    )
    sizes = [len(page["jobSummaryList"]) for page in pages]
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("JOB_NAME", "FILTER-a", ["filter-a"]),
        ("JOB_NAME", "filter-*", ["filter-a", "filter-b"]),
        ("JOB_NAME", "filter", []),
        ("JOB_DEFINITION", "tomobatch-gpu", ["filter-b"]),
        ("JOB_DEFINITION", "tomobatch-g*", ["filter-b"]),
        ("AFTER_CREATED_AT", "99999999999999", []),
    ],
)
def test_filters_ignore_the_status(account, name, value, expected):
    for job_name, definition in (("filter-a", "tomobatch-cpu"), ("filter-b", "tomobatch-gpu")):
        if not _named(account, job_name):
            account.run("true", name=job_name, jobDefinition=definition, jobQueue="tomobatch-gpu")
    reply = account.batch.list_jobs(
        jobQueue="tomobatch-gpu", filters=[{"name": name, "values": [value]}]
    )
    # Jobs of other tests may lie in this queue.
    assert [name for name in names(reply) if name.startswith("filter-")] == expected


def _named(account, name):
    filters = [{"name": "JOB_NAME", "values": [name]}]
    return account.batch.list_jobs(jobQueue="tomobatch-gpu", filters=filters)["jobSummaryList"]


def test_describe_leaves_out_what_it_does_not_know(account):
    known = account.run("true")["jobId"]
    reply = account.batch.describe_jobs(jobs=["unknown", known, f"{known}:0", "unknown:7"])
    assert [job["jobId"] for job in reply["jobs"]] == [known]


def variable(name):
    return {"containerOverrides": {"environment": [{"name": name, "value": "x"}]}}


def retry(**strategy):
    return {"retryStrategy": strategy}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arrayProperties": {"size": 1}}, "between 2 and 10000"),
        ({"arrayProperties": {"size": 10_001}}, "between 2 and 10000"),
        ({"timeout": {"attemptDurationSeconds": 59}}, "at least 60"),
        (retry(attempts=11), "between 1 and 10"),
        (retry(evaluateOnExit=[{"action": "EXIT"}]), "attempts must be given"),
        (retry(attempts=2, evaluateOnExit=[{"action": "EXIT"}] * 6), "at most 5"),
        (retry(attempts=2, evaluateOnExit=[{"action": "STOP"}]), "RETRY or EXIT"),
        (
            retry(attempts=2, evaluateOnExit=[{"action": "EXIT", "onReason": "a (b)*"}]),
            "not allowed",
        ),
        (variable("AWS_BATCH_MINE"), "reserved"),
        (variable("x" * 31_000), "30 KiB"),
        ({"containerOverrides": {"command": ["echo", ""]}}, "empty string"),
        ({"jobQueue": "nowhere"}, "JobQueue nowhere does not exist"),
        ({"jobDefinition": "nothing"}, "JobDefinition nothing does not exist"),
        ({"jobDefinition": "tomobatch-cpu:99"}, "does not exist"),
        ({"jobName": "a name"}, "valid pattern"),
        ({"jobName": "-name"}, "valid pattern"),
        ({"jobName": "n" * 129}, "valid pattern"),
        ({"dependsOn": [{"jobId": "x"}] * 21}, "at most 20"),
        ({"dependsOn": [{"jobId": "x"}]}, "does not exist"),
        ({"dependsOn": [{"type": "SEQUENTIAL"}]}, "array jobs only"),
        ({"tags": {f"tag{i}": "x" for i in range(51)}}, "at most 50 tags"),
    ],
)
def test_refused(account, change, message):
    request = {"jobName": "job", "jobQueue": "tomobatch-cpu", "jobDefinition": "tomobatch-cpu"}
    before = account.emulator.jobs()
    with pytest.raises(ClientError, match=message) as caught:
        account.batch.submit_job(**{**request, **change})
    assert caught.value.response["Error"]["Code"] == "ClientException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert account.emulator.jobs() == before


def test_a_disabled_queue_takes_no_jobs(account):
    account.batch.update_job_queue(jobQueue="tomobatch-gpu", state="DISABLED")
    try:
        with pytest.raises(ClientError, match="DISABLED"):
            account.submit("true", jobQueue="tomobatch-gpu")
    finally:
        account.batch.update_job_queue(jobQueue="tomobatch-gpu", state="ENABLED")


def test_a_deregistered_definition_is_gone_and_the_newest_revision_is_taken(account):
    arns = [
        account.batch.register_job_definition(
            jobDefinitionName="revised",
            type="container",
            containerProperties={"image": "i", "vcpus": 1, "memory": 64, "command": ["echo", word]},
        )["jobDefinitionArn"]
        for word in ("one", "two", "three")
    ]
    account.batch.deregister_job_definition(jobDefinition=arns[2])
    queue = "tomobatch-cpu"
    job_id = account.batch.submit_job(jobName="j", jobQueue=queue, jobDefinition="revised")["jobId"]
    assert account.log(account.wait(job_id)) == ["two"]
    with pytest.raises(ClientError, match="does not exist"):
        account.submit("true", jobDefinition=arns[2])


def test_another_region_is_refused(account):
    elsewhere = boto3.client(
        "batch",
        endpoint_url=account.emulator.endpoint_url,
        region_name="us-west-2",
        aws_access_key_id=account.emulator.environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=account.emulator.environment["AWS_SECRET_ACCESS_KEY"],
    )
    with pytest.raises(ClientError, match="eu-central-1 only"):
        elsewhere.describe_jobs(jobs=["any"])


@pytest.mark.parametrize(
    "request_",
    [{}, {"jobQueue": "tomobatch-cpu", "arrayJobId": "x"}],
    ids=["no source", "two sources"],
)
def test_list_needs_one_source(account, request_):
    with pytest.raises(ClientError, match="Exactly one"):
        account.batch.list_jobs(**request_)


def test_a_time_limit_in_a_definition_is_checked_too(account):
    with pytest.raises(ClientError, match="at least 60"):
        account.batch.register_job_definition(
            jobDefinitionName="hasty",
            type="container",
            timeout={"attemptDurationSeconds": 5},
            containerProperties={"image": "i", "vcpus": 1, "memory": 64},
        )
