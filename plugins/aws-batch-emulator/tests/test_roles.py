"""Everyone may do what the policies of their role or user allow, and is refused as AWS refuses."""

import json

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import aws_batch_emulator

BUCKET = "tomobatch-data"
USER = "arn:aws:iam::123456789012:user/user"


def client(emulator, service, environment=None, **more):
    environment = environment or emulator.environment
    return boto3.client(
        service,
        endpoint_url=emulator.endpoint_url,
        region_name=emulator.region,
        **{
            "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
            "config": Config(retries={"total_max_attempts": 1}, proxies={}),
            **more,
        },
    )


@pytest.fixture
def user(shared_emulator):
    """Make clients of the user, who has the policy that the stack made for users."""
    return lambda service: client(shared_emulator, service)


def refusal(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"]["Message"],
    )


def words(action, resource, arn=USER):
    return (
        f"User: {arn} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


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
    user, service, method, arguments, status, code, action, resource
):
    found = refusal(getattr(user(service), method), **arguments)
    assert found == (status, code, words(action, resource))


def test_ec2_says_it_in_its_own_way(user):
    status, code, message = refusal(user("ec2").describe_vpcs)
    assert (status, code) == (403, "UnauthorizedOperation")
    assert message.startswith("You are not authorized to perform this operation. User: ")


def test_a_head_is_refused_without_a_word(user):
    status, code, _ = refusal(user("s3").head_object, Bucket="another", Key="x")
    assert (status, code) == (403, "403")


def test_who_may_not_list_a_bucket_never_learns_what_is_missing(shared_emulator, account):
    """GetObject and HeadObject, "Permissions": 403 in place of 404."""
    reader = new_user(
        shared_emulator, account, "reader", "s3:GetObject", f"arn:aws:s3:::{BUCKET}/*"
    )
    account.client("s3").put_object(Bucket=BUCKET, Key="there", Body=b"x")
    assert reader("s3").get_object(Bucket=BUCKET, Key="there")["Body"].read() == b"x"
    status, code, message = refusal(reader("s3").get_object, Bucket=BUCKET, Key="not-there")
    assert (status, code) == (403, "AccessDenied")
    assert "s3:ListBucket" in message
    assert refusal(reader("s3").head_object, Bucket=BUCKET, Key="not-there")[:2] == (403, "403")
    missing = refusal(account.client("s3").get_object, Bucket=BUCKET, Key="not-there")
    assert missing[:2] == (404, "NoSuchKey")


def new_user(emulator, account, name, actions, resources):
    """Add a user to the account, and return what makes its clients."""
    iam = account.client("iam")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    document = {"Version": "2012-10-17", "Statement": statement}
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return lambda service: client(
        emulator,
        service,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )


def test_of_many_objects_those_are_deleted_that_may_be(shared_emulator, account):
    """DeleteObjects, "Response syntax": the reply is a success, with an error for each key."""
    arn = f"arn:aws:s3:::{BUCKET}/mine/*"
    cleaner = new_user(shared_emulator, account, "cleaner", ["s3:DeleteObject"], arn)
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


def test_to_submit_is_to_be_allowed_queue_and_definition_and_tags(shared_emulator, account):
    """Service authorization reference, AWS Batch: SubmitJob has two resources."""
    arn = "arn:aws:batch:eu-central-1:123456789012:"
    request = {"jobName": "j", "jobQueue": "tomobatch-cpu", "jobDefinition": "tomobatch-cpu"}
    half = new_user(
        shared_emulator, account, "half", "batch:SubmitJob", f"{arn}job-queue/tomobatch-cpu"
    )
    message = refusal(half("batch").submit_job, **request)[2]
    assert f"batch:SubmitJob on resource: {arn}job-definition/tomobatch-cpu" in message
    submit = new_user(shared_emulator, account, "submit", "batch:SubmitJob", "*")
    message = refusal(submit("batch").submit_job, **request, tags={"a": "b"})[2]
    assert f"batch:TagResource on resource: {arn}job/*" in message
    job_id = submit("batch").submit_job(**request)["jobId"]
    message = refusal(submit("batch").terminate_job, jobId=job_id, reason="r")[2]
    assert f"batch:TerminateJob on resource: {arn}job/{job_id}" in message


