"""What each role may and may not do, worked out from the templates."""

import json

import pytest
from tests.infrastructure.arns import (
    ACCOUNT,
    BATCH,
    BUCKET,
    ECR,
    ECS,
    LOGS,
    NO_PART_IN_RUNS,
    STACKS,
)
from tests.infrastructure.policies import is_allowed, statements_of, trust_of
from tests.infrastructure.templates import NAMES, Template


@pytest.fixture(scope="module")
def user(iam):
    return iam.only("AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"]


DATA = [
    ("s3:GetObject", f"{BUCKET}/scans/tooth.h5", None, True),
    ("s3:PutObject", f"{BUCKET}/scans/tooth.h5", None, False),
    ("s3:DeleteObject", f"{BUCKET}/scans/tooth.h5", None, False),
    ("s3:GetObject", f"{BUCKET}/runs/r1/results/tooth/volume.ome.zarr/0/c/0/0/0", None, True),
    ("s3:PutObject", f"{BUCKET}/runs/r1/results/tooth/volume.ome.zarr/0/c/0/0/0", None, True),
    ("s3:DeleteObject", f"{BUCKET}/runs/r1/results/tooth/report.html", None, True),
    ("s3:AbortMultipartUpload", f"{BUCKET}/runs/r1/results/tooth/report.html", None, True),
    ("s3:GetObject", f"{BUCKET}/scratch/r1/lists/l1.json", None, True),
    ("s3:GetObject", f"{BUCKET}/runs/r1/run.json", None, True),
    ("s3:GetObject", "arn:aws:s3:::beamline-b/2026/tooth.h5", None, True),
    ("s3:PutObject", "arn:aws:s3:::beamline-b/2026/tooth.h5", None, False),
    ("s3:ListBucket", "arn:aws:s3:::beamline-b", {"s3:prefix": "2026"}, True),
    ("s3:PutObject", f"{BUCKET}/scratch/r1/outcomes/l1/0.json", None, True),
    ("s3:PutObject", f"{BUCKET}/scratch/r1/attempts/l1/0_1", None, True),
    ("s3:PutObject", f"{BUCKET}/scratch/r1/claims/l1/0", None, True),
    ("s3:GetObject", f"{BUCKET}/scratch/r1/pilots/p1/control.json", None, True),
    ("s3:DeleteObject", f"{BUCKET}/scratch/r1/outcomes/l1/0.json", None, False),
    ("s3:GetObject", f"{BUCKET}/elsewhere/secret", None, False),
    ("s3:PutObject", f"{BUCKET}/elsewhere/secret", None, False),
    ("s3:GetObject", "arn:aws:s3:::another-bucket/scans/tooth.h5", None, False),
    ("s3:ListBucket", BUCKET, {"s3:prefix": "runs/r1/"}, True),
    # The folder of scans/tooth.h5, as Snakemake's storage lists it.
    ("s3:ListBucket", BUCKET, {"s3:prefix": "scans"}, True),
    ("s3:ListBucket", BUCKET, {"s3:prefix": "runs"}, True),
    ("s3:ListBucket", BUCKET, {"s3:prefix": "scratch"}, True),
    ("s3:ListBucket", BUCKET, {"s3:prefix": "elsewhere/"}, False),
    ("s3:ListBucket", BUCKET, {"s3:prefix": "elsewhere"}, False),
    ("s3:ListBucket", BUCKET, {"s3:prefix": "scans-of-others/"}, False),
    ("s3:ListBucket", BUCKET, None, True),  # HeadBucket
    ("s3:ListBucket", "arn:aws:s3:::another-bucket", {"s3:prefix": "runs/"}, False),
    ("s3:DeleteBucket", BUCKET, None, False),
    ("s3:CreateBucket", "arn:aws:s3:::another-bucket", None, False),
    ("s3:PutBucketPolicy", BUCKET, None, False),
    ("s3:PutObjectAcl", f"{BUCKET}/runs/r1/x", None, False),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/any", None, False),
    ("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/any", None, False),
    ("ecr:PutImage", f"{ECR}/tomobatch", None, False),
]
# What decides which code later jobs run: lists of commands, sources, and who controls a run.
CODE = [
    f"{BUCKET}/scratch/r1/lists/l1.json",
    f"{BUCKET}/scratch/r1/closed/l1",
    f"{BUCKET}/scratch/r1/sources/abc.tar.xz",
    f"{BUCKET}/scratch/r1/pilots/p1/control.json",
    f"{BUCKET}/scratch/r1/pilots/claims/control.json",
    f"{BUCKET}/scratch/r1/lists/outcomes/l1.json",
    f"{BUCKET}/scratch/r1/sources/attempts/abc.tar.xz",
    f"{BUCKET}/runs/r1/run.json",
    f"{BUCKET}/runs/r1/sources.tar.gz",
]
CONTROL = [
    ("batch:SubmitJob", f"{BATCH}:job-queue/tomobatch-cpu", True),
    ("batch:SubmitJob", f"{BATCH}:job-queue/tomobatch-gpu", True),
    ("batch:SubmitJob", f"{BATCH}:job-queue/tomobatch-fargate", True),
    ("batch:SubmitJob", f"{BATCH}:job-definition/tomobatch-cpu:7", True),
    ("batch:SubmitJob", f"{BATCH}:job-definition/tomobatch-fargate:7", True),
    ("batch:SubmitJob", f"{BATCH}:job-definition/tomobatch-gpu:7", True),
    ("batch:SubmitJob", f"{BATCH}:job-definition/another:1", False),
    # Another set-up in the same account, whose prefix begins as ours.
    ("batch:SubmitJob", f"{BATCH}:job-queue/tomobatch-b-cpu", False),
    ("batch:SubmitJob", f"{BATCH}:job-definition/tomobatch-b-cpu:1", False),
    ("batch:SubmitJob", f"{BATCH}:job-queue/another", False),
    ("batch:SubmitJob", f"arn:aws:batch:us-east-1:{ACCOUNT}:job-queue/tomobatch-cpu", False),
    ("batch:TerminateJob", f"{BATCH}:job/0001", True),
    ("batch:TagResource", f"{BATCH}:job/0001", True),
    ("batch:TagResource", f"{BATCH}:job-queue/tomobatch-cpu", False),
    ("batch:DescribeJobs", "*", True),
    ("batch:ListJobs", "*", True),
    ("batch:RegisterJobDefinition", f"{BATCH}:job-definition/tomobatch-cpu", False),
    ("batch:UpdateComputeEnvironment", f"{BATCH}:compute-environment/any", False),
    ("batch:DeleteJobQueue", f"{BATCH}:job-queue/tomobatch-cpu", False),
    ("logs:GetLogEvents", f"{LOGS}:/tomobatch/jobs:log-stream:cpu/default/1", True),
    ("logs:GetLogEvents", f"{LOGS}:/another:log-stream:1", False),
    ("logs:DeleteLogGroup", f"{LOGS}:/tomobatch/jobs", False),
    ("cloudformation:DescribeStacks", f"{STACKS}/tomobatch-batch/1", True),
    ("cloudformation:DescribeStacks", f"{STACKS}/tomobatch-storage/1", True),
    ("cloudformation:DescribeStacks", f"{STACKS}/tomobatch-b-storage/1", False),
    ("cloudformation:DescribeStacks", f"{STACKS}/another/1", False),
    ("cloudformation:DeleteStack", f"{STACKS}/tomobatch-batch/1", False),
    ("ec2:RunInstances", "*", False),
    ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/any", False),
]
# Beyond what a head job may do.
USER = [
    ("s3:PutObject", f"{BUCKET}/scans/tooth.h5", True),
    ("s3:DeleteObject", f"{BUCKET}/scans/tooth.h5", True),
    ("s3:ListMultipartUploadParts", f"{BUCKET}/scans/tooth.h5", True),
    ("s3:ListBucketMultipartUploads", BUCKET, True),
    ("s3:GetObject", "arn:aws:s3:::beamline-a/tooth.h5", True),
    ("s3:PutObject", "arn:aws:s3:::beamline-a/tooth.h5", False),
    ("s3:GetObject", "arn:aws:s3:::another-bucket/tooth.h5", False),
    ("s3:PutBucketPolicy", BUCKET, False),
    ("s3:DeleteBucket", BUCKET, False),
    ("batch:SubmitJob", f"{BATCH}:job-definition/tomobatch-head:3", True),
    ("batch:CancelJob", f"{BATCH}:job/0001", True),
    ("batch:DescribeComputeEnvironments", "*", True),
    ("batch:DescribeJobQueues", "*", True),
    ("ec2:DescribeSpotPriceHistory", "*", True),
    ("ec2:DescribeVpcAttribute", "*", True),
    ("servicequotas:GetServiceQuota", "*", True),
    ("cloudformation:DescribeStacks", f"{STACKS}/tomobatch-gpu-ami/1", True),
    ("cloudformation:CreateChangeSet", f"{STACKS}/tomobatch-batch/1", False),
    ("ecr:PutImage", f"{ECR}/tomobatch", True),
    ("ecr:PutImage", f"{ECR}/another", False),
    ("ecr:DeleteRepository", f"{ECR}/tomobatch", False),
    ("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/any", False),
    ("iam:AttachUserPolicy", f"arn:aws:iam::{ACCOUNT}:user/me", False),
]
START = [
    ("ecr:GetAuthorizationToken", "*", True),
    ("ecr:BatchGetImage", f"{ECR}/tomobatch", True),
    ("ecr:GetDownloadUrlForLayer", f"{ECR}/tomobatch", True),
    ("ecr:BatchGetImage", f"{ECR}/another", False),
    ("ecr:PutImage", f"{ECR}/tomobatch", False),
    ("logs:CreateLogStream", f"{LOGS}:/tomobatch/jobs:log-stream:cpu/default/1", True),
    ("logs:PutLogEvents", f"{LOGS}:/tomobatch/jobs:log-stream:cpu/default/1", True),
    ("logs:PutLogEvents", f"{LOGS}:/another:log-stream:1", False),
    ("logs:CreateLogGroup", f"{LOGS}:/another", False),
    *NO_PART_IN_RUNS,
]
JOIN = [
    ("ecs:RegisterContainerInstance", f"{ECS}:cluster/AWSBatch-1", True),
    ("ecs:SubmitTaskStateChange", f"{ECS}:cluster/AWSBatch-1", True),
    ("ecs:Poll", f"{ECS}:container-instance/AWSBatch-1/2", True),
    ("ecs:UpdateContainerInstancesState", f"{ECS}:container-instance/AWSBatch-1/2", True),
    ("ecs:DiscoverPollEndpoint", "*", True),
    ("ecs:Poll", f"arn:aws:ecs:us-east-1:{ACCOUNT}:container-instance/c/1", False),
    ("ecs:RunTask", f"{ECS}:cluster/AWSBatch-1", False),
    ("ecs:CreateCluster", f"{ECS}:cluster/AWSBatch-1", False),
    ("ec2:TerminateInstances", "*", False),
]


