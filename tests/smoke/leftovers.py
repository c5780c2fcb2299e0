"""What is left in an account of a deployment that was torn down: it should be nothing."""

from collections.abc import Callable, Iterator
from typing import Any

MakeClient = Callable[[str], Any]


def leftovers(make: MakeClient, prefix: str) -> list[str]:
    """Return what still has a name or a tag of a prefix, one line each."""
    searches = (_stacks, _data, _images, _batch, _rights, _network, _machines, _notices)
    return [f"{kind} {name}" for search in searches for kind, name in search(make, prefix)]


def _all(client: Any, call: str, key: str, **arguments: object) -> Iterator[Any]:
    for page in client.get_paginator(call).paginate(**arguments):
        yield from page[key]


def _stacks(make: MakeClient, prefix: str) -> Iterator[tuple[str, str]]:
    for stack in _all(make("cloudformation"), "describe_stacks", "Stacks"):
        if stack["StackName"].startswith(f"{prefix}-"):
            yield "stack", stack["StackName"]


def _data(make: MakeClient, prefix: str) -> Iterator[tuple[str, str]]:
    for bucket in make("s3").list_buckets()["Buckets"]:
        if bucket["Name"].startswith(f"{prefix}-data-"):
            yield "bucket", bucket["Name"]
    groups = _all(
        make("logs"), "describe_log_groups", "logGroups", logGroupNamePrefix=f"/{prefix}/"
    )
    for group in groups:
        yield "log group", group["logGroupName"]


def _images(make: MakeClient, prefix: str) -> Iterator[tuple[str, str]]:
    for repository in _all(make("ecr"), "describe_repositories", "repositories"):
        if repository["repositoryName"] == prefix:
            yield "repository", repository["repositoryName"]
    mine = {"Filters": [{"Name": "name", "Values": [f"{prefix}-*"]}]}
    for image in make("ec2").describe_images(Owners=["self"], **mine)["Images"]:
        yield "machine image", image["ImageId"]


def _batch(make: MakeClient, prefix: str) -> Iterator[tuple[str, str]]:
    batch = make("batch")
    for queue in _all(batch, "describe_job_queues", "jobQueues"):
        if queue["jobQueueName"].startswith(f"{prefix}-"):
            yield "queue", queue["jobQueueName"]
    for environment in _all(batch, "describe_compute_environments", "computeEnvironments"):
        if prefix in environment.get("computeResources", {}).get("tags", {}).values():
            yield "compute environment", environment["computeEnvironmentName"]
    definitions = _all(batch, "describe_job_definitions", "jobDefinitions", status="ACTIVE")
    for definition in definitions:
        if definition["jobDefinitionName"].startswith(f"{prefix}-"):
            yield "job definition", definition["jobDefinitionArn"]


def _rights(make: MakeClient, prefix: str) -> Iterator[tuple[str, str]]:
    iam = make("iam")
    for role in _all(iam, "list_roles", "Roles"):
        if role["RoleName"].startswith(f"{prefix}-"):
            yield "role", role["RoleName"]
    for policy in _all(iam, "list_policies", "Policies", Scope="Local"):
        if policy["PolicyName"].startswith(f"{prefix}-"):
            yield "policy", policy["PolicyName"]
    for profile in _all(iam, "list_instance_profiles", "InstanceProfiles"):
        if profile["InstanceProfileName"].startswith(f"{prefix}-"):
            yield "instance profile", profile["InstanceProfileName"]


def _network(make: MakeClient, prefix: str) -> Iterator[tuple[str, str]]:
    ec2 = make("ec2")
    named = [{"Name": "tag:Name", "Values": [prefix, f"{prefix}-*"]}]
    for vpc in ec2.describe_vpcs(Filters=named)["Vpcs"]:
        yield "VPC", vpc["VpcId"]
    for group in ec2.describe_security_groups(Filters=named)["SecurityGroups"]:
        yield "security group", group["GroupId"]


def _machines(make: MakeClient, prefix: str) -> Iterator[tuple[str, str]]:
    ec2 = make("ec2")
    of_project = [{"Name": "tag:Project", "Values": [prefix]}]
    for volume in ec2.describe_volumes(Filters=of_project)["Volumes"]:
        yield "volume", volume["VolumeId"]
    for reservation in ec2.describe_instances(Filters=of_project)["Reservations"]:
        for instance in reservation["Instances"]:
            if instance["State"]["Name"] not in ("shutting-down", "terminated"):
                yield "machine", instance["InstanceId"]
    for parameter in _all(
        make("ssm"),
        "describe_parameters",
        "Parameters",
        ParameterFilters=[{"Key": "Name", "Option": "BeginsWith", "Values": [f"/{prefix}/"]}],
    ):
        yield "parameter", parameter["Name"]


def _notices(make: MakeClient, prefix: str) -> Iterator[tuple[str, str]]:
    for topic in _all(make("sns"), "list_topics", "Topics"):
        if topic["TopicArn"].rpartition(":")[2].startswith(f"{prefix}-"):
            yield "topic", topic["TopicArn"]
    for rule in make("events").list_rules(NamePrefix=f"{prefix}-")["Rules"]:
        yield "rule", rule["Name"]
    account = make("sts").get_caller_identity()["Account"]
    for budget in make("budgets").describe_budgets(AccountId=account).get("Budgets", []):
        if budget["BudgetName"].startswith(f"{prefix}-"):
            yield "budget", budget["BudgetName"]