def test_a_definition_passes_its_roles_on(shared_emulator, account):
    """IAM user guide, "Granting a user permissions to pass a role to an AWS service"."""
    register = new_user(shared_emulator, account, "register", "batch:RegisterJobDefinition", "*")
    role = "arn:aws:iam::123456789012:role/tomobatch-job"
    container = {"image": "i", "vcpus": 1, "memory": 64, "jobRoleArn": role}
    message = refusal(
        register("batch").register_job_definition,
        jobDefinitionName="passed",
        type="container",
        containerProperties=container,
    )[2]
    assert f"iam:PassRole on resource: {role}" in message


def test_jobs_can_be_told_apart_by_their_tags(shared_emulator, account):
    """Service authorization reference: aws:ResourceTag is a condition key of TerminateJob."""
    iam = account.client("iam")
    ender = new_user(shared_emulator, account, "ender", "batch:DescribeJobs", "*")
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
def test_a_key_that_is_nobodys_is_refused(shared_emulator, service, method, code):
    stranger = client(shared_emulator, service, aws_access_key_id="AKIANOBODY")
    assert refusal(getattr(stranger, method))[1] == code


def test_keys_of_a_session_are_nothing_without_its_token(shared_emulator, account):
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


WHO = """
import boto3, os
assert "AWS_ACCESS_KEY_ID" not in os.environ
# As on AWS: the child is told its Region, but boto3 does not read AWS_REGION.
boto3.setup_default_session(region_name=os.environ["AWS_REGION"])
print(boto3.client("sts").get_caller_identity()["Arn"])
boto3.client("s3").put_object(Bucket="tomobatch-data", Key="from-a-child", Body=b"x")
try:
    boto3.client("batch").list_jobs(jobQueue="tomobatch-cpu")
except Exception as error:
    print(error)
"""


def test_a_child_has_its_own_roles_keys_and_nothing_more(account):
    job = account.run("python", "-c", WHO)
    task = job["container"]["taskArn"].rpartition("/")[2]
    arn = f"arn:aws:sts::123456789012:assumed-role/tomobatch-job/{task}"
    who, denied = account.log(job)
    assert who == arn
    assert denied.endswith(words("batch:ListJobs", "*", arn))


def test_the_head_job_has_the_head_jobs_role(account):
    job = account.run("python", "-c", WHO, jobDefinition="tomobatch-head")
    (who,) = account.log(job)
    assert "assumed-role/tomobatch-head-job/" in who


