"""The queue of tasks on Fargate Spot: made if it is asked for, as Batch takes it, and of use."""

import pytest
from tests.infrastructure.jobs import job, submit
from tests.infrastructure.templates import Template
from tests.waiting import wait_for

from aws_batch_emulator import fargate
from aws_batch_emulator.moto_refusals import as_called
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.deployment import resolve_deployment
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings
from snakemake_executor_plugin_aws_batch_array.submission import RETRY_RULES
from snakemake_executor_plugin_aws_batch_array.worker.host import MARKET_VARIABLE
from tomobatch.aws.account.checkup import examine_aws
from tomobatch.aws.account.deploy import deploy

DEFINITION = "AWS::Batch::JobDefinition"
KINDS = ("AWS::Batch::ComputeEnvironment", "AWS::Batch::JobQueue", DEFINITION)


@pytest.fixture(scope="module")
def asked():
    return Template("batch", Fargate="yes", NoticeEmail="lab@example.org")


@pytest.fixture(scope="module")
def definition(asked):
    return asked.resources(DEFINITION)["FargateJobDefinition"]


def test_it_is_there_if_it_is_asked_for(asked, batch):
    for kind in KINDS:
        assert not [name for name in batch.resources(kind) if "Fargate" in name]
        assert [name for name in asked.resources(kind) if "Fargate" in name]
    assert {*asked.outputs()} - {*batch.outputs()} == {"FargateJobQueue", "FargateJobDefinition"}
    blocked = asked.resources("AWS::Events::Rule")["BlockedQueueRule"]["EventPattern"]["detail"]
    assert blocked["jobQueue"] == ["<CpuJobQueue>", "<GpuJobQueue>", "<FargateJobQueue>"]


def test_batch_takes_it(asked, definition):
    """By the emulator's own rules, which know nothing of these templates."""
    container = as_called(definition["ContainerProperties"])
    assert fargate.refuse_container(container, definition["PlatformCapabilities"]) is None
    assert container["networkConfiguration"] == {"assignPublicIp": "ENABLED"}
    environment = asked.resources(KINDS[0])["FargateSpot"]["ComputeResources"]
    assert environment["Type"] == "FARGATE_SPOT"
    assert fargate.refuse_environment(as_called(environment)) is None


def test_it_is_as_guarded_as_a_machine(asked, definition):
    container, machine = (
        asked.resources(DEFINITION)[name]["ContainerProperties"]
        for name in ("FargateJobDefinition", "CpuJobDefinition")
    )
    for field in ("Image", "JobRoleArn", "ExecutionRoleArn", "User", "Privileged"):
        assert container[field] == machine[field]
    assert not container.keys() & {"Volumes", "MountPoints", "LinuxParameters"}
    variables = {each["Name"]: each["Value"] for each in container["Environment"]}
    assert variables[MARKET_VARIABLE] == "spot"
    assert "SNAKEMAKE_HOST_FILE" not in variables
    assert int(definition["Timeout"]["AttemptDurationSeconds"]) == 3600


def test_a_task_that_was_taken_back_is_tried_again(definition):
    first, *_ = definition["RetryStrategy"]["EvaluateOnExit"]
    ours = [rule["onStatusReason"] for rule in RETRY_RULES if "onStatusReason" in rule]

    assert first == {"OnStatusReason": "Your Spot Task was interrupted*", "Action": "RETRY"}
    assert first["OnStatusReason"] in ours


def test_users_may_submit_to_it_and_doctor_looks_at_it(aws):
    outputs = deploy(
        make_client("cloudformation"),
        "tasks",
        {"Fargate": "yes"},
        tell=lambda _: None,
        confirm=lambda _: True,
        poll_s=0.0,
    )
    where = resolve_deployment(
        ExecutorSettings(stack="tasks"), None, lambda: make_client("cloudformation")
    )
    assert where.queue("fargate", 0) == outputs["FargateJobQueue"]
    assert where.is_fargate(outputs["FargateJobQueue"])
    assert where.job_definition(outputs["FargateJobQueue"]) == outputs["FargateJobDefinition"]

    array = submit(outputs, "Fargate", "true", array=3)
    wait_for(lambda: job(array)["status"] == "SUCCEEDED")
    assert job(f"{array}:1")["platformCapabilities"] == ["FARGATE"]

    found = {each.subject: each for each in examine_aws(make_client, "tasks")}
    assert found["Fargate queue"].state == "ok"
    assert found["Fargate spot machines"].text == "at most 400 vCPUs at once"
    assert found["Fargate spot quota"].text == "256 vCPUs at once"