@pytest.mark.parametrize(("action", "resource", "context", "allowed"), DATA)
def test_jobs_reach_their_prefixes_of_the_bucket(iam, action, resource, context, allowed):
    assert is_allowed(statements_of(iam, "JobRole"), action, resource, context) is allowed


@pytest.mark.parametrize("resource", CODE)
@pytest.mark.parametrize("action", ["s3:PutObject", "s3:DeleteObject"])
def test_a_job_decides_nothing_that_a_later_job_runs(iam, resource, action):
    assert not is_allowed(statements_of(iam, "JobRole"), action, resource)


@pytest.mark.parametrize("resource", CODE)
def test_a_controller_writes_what_controls_a_run(iam, user, resource):
    assert is_allowed(statements_of(iam, "HeadJobRole"), "s3:PutObject", resource)
    assert is_allowed(user, "s3:PutObject", resource)


@pytest.mark.parametrize(("action", "resource", "context", "allowed"), DATA)
def test_the_head_job_reaches_the_same_data(iam, action, resource, context, allowed):
    statements = statements_of(iam, "HeadJobRole")
    assert is_allowed(statements, action, resource, context) is allowed


@pytest.mark.parametrize(("action", "resource", "allowed"), CONTROL)
def test_only_the_head_job_and_users_control_jobs(iam, user, action, resource, allowed):
    assert is_allowed(statements_of(iam, "HeadJobRole"), action, resource) is allowed
    assert is_allowed(user, action, resource) is allowed
    assert not is_allowed(statements_of(iam, "JobRole"), action, resource)


