"""Job definitions: those of the deployment, and those that are made for an image."""

import re

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.definitions import (
    JobDefinitions,
    container_properties,
    definition_name,
)
from snakemake_executor_plugin_aws_batch_array.deployment import resolve_deployment
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.settings import (
    ExecutorSettings,
)

ROLE = "arn:aws:iam::123456789012:role/jobs"


def resolve(**settings):
    asked = ExecutorSettings(**settings)
    return resolve_deployment(asked, "s3://bucket/results", lambda: pytest.fail("asked the stacks"))


def registered(client):
    return {
        each["jobDefinitionArn"]: each["containerProperties"]
        for each in client.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    }


def test_a_definition_is_registered_once_for_its_content(aws):
    settings = ExecutorSettings(job_role=ROLE, log_group="/lab")
    client = make_client("batch")

    def definitions(image="image:1"):
        return JobDefinitions(client, resolve(job_queue="q"), settings, image)

    first = definitions()
    assert first.for_job("q") == first.for_job("q") == definitions().for_job("q")
    assert definitions("image:2").for_job("q") != first.for_job("q")
    known = registered(client)
    assert len(known) == 2
    assert all(arn.endswith(":1") for arn in known)
    assert not any("privileged" in properties for properties in known.values())


@pytest.fixture
def deployed(aws):
    """The definition of a stack, and a function that makes what finds those of jobs."""
    client = make_client("batch")
    given = client.register_job_definition(
        jobDefinitionName="lab-cpu",
        type="container",
        containerProperties={
            "image": "lab:1",
            "jobRoleArn": ROLE,
            "user": "1000",
            "readonlyRootFilesystem": True,
            "resourceRequirements": [
                {"type": "VCPU", "value": "1"},
                {"type": "MEMORY", "value": "2048"},
            ],
        },
    )["jobDefinitionArn"]
    deployment = resolve(queues={"cpu": "q"}, job_definitions={"cpu": given})
    return given, lambda asked="": JobDefinitions(
        client, deployment, ExecutorSettings(), "the default", asked
    )


def test_the_definition_of_the_deployment_is_used_as_it_is(deployed):
    given, definitions = deployed

    assert definitions().for_job("q") == given


@pytest.mark.parametrize("by_rule", [True, False])
def test_another_image_is_the_deployments_definition_with_it(deployed, by_rule):
    given, definitions = deployed
    asked = "" if by_rule else "mine:2"

    arn = definitions(asked).for_job("q", "mine:2" if by_rule else "")

    assert arn != given
    known = registered(make_client("batch"))
    assert known[arn]["image"] == "mine:2"
    assert known[arn]["jobRoleArn"] == ROLE
    assert known[arn]["user"] == "1000"
    assert known[given]["image"] == "lab:1"
    assert definitions(asked).for_job("q", "mine:2" if by_rule else "") == arn


def test_the_image_of_a_rule_counts_before_that_of_the_run(deployed):
    _, definitions = deployed

    arn = definitions("of the run:1").for_job("q", "of the rule:1")

    assert registered(make_client("batch"))[arn]["image"] == "of the rule:1"


def test_shared_memory_is_part_of_a_definition(deployed):
    given, definitions = deployed

    arn = definitions().for_job("q", shared_memory_mib=1024)

    properties = registered(make_client("batch"))[arn]
    assert properties["linuxParameters"]["sharedMemorySize"] == 1024
    assert properties["image"] == "lab:1"
    assert definitions().for_job("q", shared_memory_mib=2048) not in (arn, given)


def test_without_definition_and_role_the_user_is_told_what_to_set(aws):
    definitions = JobDefinitions(make_client("batch"), resolve(), ExecutorSettings(), "image")

    with pytest.raises(UserError, match="job-role"):
        definitions.for_job("q")


def test_definition_names_are_those_of_their_content():
    one = container_properties(ExecutorSettings(job_role=ROLE), "image:1")
    two = container_properties(ExecutorSettings(job_role=ROLE, execution_role=ROLE), "image:1")

    assert definition_name("lab-cpu", one) == definition_name(
        "lab-cpu", dict(reversed(one.items()))
    )
    assert definition_name("lab-cpu", one) != definition_name("lab-cpu", two)
    assert re.fullmatch(r"lab-cpu_[0-9a-f]{16}", definition_name("lab-cpu", one))
    assert len(definition_name("x" * 128, one)) <= 128


def test_who_may_not_register_is_told_what_to_ask_for():
    client = make_client("batch", "eu-central-1")
    settings = ExecutorSettings(job_role=ROLE)
    definitions = JobDefinitions(client, resolve(job_queue="q"), settings, "image:1")
    with Stubber(client) as stub:
        stub.add_response("describe_job_definitions", {"jobDefinitions": []})
        stub.add_client_error("register_job_definition", "AccessDeniedException", "no", 403)
        stub.add_response("describe_job_definitions", {"jobDefinitions": []})
        stub.add_client_error("register_job_definition", "ClientException", "odd", 400)

        with pytest.raises(UserError, match=r"may not register the job definition.*iam:PassRole"):
            definitions.for_job("q")
        with pytest.raises(ClientError, match="odd"):
            definitions.for_job("q")
