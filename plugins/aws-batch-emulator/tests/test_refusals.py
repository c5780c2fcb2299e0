"""What Batch refuses in a submission or a definition, each with the place where AWS says so."""

import json
from http.client import HTTPConnection

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

TAGS = "user guide, Tag your AWS Batch resources: tag restrictions"
SUBMIT = "API reference, SubmitJob"
SIZES = "API reference, ResourceRequirement"
DEFINE = "API reference, RegisterJobDefinition"
VARIABLES = "API reference, KeyValuePair of ContainerOverrides"


def sizes(**values):
    items = [{"type": kind, "value": value} for kind, value in values.items()]
    return {"containerOverrides": {"resourceRequirements": items}}


@pytest.mark.parametrize(
    ("change", "message", "where"),
    [
        ({"tags": {"k": "v" * 257}}, "a value at most 256", TAGS),
        ({"tags": {"k" * 129: "v"}}, "1 to 128 characters", TAGS),
        ({"tags": {"aws:run": "v"}}, "must not start with aws:", TAGS),
        ({"tags": {"run": "a\u2603b"}}, "only letters, digits", TAGS),
        ({"tags": {"run?": "v"}}, "only letters, digits", TAGS),
        ({"tags": {f"k{n}": "v" for n in range(51)}}, "at most 50 tags", TAGS),
        (sizes(MEMORY="3"), "MEMORY must be a whole number of at least 4, got 3", SIZES),
        (sizes(MEMORY="10.5"), "MEMORY must be a whole number", SIZES),
        (sizes(VCPU="0"), "VCPU must be a whole number of at least 1, got 0", SIZES),
        (sizes(VCPU="0.5"), "VCPU must be a whole number", SIZES),
        (sizes(GPU="0"), "GPU must be a whole number of at least 1, got 0", SIZES),
        ({"shareIdentifier": "ada"}, "must not be specified", SUBMIT),
        ({"schedulingPriorityOverride": 10_000}, "between 0 and 9999, got 10000", SUBMIT),
        ({"schedulingPriorityOverride": -1}, "between 0 and 9999, got -1", SUBMIT),
    ],
)
def test_a_submission_is_refused(account, change, message, where):
    with pytest.raises(ClientError, match=message) as refused:
        account.submit("true", **change)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.value.response["Error"]["Code"] == "ClientException"


def test_the_longest_that_is_taken(account):
    tags = {
        "k" * 128: "v" * 256,
        "mail": "ada@lab.org",
        "odd": "_ . : / = + - @",
        "\u00e9": "\u00e9",
    }
    job_id = account.submit("true", tags=tags, schedulingPriorityOverride=9999, **sizes(MEMORY="4"))
    assert account.wait(job_id)["tags"] == tags


@pytest.mark.parametrize(
    ("properties", "change", "message", "where"),
    [
        ({"resourceRequirements": [{"type": "MEMORY", "value": "1"}]}, {}, "at least 4", SIZES),
        ({"environment": [{"name": "AWS_BATCH_X", "value": ""}]}, {}, "reserved", VARIABLES),
        (
            {},
            {"schedulingPriority": 10_000},
            "between 0 and 9999",
            DEFINE,
        ),
        ({}, {"tags": {"aws:x": "y"}}, "must not start with aws:", TAGS),
    ],
)
def test_a_definition_is_refused(account, properties, change, message, where):
    with pytest.raises(ClientError, match=message):
        account.batch.register_job_definition(
            jobDefinitionName="refused",
            type="container",
            containerProperties={"image": "i", "vcpus": 1, "memory": 64, **properties},
            **change,
        )


