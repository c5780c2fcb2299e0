"""Each fault, seen as a client of AWS sees it."""

import time

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aws_batch_emulator import EmulatorError, Fault, FaultKind

SPOT_ONLY = {
    "attempts": 2,
    "evaluateOnExit": [
        {"onStatusReason": "Host EC2*", "action": "RETRY"},
        {"onReason": "*", "action": "EXIT"},
    ],
}
FIRST_ATTEMPT_HANGS = "test $AWS_BATCH_JOB_ATTEMPT = 2 || exec sleep 30"


def wait_until_struck(account, times):
    deadline = time.monotonic() + 60
    while (struck := account.emulator.faults()[0]["struck"]) != times:
        assert time.monotonic() < deadline, struck
        time.sleep(0.02)


def reason_of(attempt):
    return attempt["statusReason"]


def test_a_reclaim_kills_k_children_and_batch_runs_them_again(account, flag):
    account.emulator.inject(Fault(FaultKind.RECLAIM, match="reclaimed", count=2))
    parent_id = account.submit(
        *flag.then("true"),
        name="reclaimed",
        arrayProperties={"size": 4},
        retryStrategy=SPOT_ONLY,
        containerOverrides=flag.variable,
    )
    wait_until_struck(account, 2)
    flag.raise_()
    assert account.wait(parent_id)["status"] == "SUCCEEDED"
    lost = [c for c in account.children(parent_id, 4) if len(c["attempts"]) == 2]
    assert len(lost) == 2
    for child in lost:
        first, second = child["attempts"]
        instance_id = first["container"]["containerInstanceArn"].rpartition("/")[2]
        assert reason_of(first) == f"Host EC2 (instance {instance_id}) terminated."
        assert "exitCode" not in first["container"]
        assert second["container"]["exitCode"] == 0
        assert second["container"]["containerInstanceArn"] != instance_id


def test_a_reclaim_strikes_a_child_that_already_runs(account):
    job_id = account.submit("sh", "-c", FIRST_ATTEMPT_HANGS, retryStrategy=SPOT_ONLY)
    account.wait(job_id, "RUNNING")
    account.emulator.inject(Fault(FaultKind.RECLAIM))
    job = account.wait(job_id)
    assert (job["status"], len(job["attempts"])) == ("SUCCEEDED", 2)


def test_a_fault_waits_for_its_time_and_is_not_used_up_by_a_job_that_was_faster(account):
    account.emulator.inject(Fault(FaultKind.RECLAIM, match="timed", after_s=0.4))
    assert account.run("true", name="timed")["status"] == "SUCCEEDED"
    job = account.run("sleep", "30", name="timed")
    (attempt,) = job["attempts"]
    assert attempt["stoppedAt"] - attempt["startedAt"] >= 400
    assert reason_of(attempt).startswith("Host EC2")


def test_one_child_can_be_picked(account, flag):
    account.emulator.inject(Fault(FaultKind.OUT_OF_MEMORY, index=1, count=None))
    parent_id = account.submit(
        *flag.then("true"), arrayProperties={"size": 3}, containerOverrides=flag.variable
    )
    wait_until_struck(account, 1)
    flag.raise_()
    account.wait(parent_id)
    children = account.children(parent_id, 3)
    assert [child["status"] for child in children] == ["SUCCEEDED", "FAILED", "SUCCEEDED"]
    container = children[1]["container"]
    assert container["exitCode"] == 137
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_a_child_hangs_until_it_is_terminated(account, flag):
    account.emulator.inject(Fault(FaultKind.HANG))
    job_id = account.submit(*flag.then("echo over"), containerOverrides=flag.variable)
    wait_until_struck(account, 1)
    flag.raise_()
    time.sleep(0.3)
    (live,) = account.emulator.live_jobs()
    assert (live["jobId"], live["status"]) == (job_id, "RUNNING")
    account.batch.terminate_job(jobId=job_id, reason="hangs")
    job = account.wait(job_id)
    # Frozen as it is, it cannot act on SIGTERM: the time of grace passes, then SIGKILL.
    assert (job["statusReason"], job["container"]["exitCode"]) == ("hangs", 137)
    assert account.log(job) == []


def test_an_image_cannot_be_pulled(account):
    account.emulator.inject(Fault(FaultKind.CANNOT_PULL))
    strategy = {
        "attempts": 2,
        "evaluateOnExit": [
            {"onReason": "CannotPullContainer*", "action": "RETRY"},
            {"onReason": "*", "action": "EXIT"},
        ],
    }
    job = account.run("true", retryStrategy=strategy)
    first, second = job["attempts"]
    assert reason_of(first) == "Task failed to start"
    assert first["container"]["reason"].startswith("CannotPullContainerError")
    assert "exitCode" not in first["container"]
    assert "startedAt" not in first
    assert second["container"]["exitCode"] == 0


def test_a_slow_start_says_why_and_ends(account):
    account.emulator.inject(Fault(FaultKind.SLOW_START, duration_s=0.5))
    job_id = account.submit("true")
    job = account.describe(job_id)
    assert job["status"] == "RUNNABLE"
    assert job["statusReason"].startswith("MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT")
    job = account.wait(job_id)
    assert job["status"] == "SUCCEEDED"
    assert job["startedAt"] - job["createdAt"] >= 500


