"""Jobs and what starts them may do what their roles allow, and no more."""

import json

import pytest

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


def test_a_child_has_its_own_roles_keys_and_nothing_more(account, words):
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