@pytest.mark.parametrize(
    ("topic", "allowed"),
    [
        ("tomobatch-batch-NoticeTopic-8XF3", True),
        ("tomobatch-b-batch-NoticeTopic-8XF3", False),
        ("another", False),
    ],
)
def test_only_the_head_job_sends_mails_and_only_to_our_address(iam, user, topic, allowed):
    resource = f"arn:aws:sns:eu-central-1:{ACCOUNT}:{topic}"
    assert is_allowed(statements_of(iam, "HeadJobRole"), "sns:Publish", resource) is allowed
    assert not is_allowed(statements_of(iam, "JobRole"), "sns:Publish", resource)
    assert not is_allowed(user, "sns:Publish", resource)


@pytest.mark.parametrize("prefix", ["scans", "runs/r1/", "scratch/r1/lists/"])
@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:ListBucketMultipartUploads"])
def test_a_user_lists_the_folders_of_scans_and_runs(user, action, prefix):
    assert is_allowed(user, action, BUCKET, {"s3:prefix": prefix})
    assert is_allowed(user, action, BUCKET)  # HeadBucket
    assert not is_allowed(user, action, BUCKET, {"s3:prefix": f"of-others/{prefix}"})


@pytest.mark.parametrize(("action", "resource", "allowed"), USER)
def test_a_user_sets_nothing_up_and_makes_no_rights(user, action, resource, allowed):
    assert is_allowed(user, action, resource) is allowed