def test_a_job_stuck_for_ever_can_be_cancelled(account):
    account.emulator.inject(Fault(FaultKind.SLOW_START))
    job_id = account.submit("true")
    account.batch.cancel_job(jobId=job_id, reason="stuck")
    job = account.wait(job_id)
    assert (job["status"], job["statusReason"], job["attempts"]) == ("FAILED", "stuck", [])


def test_describe_forgets_a_job(account):
    job_id = account.run("true", name="forgotten")["jobId"]
    account.emulator.inject(Fault(FaultKind.FORGET, match="forgotten", count=2))
    replies = [account.batch.describe_jobs(jobs=[job_id])["jobs"] for _ in range(3)]
    assert [len(jobs) for jobs in replies] == [0, 0, 1]


@pytest.mark.parametrize(
    ("service", "method", "arguments", "match", "code", "status"),
    [
        ("batch", "describe_jobs", {"jobs": []}, "batch:*", "TooManyRequestsException", 429),
        ("logs", "describe_log_groups", {}, "logs:Describe*", "ThrottlingException", 400),
        ("cloudformation", "describe_stacks", {}, "*:DescribeStacks", "Throttling", 400),
        (
            "s3",
            "put_object",
            {"Bucket": "tomobatch-data", "Key": "key", "Body": b"body"},
            "s3:PutObject",
            "SlowDown",
            503,
        ),
    ],
)
def test_throttled(account, service, method, arguments, match, code, status):
    call = getattr(account.client(service), method)
    account.emulator.inject(Fault(FaultKind.THROTTLE, match=match, count=2))
    for _ in range(2):
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    call(**arguments)


def test_a_connection_can_be_used_again_after_a_throttled_upload(account):
    s3 = account.client("s3")
    account.emulator.inject(Fault(FaultKind.THROTTLE, match="s3:PutObject"))
    stored = {"Bucket": "tomobatch-data", "Key": "streamed"}
    with pytest.raises(ClientError):
        s3.put_object(**stored, Body=b"lost" * 10_000)
    s3.put_object(**stored, Body=b"kept" * 10_000)
    assert s3.get_object(**stored)["Body"].read() == b"kept" * 10_000


def test_a_connection_can_be_used_again_after_a_throttled_head(account):
    s3 = account.client("s3")
    stored = {"Bucket": "tomobatch-data", "Key": "looked-at"}
    s3.put_object(**stored, Body=b"body")
    account.emulator.inject(Fault(FaultKind.THROTTLE, match="s3:HeadObject"))
    with pytest.raises(ClientError, match="503"):
        s3.head_object(**stored)
    assert s3.head_object(**stored)["ContentLength"] == 4


def test_a_throttled_call_does_nothing(account):
    account.emulator.inject(Fault(FaultKind.THROTTLE, match="batch:SubmitJob"))
    before = account.emulator.jobs()
    with pytest.raises(ClientError):
        account.submit("true")
    assert account.emulator.jobs() == before


def test_a_share_of_the_calls_is_throttled(account):
    fault = Fault(FaultKind.THROTTLE, match="batch:DescribeJobs", count=None, rate=0.5)
    account.emulator.inject(fault)
    refused = 0
    for _ in range(40):
        try:
            account.batch.describe_jobs(jobs=[])
        except ClientError:
            refused += 1
    assert 8 <= refused <= 32
    assert account.emulator.faults()[0]["struck"] == refused


def test_only_the_jobs_calls_are_throttled(account):
    fault = Fault(FaultKind.THROTTLE, match="s3:ListBuckets", count=None, origin="job")
    account.emulator.inject(fault)
    account.client("s3").list_buckets()
    script = "import boto3; boto3.client('s3').list_buckets()"
    assert account.run("python", "-c", script)["status"] == "FAILED"


def test_a_submission_is_carried_out_and_its_reply_lost(account):
    account.emulator.inject(Fault(FaultKind.LOST_REPLY, match="batch:SubmitJob"))
    with pytest.raises(ConnectionClosedError):
        account.submit("true", name="lost-reply")
    filters = [{"name": "JOB_NAME", "values": ["lost-reply"]}]
    listed = account.batch.list_jobs(jobQueue="tomobatch-cpu", filters=filters)["jobSummaryList"]
    assert len(listed) == 1
    assert account.wait(listed[0]["jobId"])["status"] == "SUCCEEDED"


def test_a_stored_object_whose_reply_is_lost_is_there(account):
    account.emulator.inject(Fault(FaultKind.LOST_REPLY, match="s3:PutObject"))
    s3 = account.client("s3")
    with pytest.raises(ConnectionClosedError):
        s3.put_object(Bucket="tomobatch-data", Key="lost", Body=b"body")
    assert s3.get_object(Bucket="tomobatch-data", Key="lost")["Body"].read() == b"body"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "earthquake"}, "earthquake"),
        ({"kind": "reclaim", "count": 0}, "at least 1"),
        ({"kind": "reclaim", "after_s": -1}, "negative"),
        ({"kind": "throttle", "rate": 0}, "rate"),
        ({"kind": "throttle", "match": "SubmitJob"}, "service:Action"),
        ({"kind": "throttle", "origin": "nobody"}, "origin"),
        ({"kind": "reclaim", "mach": "x"}, "mach"),
    ],
)
def test_a_mistyped_fault_is_refused(account, fields, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Fault(**fields)
    with pytest.raises(EmulatorError, match=message):
        account.emulator._request("POST", "faults", fields)
