"""Everyone may do what the policies of their role or user allow, and is refused as AWS refuses."""

import json

import pytest

import aws_batch_emulator

BUCKET = "tomobatch-data"


@pytest.fixture
def user(shared_emulator, client):
    """Make clients of the user, who has the policy that the stack made for users."""
    return lambda service: client(shared_emulator, service)


# Codes: "Common Errors" in each service's API reference; EC2 and S3: "Error codes" in theirs.
@pytest.mark.parametrize(
    ("service", "method", "arguments", "status", "code", "action", "resource"),
    [
        (
            "batch",
            "describe_job_queues",
            {},
            403,
            "AccessDeniedException",
            "batch:DescribeJobQueues",
            "*",
        ),
        (
            "logs",
            "delete_log_group",
            {"logGroupName": "/a"},
            400,
            "AccessDeniedException",
            "logs:DeleteLogGroup",
            "arn:aws:logs:eu-central-1:123456789012:log-group:/a:log-stream:",
        ),
        (
            "cloudformation",
            "describe_stacks",
            {"StackName": "another"},
            403,
            "AccessDenied",
            "cloudformation:DescribeStacks",
            "arn:aws:cloudformation:eu-central-1:123456789012:stack/another/*",
        ),
        (
            "ecr",
            "list_images",
            {"repositoryName": "tomobatch"},
            400,
            "AccessDeniedException",
            "ecr:ListImages",
            "arn:aws:ecr:eu-central-1:123456789012:repository/tomobatch",
        ),
        (
            "iam",
            "get_role",
            {"RoleName": "tomobatch-job"},
            403,
            "AccessDenied",
            "iam:GetRole",
            "arn:aws:iam::123456789012:role/tomobatch-job",
        ),
        (
            "s3",
            "list_objects_v2",
            {"Bucket": "another"},
            403,
            "AccessDenied",
            "s3:ListBucket",
            '"arn:aws:s3:::another"',
        ),
    ],
)
def test_refused_as_each_service_words_it(
    user, service, method, arguments, status, code, action, resource, refusal, words
):
    found = refusal(getattr(user(service), method), **arguments)
    assert found == (status, code, words(action, resource))


def test_ec2_says_it_in_its_own_way(user, refusal):
    status, code, message = refusal(user("ec2").describe_vpcs)
    assert (status, code) == (403, "UnauthorizedOperation")
    assert message.startswith("You are not authorized to perform this operation. User: ")


def test_a_head_is_refused_without_a_word(user, refusal):
    status, code, _ = refusal(user("s3").head_object, Bucket="another", Key="x")
    assert (status, code) == (403, "403")


def test_who_may_not_list_a_bucket_never_learns_what_is_missing(account, refusal, new_user):
    """GetObject and HeadObject, "Permissions": 403 in place of 404."""
    reader = new_user("reader", "s3:GetObject", f"arn:aws:s3:::{BUCKET}/*")
    account.client("s3").put_object(Bucket=BUCKET, Key="there", Body=b"x")
    assert reader("s3").get_object(Bucket=BUCKET, Key="there")["Body"].read() == b"x"
    status, code, message = refusal(reader("s3").get_object, Bucket=BUCKET, Key="not-there")
    assert (status, code) == (403, "AccessDenied")
    assert "s3:ListBucket" in message
    assert refusal(reader("s3").head_object, Bucket=BUCKET, Key="not-there")[:2] == (403, "403")
    missing = refusal(account.client("s3").get_object, Bucket=BUCKET, Key="not-there")
    assert missing[:2] == (404, "NoSuchKey")