def role(account, name, statement, service="ecs-tasks"):
    """Add a role that a service may take."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = {"Version": "2012-10-17", "Statement": [trust]}
    iam = account.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
    document["Statement"] = [statement]
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    return f"arn:aws:iam::123456789012:role/{name}"


def run_with(account, name, **roles):
    container = {
        "image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/tomobatch:1",
        "vcpus": 1,
        "memory": 64,
        **roles,
    }
    account.batch.register_job_definition(
        jobDefinitionName=name, type="container", containerProperties=container
    )
    return account.run("true", jobDefinition=name)


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def test_a_role_that_tasks_may_not_take_starts_nothing(account):
    """ECS developer guide, "Stopped tasks error messages"."""
    arn = role(account, "of-machines", EVERYTHING, service="ec2")
    job = run_with(account, "wrong-trust", jobRoleArn=arn)
    assert job["status"] == "FAILED"
    assert job["statusReason"].startswith(f"ECS was unable to assume the role '{arn}'")


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("logs:*", "CannotPullContainerError: AccessDeniedException: User: "),
        ("ecr:*", "CannotStartContainerError: failed to initialize logging driver"),
    ],
)
def test_what_the_execution_role_may_not_do_is_not_done(account, action, reason):
    """ECS developer guide, "Amazon ECS task execution IAM role"."""
    name = f"execution-{action[:-2]}"
    arn = role(account, name, {**EVERYTHING, "Action": action})
    job = run_with(account, name, executionRoleArn=arn)
    assert job["status"] == "FAILED"
    assert job["container"]["reason"].startswith(reason)


BUCKET_TEMPLATE = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "guarded"}},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:PutObject",
                            "Resource": "arn:aws:s3:::guarded/*",
                        },
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:*",
                            "Resource": "arn:aws:s3:::guarded/*",
                            "Condition": {"Bool": {"aws:SecureTransport": False}},
                        },
                    ],
                },
            },
        },
    }
}


def test_a_buckets_policy_of_a_stack_holds_for_administrators_too(account):
    stacks = account.client("cloudformation")
    stacks.create_stack(StackName="guarded", TemplateBody=json.dumps(BUCKET_TEMPLATE))
    s3 = account.client("s3")
    _, code, message = refusal(s3.put_object, Bucket="guarded", Key="x", Body=b"x")
    assert code == "AccessDenied"
    assert message.endswith("with an explicit deny in a resource-based policy")
    assert refusal(s3.get_object, Bucket="guarded", Key="x")[1] == "NoSuchKey"
    stacks.delete_stack(StackName="guarded")
    assert refusal(s3.head_bucket, Bucket="guarded")[0] == 404


def test_a_stack_with_a_policy_that_someone_has_stays(account):
    """IAM API, DeletePolicy: "first detach the policy from all users, groups, and roles"."""
    document = {"Version": "2012-10-17", "Statement": [EVERYTHING]}
    policy = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"ManagedPolicyName": "lab-User", "PolicyDocument": document},
    }
    stacks, iam = account.client("cloudformation"), account.client("iam")
    stacks.create_stack(
        StackName="lab",
        TemplateBody=json.dumps({"Resources": {"User": policy}}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    iam.create_user(UserName="ada")
    attached = {"UserName": "ada", "PolicyArn": "arn:aws:iam::123456789012:policy/lab-User"}
    iam.attach_user_policy(**attached)
    stacks.delete_stack(StackName="lab")
    (stack,) = stacks.describe_stacks(StackName="lab")["Stacks"]
    assert stack["StackStatus"] == "DELETE_FAILED"
    iam.detach_user_policy(**attached)
    stacks.delete_stack(StackName="lab")
    assert "lab" not in [s["StackName"] for s in stacks.describe_stacks()["Stacks"]]


def test_what_was_decided_is_kept_by_role_and_statement(account):
    account.emulator.reset_decisions()
    account.run("python", "-c", WHO)
    decisions = account.emulator.decisions()
    of_job = {
        (d["call"], d["action"], d["allowed"], d["policy"], d["statement"])
        for d in decisions
        if d["caller"] == "tomobatch-job"
    }
    assert of_job == {
        ("s3:PutObject", "s3:PutObject", True, "tomobatch-job", "Data"),
        ("batch:ListJobs", "batch:ListJobs", False, "", ""),
    }
    assert {d["call"] for d in decisions if d["caller"] == "tomobatch-execution"} == {
        "ecr:GetAuthorizationToken",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_a_new_account_has_a_user_without_rights_until_someone_grants_them():
    with aws_batch_emulator.start(stack=None) as emulator:
        buckets = client(emulator, "s3").list_buckets
        assert refusal(buckets)[1] == "AccessDenied"
        iam = client(emulator, "iam", emulator.administrator)
        document = {"Version": "2012-10-17", "Statement": [EVERYTHING]}
        iam.create_policy(PolicyName="all", PolicyDocument=json.dumps(document))
        emulator.grant("all")
        assert buckets()["Buckets"] == []
        with pytest.raises(aws_batch_emulator.EmulatorError, match="no managed policy none"):
            emulator.grant("none")


def test_roles_can_be_left_out_on_demand():
    with aws_batch_emulator.start(stack=None, enforce_roles=False) as emulator:
        stranger = client(emulator, "s3", aws_access_key_id="AKIANOBODY")
        assert stranger.list_buckets()["Buckets"] == []
