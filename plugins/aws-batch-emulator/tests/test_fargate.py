"""Fargate: what Batch takes there and refuses, and what a task finds and how it is taken back."""

import json

import pytest
from botocore.exceptions import ClientError

from aws_batch_emulator import Fault, FaultKind, fargate
from aws_batch_emulator.moto_refusals import as_called

ROLE = "arn:aws:iam::123456789012:role/tomobatch-execution"
TASK = {
    "image": "busybox",
    "command": ["true"],
    "executionRoleArn": ROLE,
    "resourceRequirements": [
        {"type": "VCPU", "value": "1"},
        {"type": "MEMORY", "value": "2048"},
    ],
    "networkConfiguration": {"assignPublicIp": "ENABLED"},
    "ephemeralStorage": {"sizeInGiB": 40},
}
ASK = (
    'import os, urllib.request; print(os.environ["AWS_EXECUTION_ENV"]);'
    'print("AWS_EC2_METADATA_SERVICE_ENDPOINT" in os.environ);'
    'address = os.environ["ECS_CONTAINER_METADATA_URI_V4"] + "/task";'
    "print(urllib.request.urlopen(address).read().decode())"
)


def sizes(vcpus, memory_mib, **more):
    pairs = {"VCPU": vcpus, "MEMORY": memory_mib, **more}
    return {
        "resourceRequirements": [
            {"type": kind, "value": str(value)} for kind, value in pairs.items()
        ]
    }


@pytest.mark.parametrize(
    ("vcpus", "least_mib", "most_mib", "step_mib"),
    [
        (1, 2048, 8192, 1024),
        (2, 4096, 16384, 1024),
        (4, 8192, 30720, 1024),
        (8, 16384, 61440, 4096),
        (16, 32768, 122880, 8192),
    ],
)
def test_memory_goes_with_vcpus(vcpus, least_mib, most_mib, step_mib):
    """ECS developer guide, "Task CPU and memory"."""

    def refused(memory_mib):
        return fargate.refuse_container({**TASK, **sizes(vcpus, memory_mib)}, ["FARGATE"])

    for memory_mib in range(least_mib, most_mib + 1, step_mib):
        assert refused(memory_mib) is None
    for memory_mib in (least_mib - step_mib, most_mib + step_mib, least_mib + 512):
        assert refused(memory_mib) == (
            "Error executing request, Exception : Fargate resource requirements "
            f"({vcpus:.2f} vCPU, {memory_mib} MiB) not valid."
        )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (sizes(3, 8192), r"\(3.00 vCPU, 8192 MiB\) not valid"),
        (sizes(1, 2048, GPU=1), "GPU is not applicable to Fargate"),
        ({"executionRoleArn": ""}, "executionRoleArn is required"),
        ({"privileged": True}, "privileged is not applicable"),
        ({"instanceType": "c6i.xlarge"}, "instanceType is not applicable"),
        ({"volumes": [{"name": "a", "host": {"sourcePath": "/a"}}]}, "host.sourcePath is not"),
        ({"linuxParameters": {"sharedMemorySize": 64}}, "linuxParameters.sharedMemorySize is not"),
        ({"ephemeralStorage": {"sizeInGiB": 20}}, "must be between 21 and 200, got 20"),
        ({"ephemeralStorage": {"sizeInGiB": 201}}, "must be between 21 and 200, got 201"),
        (
            {"fargatePlatformConfiguration": {"platformVersion": "2.0"}},
            "platformVersion 2.0 is not",
        ),
        ({"fargatePlatformConfiguration": {"platformVersion": "1.3.0"}}, "1.3.0 is not supported"),
        ({"networkConfiguration": {"assignPublicIp": "yes"}}, "ENABLED or DISABLED, got yes"),
        ({"logConfiguration": {"logDriver": "journald"}}, "logDriver journald is not supported"),
    ],
)
def test_a_definition_that_no_task_can_have_is_refused(account, changed, message):
    with pytest.raises(ClientError, match=message):
        account.batch.register_job_definition(
            jobDefinitionName="refused",
            type="container",
            platformCapabilities=["FARGATE"],
            containerProperties={**TASK, **changed},
        )


@pytest.mark.parametrize(
    "field", ["ephemeralStorage", "networkConfiguration", "fargatePlatformConfiguration"]
)
def test_what_only_tasks_have_is_refused_for_machines(field):
    container = {"ephemeralStorage": None, "networkConfiguration": None, field: {"a": 1}}

    assert fargate.refuse_container(container, ["EC2"]).startswith(f"{field} is only applicable")
    assert fargate.refuse_container({**TASK, **container, field: None}, ["EC2"]) is None


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"instanceTypes": ["c6i"]}, "instanceTypes is not applicable"),
        ({"minvCpus": 0}, "minvCpus is not applicable"),
        ({"instanceRole": "tomobatch-instance"}, "instanceRole is not applicable"),
        ({"allocationStrategy": "BEST_FIT"}, "allocationStrategy is not applicable"),
        ({"securityGroupIds": []}, "securityGroupIds is required"),
    ],
)
def test_an_environment_of_instances_is_none_of_tasks(account, changed, message):
    resources = {
        "type": "FARGATE_SPOT",
        "maxvCpus": 4,
        "subnets": ["subnet-1"],
        "securityGroupIds": ["sg-1"],
    }
    with pytest.raises(ClientError, match=message):
        account.batch.create_compute_environment(
            computeEnvironmentName="none", type="MANAGED", computeResources={**resources, **changed}
        )


