"""Which AWS call a request is: counted from real clients' requests."""

import boto3
import pytest

import aws_batch_emulator

BUCKET = {"Bucket": "tomobatch-data"}
KEY = {**BUCKET, "Key": "some/key"}


@pytest.mark.parametrize(
    ("service", "method", "arguments", "name"),
    [
        ("batch", "list_jobs", {"jobQueue": "tomobatch-cpu"}, "batch:ListJobs"),
        ("batch", "describe_job_queues", {}, "batch:DescribeJobQueues"),
        ("s3", "list_buckets", {}, "s3:ListBuckets"),
        ("s3", "head_bucket", BUCKET, "s3:HeadBucket"),
        ("s3", "put_object", {**KEY, "Body": b"x"}, "s3:PutObject"),
        ("s3", "head_object", KEY, "s3:HeadObject"),
        ("s3", "get_object", KEY, "s3:GetObject"),
        ("s3", "list_objects_v2", BUCKET, "s3:ListObjectsV2"),
        ("s3", "list_objects", BUCKET, "s3:ListObjects"),
        (
            "s3",
            "copy_object",
            {**BUCKET, "Key": "copy", "CopySource": "tomobatch-data/some/key"},
            "s3:CopyObject",
        ),
        (
            "s3",
            "delete_objects",
            {**BUCKET, "Delete": {"Objects": [{"Key": "x"}]}},
            "s3:DeleteObjects",
        ),
        ("s3", "create_multipart_upload", KEY, "s3:CreateMultipartUpload"),
        ("s3", "delete_object", {**BUCKET, "Key": "copy"}, "s3:DeleteObject"),
        ("logs", "describe_log_groups", {}, "logs:DescribeLogGroups"),
        ("cloudformation", "describe_stacks", {}, "cloudformation:DescribeStacks"),
        ("sts", "get_caller_identity", {}, "sts:GetCallerIdentity"),
    ],
)
def test_a_call_is_counted_under_its_name(account, service, method, arguments, name):
    client = account.client(service)
    account.emulator.reset_calls()
    getattr(client, method)(**arguments)
    assert account.emulator.calls() == {name: 1}


def test_a_presigned_request_is_counted_too(account):
    s3 = account.client("s3")
    s3.put_object(**KEY, Body=b"body")
    url = s3.generate_presigned_url("get_object", Params=KEY)
    account.emulator.reset_calls()
    with aws_batch_emulator.client._OPENER.open(url) as reply:
        assert reply.read() == b"body"
    assert account.emulator.calls() == {"s3:GetObject": 1}


def test_the_users_calls_are_counted_apart_from_the_jobs(account):
    account.emulator.reset_calls()
    # A container is told the Region by a name that boto3 does not read; a client of another Region
    # would be sent on, and ask twice.
    script = (
        "import boto3, os; s3 = boto3.client('s3', region_name=os.environ['AWS_REGION']);"
        " s3.head_bucket(Bucket='tomobatch-data')"
    )
    assert account.run("python", "-c", script)["status"] == "SUCCEEDED"
    assert account.emulator.calls("job") == {"s3:HeadBucket": 1}
    assert account.emulator.calls("user")["batch:SubmitJob"] == 1
    assert "s3:HeadBucket" not in account.emulator.calls("user")
    assert account.emulator.calls(None)["s3:HeadBucket"] == 1


def test_a_request_that_is_neither_aws_nor_control_is_refused(account):
    with pytest.raises(aws_batch_emulator.EmulatorError, match="neither a signed AWS call"):
        account.emulator._request("GET", "nothing")


def test_the_environment_is_all_a_client_needs(account, monkeypatch):
    for name, value in account.emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    session = boto3.session.Session()
    session.client("s3").head_bucket(**BUCKET)