def test_a_policy_of_users_fits_into_one(user):
    # 6,144 characters without white space, by IAM's quotas.
    assert len("".join(json.dumps(user).split())) < 5000


def test_no_bucket_elsewhere_unless_one_is_named():
    template = Template("iam")
    assert "ReadElsewhereAccess" not in template.resources("AWS::IAM::Policy")
    assert "beamline" not in str(template.resources("AWS::IAM::ManagedPolicy"))


@pytest.mark.parametrize("role", ["ExecutionRole", "InstanceRole"])
@pytest.mark.parametrize(("action", "resource", "allowed"), START)
def test_what_starts_containers(iam, role, action, resource, allowed):
    assert is_allowed(statements_of(iam, role), action, resource) is allowed


@pytest.mark.parametrize(("action", "resource", "allowed"), JOIN)
def test_only_machines_join_a_cluster(iam, action, resource, allowed):
    assert is_allowed(statements_of(iam, "InstanceRole"), action, resource) is allowed
    assert not is_allowed(statements_of(iam, "ExecutionRole"), action, resource)


@pytest.mark.parametrize(
    ("context", "allowed"), [({"ecs:CreateAction": "RegisterContainerInstance"}, True), ({}, False)]
)
def test_machines_tag_themselves_only_when_they_register(iam, context, allowed):
    resource = f"{ECS}:container-instance/AWSBatch-1/2"
    statements = statements_of(iam, "InstanceRole")
    assert is_allowed(statements, "ecs:TagResource", resource, context) is allowed


@pytest.mark.parametrize("role", ["JobRole", "HeadJobRole", "ExecutionRole"])
@pytest.mark.parametrize(("account", "allowed"), [(ACCOUNT, True), ("999999999999", False)])
def test_tasks_of_this_account_only_take_the_roles_of_containers(iam, role, account, allowed):
    asked = is_allowed(
        trust_of(iam, role),
        "sts:AssumeRole",
        context={"aws:SourceAccount": account},
        principal={"Service": "ecs-tasks.amazonaws.com"},
    )
    assert asked is allowed


def test_the_bucket_is_reached_over_current_tls_only():
    template = Template("storage")
    statements = template.only("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    # Requests that some role is allowed: does the bucket's own policy deny them?
    statements.append({"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"})

    def reached(tls, version):
        context = {"aws:SecureTransport": tls, "s3:TlsVersion": version}
        return is_allowed(statements, "s3:GetObject", "<DataBucket.Arn>/runs/x", context)

    assert reached(True, "1.3")
    assert reached(True, "1.2")
    assert not reached(True, "1.1")
    assert not reached(False, None)


@pytest.mark.parametrize("name", NAMES)
def test_no_statement_allows_every_action(name):
    template = Template(name)
    roles = template.resources("AWS::IAM::Role")
    for role in roles:
        for statement in statements_of(template, role):
            actions = statement["Action"]
            actions = [actions] if isinstance(actions, str) else actions
            assert not [action for action in actions if "*" in action], (role, statement)


def test_a_star_resource_has_a_comment_that_says_why():
    for name in NAMES:
        lines = Template(name).text.splitlines()
        for number, line in enumerate(lines):
            if line.strip() == 'Resource: "*"':
                above = lines[max(0, number - 20) : number]
                statement = max(i for i, text in enumerate(above) if "- Sid:" in text)
                assert above[statement - 1].strip().startswith("#"), f"{name}.yaml:{number + 1}"