def test_a_template_is_held_to_the_same():
    template = {"ResourceRequirements": [{"Type": "GPU", "Value": "1"}], "ExecutionRoleArn": ROLE}

    refusal = fargate.refuse_container(as_called(template), ["FARGATE"])
    assert refusal == "GPU is not applicable to Fargate resources."


@pytest.fixture(scope="module")
def queue(shared_account):
    """A queue of tasks on Fargate Spot, and a definition for it."""
    ec2 = shared_account.client("ec2")
    network = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.7.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="tasks", Description="none", VpcId=network)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network)
    filters = [{"Name": "vpc-id", "Values": [network]}]
    (table,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    ec2.create_route(
        RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway
    )
    batch = shared_account.batch
    known = batch.describe_compute_environments()["computeEnvironments"][0]["serviceRole"]
    (other,) = batch.describe_job_definitions(jobDefinitionName="tomobatch-cpu")["jobDefinitions"]
    batch.create_compute_environment(
        computeEnvironmentName="tasks",
        type="MANAGED",
        state="ENABLED",
        serviceRole=known,
        computeResources={
            "type": "FARGATE_SPOT",
            "maxvCpus": 8,
            "subnets": [subnet],
            "securityGroupIds": [group["GroupId"]],
        },
    )
    order = [{"order": 1, "computeEnvironment": "tasks"}]
    batch.create_job_queue(
        jobQueueName="tasks", state="ENABLED", priority=1, computeEnvironmentOrder=order
    )
    for name, platform in (("task", "FARGATE"), ("machine", "EC2")):
        of_tasks = ("networkConfiguration", "ephemeralStorage") if platform == "EC2" else ()
        container = {key: value for key, value in TASK.items() if key not in of_tasks}
        batch.register_job_definition(
            jobDefinitionName=name,
            type="container",
            platformCapabilities=[platform],
            containerProperties={
                **container,
                "executionRoleArn": other["containerProperties"]["executionRoleArn"],
            },
        )
    return "tasks"


def test_machines_and_tasks_share_no_queue(account, queue):
    other = account.batch.describe_job_queues(jobQueues=["tomobatch-cpu"])["jobQueues"][0]
    order = [other["computeEnvironmentOrder"][0], {"order": 9, "computeEnvironment": "tasks"}]
    with pytest.raises(ClientError, match="cannot be mixed"):
        account.batch.create_job_queue(
            jobQueueName="both", state="ENABLED", priority=1, computeEnvironmentOrder=order
        )


def test_a_job_is_held_to_its_queue(account, queue):
    for where in ({"jobQueue": "tomobatch-cpu", "jobDefinition": "task"}, {"jobQueue": queue}):
        with pytest.raises(ClientError, match="has the platform capabilities"):
            account.submit("true", **where)
    with pytest.raises(ClientError, match=r"\(4.00 vCPU, 3000 MiB\) not valid"):
        account.submit(
            "true",
            jobQueue=queue,
            jobDefinition="task",
            containerOverrides=sizes(4, 3000),
        )


def test_a_task_finds_its_own_metadata_and_no_machine(account, queue):
    job = account.run(
        *("python3", "-c", ASK),
        jobQueue=queue,
        jobDefinition="task",
        containerOverrides=sizes(2, 5120),
    )

    assert job["status"] == "SUCCEEDED", job
    assert job["platformCapabilities"] == ["FARGATE"]
    assert "containerInstanceArn" not in job["container"]
    environment, has_machine, told = account.log(job)
    assert (environment, has_machine) == ("AWS_ECS_FARGATE", "False")
    task = json.loads(told)
    assert task["Limits"] == {"CPU": 2.0, "Memory": 5120}
    assert task["LaunchType"] == "FARGATE"
    assert task["AvailabilityZone"].startswith(account.emulator.region)
    assert task["PullStartedAt"].endswith("Z")
    assert not any("SPOT" in str(value) for value in task.values())


def test_a_task_that_is_taken_back_is_told_before(account, queue):
    script = 'trap "exit 75" TERM; if [ "$AWS_BATCH_JOB_ATTEMPT" = 1 ]; then sleep 600 & wait; fi'
    job_id = account.submit(
        *("sh", "-c", script),
        jobQueue=queue,
        jobDefinition="task",
        retryStrategy={
            "attempts": 2,
            "evaluateOnExit": [
                {"onStatusReason": "Your Spot Task was interrupted*", "action": "RETRY"},
                {"onReason": "*", "action": "EXIT"},
            ],
        },
    )
    account.wait(job_id, "RUNNING")
    account.emulator.inject(Fault(FaultKind.RECLAIM))
    job = account.wait(job_id)

    assert (job["status"], len(job["attempts"])) == ("SUCCEEDED", 2)
    assert job["attempts"][0]["statusReason"] == "Your Spot Task was interrupted."
    assert job["attempts"][0]["container"]["taskArn"] != job["container"]["taskArn"]


def test_a_task_without_a_way_out_never_begins(account, queue):
    """Though the image is here: it would not be on AWS."""
    (task,) = account.batch.describe_job_definitions(jobDefinitionName="task")["jobDefinitions"]
    account.batch.register_job_definition(
        jobDefinitionName="hidden",
        type="container",
        platformCapabilities=["FARGATE"],
        containerProperties={
            **task["containerProperties"],
            "networkConfiguration": {"assignPublicIp": "DISABLED"},
        },
    )
    job = account.run("true", jobQueue=queue, jobDefinition="hidden")

    (attempt,) = job["attempts"]
    assert (job["status"], attempt["statusReason"]) == ("FAILED", "Task failed to start")
    assert "registry-1.docker.io" in attempt["container"]["reason"]
    assert "exitCode" not in attempt["container"]