@pytest.fixture
def new_user(shared_emulator, account, client):
    """Add a user to the account, and return what makes its clients."""

    def add(name, actions, resources, **more):
        iam = account.client("iam")
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": actions, "Resource": resources, **more}
        document = {"Version": "2012-10-17", "Statement": statement}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return lambda service: client(
            shared_emulator,
            service,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    return add


def test_of_many_objects_those_are_deleted_that_may_be(account, new_user):
    """DeleteObjects, "Response syntax": the reply is a success, with an error for each key."""
    arn = f"arn:aws:s3:::{BUCKET}/mine/*"
    cleaner = new_user("cleaner", ["s3:DeleteObject"], arn)
    s3 = account.client("s3")
    keys = ["mine/1", "mine/<2>", "yours/1"]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    asked = {"Objects": [{"Key": key} for key in keys]}
    reply = cleaner("s3").delete_objects(Bucket=BUCKET, Delete=asked)
    assert [item["Key"] for item in reply["Deleted"]] == ["mine/1", "mine/<2>"]
    assert [(e["Key"], e["Code"]) for e in reply["Errors"]] == [("yours/1", "AccessDenied")]
    left = s3.list_objects_v2(Bucket=BUCKET, Prefix="yours/")["Contents"]
    assert [item["Key"] for item in left] == ["yours/1"]
    s3.delete_object(Bucket=BUCKET, Key="yours/1")


def test_to_submit_is_to_be_allowed_queue_and_definition_and_tags(refusal, new_user):
    """Service authorization reference, AWS Batch: SubmitJob has two resources."""
    arn = "arn:aws:batch:eu-central-1:123456789012:"
    request = {"jobName": "j", "jobQueue": "tomobatch-cpu", "jobDefinition": "tomobatch-cpu"}
    half = new_user("half", "batch:SubmitJob", f"{arn}job-queue/tomobatch-cpu")
    message = refusal(half("batch").submit_job, **request)[2]
    assert f"batch:SubmitJob on resource: {arn}job-definition/tomobatch-cpu" in message
    submit = new_user("submit", "batch:SubmitJob", "*")
    message = refusal(submit("batch").submit_job, **request, tags={"a": "b"})[2]
    assert f"batch:TagResource on resource: {arn}job/*" in message
    job_id = submit("batch").submit_job(**request)["jobId"]
    message = refusal(submit("batch").terminate_job, jobId=job_id, reason="r")[2]
    assert f"batch:TerminateJob on resource: {arn}job/{job_id}" in message


def test_a_definition_passes_its_roles_on(refusal, new_user):
    """IAM user guide, "Granting a user permissions to pass a role to an AWS service"."""
    register = new_user("register", "batch:RegisterJobDefinition", "*")
    role = "arn:aws:iam::123456789012:role/tomobatch-job"
    container = {"image": "i", "vcpus": 1, "memory": 64, "jobRoleArn": role}
    message = refusal(
        register("batch").register_job_definition,
        jobDefinitionName="passed",
        type="container",
        containerProperties=container,
    )[2]
    assert f"iam:PassRole on resource: {role}" in message


def test_who_may_define_no_privileged_jobs_defines_others(refusal, new_user):
    """Service authorization reference, "Condition keys for AWS Batch": batch:Privileged."""
    unless_privileged = {"BoolIfExists": {"batch:Privileged": "false"}}
    register = new_user("careful", "batch:RegisterJobDefinition", "*", Condition=unless_privileged)

    def define(**more):
        container = {"image": "i", "vcpus": 1, "memory": 64, **more}
        return {
            "jobDefinitionName": "careful",
            "type": "container",
            "containerProperties": container,
        }

    for more in ({}, {"privileged": False}):
        register("batch").register_job_definition(**define(**more))
    message = refusal(register("batch").register_job_definition, **define(privileged=True))[2]
    assert "batch:RegisterJobDefinition on resource" in message


def test_jobs_can_be_told_apart_by_their_tags(account, refusal, new_user):
    """Service authorization reference: aws:ResourceTag is a condition key of TerminateJob."""
    iam = account.client("iam")
    ender = new_user("ender", "batch:DescribeJobs", "*")
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "batch:TerminateJob",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/run": "mine"}},
        },
    }
    iam.put_user_policy(UserName="ender", PolicyName="q", PolicyDocument=json.dumps(document))
    mine = account.submit("sleep", "30", tags={"run": "mine"})
    yours = account.submit("sleep", "30", tags={"run": "yours"})
    ender("batch").terminate_job(jobId=mine, reason="enough")
    assert refusal(ender("batch").terminate_job, jobId=yours, reason="enough")[0] == 403
    assert account.wait(mine)["statusReason"] == "enough"


@pytest.mark.parametrize(
    ("service", "method", "code"),
    [
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("batch", "describe_job_queues", "UnrecognizedClientException"),
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("ec2", "describe_vpcs", "AuthFailure"),
    ],
)
def test_a_key_that_is_nobodys_is_refused(shared_emulator, service, method, code, client, refusal):
    stranger = client(shared_emulator, service, aws_access_key_id="AKIANOBODY")
    assert refusal(getattr(stranger, method))[1] == code


def test_keys_of_a_session_are_nothing_without_its_token(shared_emulator, account, client, refusal):
    """IAM user guide, "Using temporary credentials": the token goes with every request."""
    role = "arn:aws:iam::123456789012:role/tomobatch-job"
    taken = account.client("sts").assume_role(RoleArn=role, RoleSessionName="mine")["Credentials"]
    keys = {
        "aws_access_key_id": taken["AccessKeyId"],
        "aws_secret_access_key": taken["SecretAccessKey"],
    }
    bare = client(shared_emulator, "sts", **keys)
    assert refusal(bare.get_caller_identity)[1] == "InvalidClientTokenId"
    whole = client(shared_emulator, "sts", **keys, aws_session_token=taken["SessionToken"])
    arn = whole.get_caller_identity()["Arn"]
    assert arn == "arn:aws:sts::123456789012:assumed-role/tomobatch-job/mine"


def test_a_new_account_has_a_user_without_rights_until_someone_grants_them(client, refusal):
    with aws_batch_emulator.start(stack=None) as emulator:
        buckets = client(emulator, "s3").list_buckets
        assert refusal(buckets)[1] == "AccessDenied"
        iam = client(emulator, "iam", emulator.administrator)
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
        }
        iam.create_policy(PolicyName="all", PolicyDocument=json.dumps(document))
        emulator.grant("all")
        assert buckets()["Buckets"] == []
        with pytest.raises(aws_batch_emulator.EmulatorError, match="no managed policy none"):
            emulator.grant("none")


def test_roles_can_be_left_out_on_demand(client):
    with aws_batch_emulator.start(stack=None, enforce_roles=False) as emulator:
        stranger = client(emulator, "s3", aws_access_key_id="AKIANOBODY")
        assert stranger.list_buckets()["Buckets"] == []