def test_a_shared_queue_takes_jobs_with_a_share_only(account):
    """API reference, SubmitJob, shareIdentifier."""
    batch = account.batch
    environment = batch.describe_compute_environments()["computeEnvironments"][0]
    template = {
        "Resources": {
            "Fair": {
                "Type": "AWS::Batch::SchedulingPolicy",
                "Properties": {"Name": "fair", "FairsharePolicy": {"ShareDecaySeconds": 3600}},
            },
            "Queue": {
                "Type": "AWS::Batch::JobQueue",
                "Properties": {
                    "JobQueueName": "shared",
                    "Priority": 1,
                    "SchedulingPolicyArn": {"Ref": "Fair"},
                    "ComputeEnvironmentOrder": [
                        {"Order": 1, "ComputeEnvironment": environment["computeEnvironmentArn"]}
                    ],
                },
            },
        }
    }
    stacks = account.client("cloudformation")
    stacks.create_stack(StackName="shared", TemplateBody=json.dumps(template))
    with pytest.raises(ClientError, match="shareIdentifier must be specified"):
        account.submit("true", jobQueue="shared")
    with pytest.raises(ClientError, match="letters and digits only"):
        account.submit("true", jobQueue="shared", shareIdentifier="ada-lovelace")
    job_id = account.submit("true", jobQueue="shared", shareIdentifier="ada")
    assert account.wait(job_id)["status"] == "SUCCEEDED"
    (queue,) = batch.describe_job_queues(jobQueues=["shared"])["jobQueues"]
    assert queue["schedulingPolicyArn"].endswith(":scheduling-policy/fair")
    stacks.delete_stack(StackName="shared")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("host", "status", "code"),
    [
        (None, 400, "AuthorizationHeaderMalformed"),
        ("s3.us-west-2.amazonaws.com", 301, "PermanentRedirect"),
        ("tomobatch-data.s3.eu-central-1.amazonaws.com", 400, "AuthorizationHeaderMalformed"),
    ],
)
def test_a_bucket_is_reached_in_its_own_region(account, method, host, status, code):
    """S3 API reference, Error responses; who may do what is asked after that."""
    keys = account.emulator.administrator
    virtual = host is not None and host.startswith("tomobatch-data.")
    path = "/key" if virtual else "/tomobatch-data/key"
    request = AWSRequest(method, f"{account.emulator.endpoint_url}{path}")
    if host is not None:
        request.headers["Host"] = host
    secrets = Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    S3SigV4Auth(secrets, "s3", "us-west-2").add_auth(request)
    connection = HTTPConnection(account.emulator.endpoint_url.removeprefix("http://"))
    connection.request(method, path, headers=dict(request.headers))
    reply = connection.getresponse()
    assert (reply.status, reply.headers["x-amz-bucket-region"]) == (status, "eu-central-1")
    assert reply.read().decode().count(f"<Code>{code}</Code>") == (method == "GET")
    connection.close()


@pytest.mark.parametrize(
    ("service", "call", "arguments", "message", "where"),
    [
        (
            "cloudformation",
            "create_stack",
            {"StackName": "s", "TemplateBody": "{}", "Tags": [{"Key": "aws:x", "Value": "y"}]},
            "aws: prefixed tag key names are not allowed",
            "API reference, Tag",
        ),
        (
            "ssm",
            "put_parameter",
            {"Name": "ssm-x", "Value": "y", "Type": "String"},
            'with "ssm"|prefixed with',
            "API reference, PutParameter, Name",
        ),
        (
            "s3",
            "create_bucket",
            {"Bucket": "xn--lab"},
            "InvalidBucketName",
            "user guide, General purpose bucket naming rules",
        ),
    ],
)
def test_names_that_aws_keeps_for_itself(account, service, call, arguments, message, where):
    with pytest.raises(ClientError, match=message):
        getattr(account.client(service), call)(**arguments)


def test_batch_makes_no_environment_of_a_type_that_the_region_lacks(account):
    """API reference, ComputeResource, instanceTypes."""
    with pytest.raises(ClientError, match="Instance type can only be one of"):
        account.batch.create_compute_environment(
            computeEnvironmentName="none",
            type="MANAGED",
            computeResources={
                "type": "SPOT",
                "maxvCpus": 4,
                "instanceTypes": ["c99.xlarge"],
                "subnets": ["subnet-1"],
                "instanceRole": "tomobatch-instance",
            },
        )
