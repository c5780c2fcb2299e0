"""Queues, definitions and places of a deployment, from settings and the outputs of stacks."""

import json

import boto3
import pytest

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.deployment import resolve_deployment
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.settings import (
    ExecutorSettings,
)
from snakemake_executor_plugin_aws_batch_array.store import S3Path


def no_stacks():
    raise AssertionError("the stacks must not be asked for")


def resolve(prefix="s3://bucket/results", **settings):
    return resolve_deployment(ExecutorSettings(**settings), prefix, no_stacks)


def deploy_stack(name, **outputs):
    body = {
        "Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(body))


@pytest.mark.parametrize(
    ("asked", "n_gpus", "queue"),
    [
        ("", 0, "arn-cpu"),
        ("", 1, "arn-gpu"),
        ("cpu", 1, "arn-cpu"),
        ("gpu", 0, "arn-gpu"),
        ("some-queue", 0, "some-queue"),
        ("arn:aws:batch:::job-queue/x", 0, "arn:aws:batch:::job-queue/x"),
        ("lab-big", 0, "arn:aws:batch:::job-queue/lab-big"),
    ],
)
def test_queues_by_short_name_name_and_arn(asked, n_gpus, queue):
    big = "arn:aws:batch:::job-queue/lab-big"
    deployment = resolve(queues={"cpu": "arn-cpu", "gpu": "arn-gpu", "big": big})

    assert deployment.queue(asked, n_gpus) == queue


def test_the_queue_of_tasks_on_fargate_has_a_name_of_its_own():
    deployment = resolve(queues={"cpu": "arn-cpu", "fargate": "arn-tasks"})

    assert deployment.queue("fargate", 0) == "arn-tasks"
    assert deployment.is_fargate("arn-tasks")
    assert not deployment.is_fargate("arn-cpu")


def test_the_job_queue_is_for_jobs_no_other_setting_sends_away():
    deployment = resolve(job_queue="one", queues={"gpu": "two"})

    assert deployment.queue("", 0) == "one"
    assert deployment.queue("", 1) == "two"


@pytest.mark.parametrize(("n_gpus", "message"), [(0, "without a GPU"), (2, "with a GPU")])
def test_without_a_queue_the_user_is_told_what_to_set(n_gpus, message):
    with pytest.raises(UserError, match=message):
        resolve().queue("", n_gpus)


@pytest.mark.parametrize("queue", ["cpu", "arn/lab-cpu", "lab-cpu"])
def test_definitions_are_found_by_queue(queue):
    deployment = resolve(queues={"cpu": "arn/lab-cpu"}, job_definitions={"cpu": "definition:3"})

    assert deployment.job_definition(deployment.queue(queue, 0)) == "definition:3"
    assert deployment.job_definition("other") is None


@pytest.mark.parametrize(
    ("prefix", "s3_prefix", "lists"),
    [
        ("s3://bucket/results", None, S3Path("bucket", "results/.aws-batch-array")),
        ("s3://bucket", None, S3Path("bucket", ".aws-batch-array")),
        ("s3://bucket/results", "s3://other/lists", S3Path("other", "lists")),
    ],
)
def test_where_lists_go(prefix, s3_prefix, lists):
    assert resolve(prefix, s3_prefix=s3_prefix).lists == lists


@pytest.mark.parametrize("prefix", [None, "gs://bucket"])
def test_without_s3_there_is_no_place_for_lists(prefix):
    with pytest.raises(UserError, match="s3-prefix"):
        resolve(prefix)


def test_stack_outputs_fill_what_the_settings_leave_out(aws):
    deploy_stack("lab-batch", CpuJobQueue="q-cpu", GpuJobQueue="q-gpu", CpuJobDefinition="d-cpu")
    deploy_stack("lab-storage", DataBucket="lab-data", LogGroup="/lab")
    deploy_stack("other-batch", CpuJobQueue="wrong")
    settings = ExecutorSettings(stack="lab", queues={"gpu": "mine", "big": "large"})

    deployment = resolve_deployment(settings, None, lambda: make_client("cloudformation"))

    assert deployment.queues == {"cpu": "q-cpu", "gpu": "mine", "big": "large"}
    assert deployment.job_definitions == {"cpu": "d-cpu"}
    assert deployment.log_group == "/lab"
    assert deployment.lists.bucket == "lab-data"
    assert not deployment.may_pilot


def test_pilots_need_stacks_whose_jobs_may_claim_commands(aws):
    deploy_stack("lab-batch", CpuJobQueue="q-cpu", CpuJobDefinition="d-cpu")
    deploy_stack("lab-iam", PilotClaims="s3://lab/*/claims/*")
    settings = ExecutorSettings(stack="lab")

    assert resolve_deployment(
        settings, "s3://lab/runs", lambda: make_client("cloudformation")
    ).may_pilot
    assert resolve().may_pilot


@pytest.mark.parametrize(
    ("fair", "settings", "share"),
    [
        ("yes", {}, "marycurie"),
        ("no", {}, ""),
        ("yes", {"share_identifier": "lab"}, "lab"),
    ],
)
def test_where_a_stack_has_fair_share_each_user_has_a_share(
    aws, monkeypatch, fair, settings, share
):
    monkeypatch.setattr("getpass.getuser", lambda: "mary.curie")
    body = {
        "Parameters": {"FairShare": {"Type": "String"}},
        "Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}},
        "Outputs": {"DataBucket": {"Value": "b"}},
    }
    boto3.client("cloudformation").create_stack(
        StackName="lab-batch",
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": "FairShare", "ParameterValue": fair}],
    )
    asked = ExecutorSettings(stack="lab", **settings)

    deployment = resolve_deployment(asked, None, lambda: make_client("cloudformation"))

    assert deployment.share == share


def test_a_stack_that_is_not_there_is_named(aws):
    settings = ExecutorSettings(stack="lab")

    with pytest.raises(UserError, match="lab-batch"):
        resolve_deployment(settings, None, lambda: make_client("cloudformation"))


def test_a_region_must_be_known(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(UserError, match="Region"):
        make_client("batch")
