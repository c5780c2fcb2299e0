"""The stacks a deployment would have: bucket, roles, repository, queues and definitions.

They are real CloudFormation stacks, in small, so that a profile that reads its settings from
the outputs of deployed stacks works against the emulator unchanged.
"""

import json
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from aws_batch_emulator.resource_roles import roles

Template = dict[str, Any]

_LOG_GROUP = "/aws/batch/job"
_RETRY_RULES = [
    {"OnStatusReason": "Host EC2*", "Action": "RETRY"},
    {"OnReason": "CannotPullContainer*", "Action": "RETRY"},
    {"OnStatusReason": "Task failed to start*", "Action": "RETRY"},
    {"OnReason": "*", "Action": "EXIT"},
]


def create_stacks(environment: Mapping[str, str], prefix: str, bucket: str) -> dict[str, str]:
    """Create the stacks and return their outputs.

    Parameters
    ----------
    environment
        The variables that point at the emulator.
    prefix
        The stacks are called `<prefix>-storage`, `-iam`, `-ecr` and `-batch`.
    bucket
        The name of the data bucket.
    """
    cloudformation = boto3.client(
        "cloudformation",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name=environment["AWS_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(proxies={}),
    )
    outputs: dict[str, str] = {}

    def deploy(name: str, template: Template) -> None:
        stack = f"{prefix}-{name}"
        cloudformation.create_stack(
            StackName=stack,
            TemplateBody=json.dumps(template),
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        outputs.update({o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]})

    deploy("storage", storage_template(bucket))
    deploy("iam", iam_template(prefix, bucket))
    deploy("ecr", ecr_template(prefix))
    deploy("batch", batch_template(prefix, outputs))
    return outputs


def storage_template(bucket: str) -> Template:
    """Return the data bucket and the log group."""
    return {
        "Resources": {
            "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": bucket}},
            "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": _LOG_GROUP}},
        },
        "Outputs": _outputs(DataBucket=_ref("Bucket"), LogGroup=_ref("Logs")),
    }


def iam_template(prefix: str, bucket: str) -> Template:
    """Return the roles, the profile of the machines, and what a user may do."""
    return {
        "Resources": {
            **roles(prefix, bucket, _LOG_GROUP),
            "Profile": {
                "Type": "AWS::IAM::InstanceProfile",
                "Properties": {
                    "InstanceProfileName": f"{prefix}-instance",
                    "Roles": [_ref("Instance")],
                },
            },
        },
        "Outputs": _outputs(
            JobRole=_arn("Job"),
            HeadJobRole=_arn("HeadJob"),
            ExecutionRole=_arn("Execution"),
            ServiceRole=_arn("Service"),
            InstanceProfile=_arn("Profile"),
            PilotClaims=f"s3://{bucket}/scratch/*/claims/*",
            UserPolicy=_ref("User"),
        ),
    }


def ecr_template(prefix: str) -> Template:
    """Return the repository of the image."""
    return {
        "Resources": {
            "Repository": {
                "Type": "AWS::ECR::Repository",
                "Properties": {"RepositoryName": prefix},
            }
        },
        "Outputs": _outputs(
            RepositoryUri={"Fn::GetAtt": ["Repository", "RepositoryUri"]},
        ),
    }


def batch_template(prefix: str, outputs: Mapping[str, str]) -> Template:
    """Return two spot environments with a queue each, and the three job definitions."""
    network: Template = {
        "Network": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": _ref("Network"), "CidrBlock": "10.0.0.0/20"},
        },
        "Firewall": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"VpcId": _ref("Network"), "GroupDescription": "no ingress"},
        },
    }
    kinds = {"Cpu": ["c7a", "m7a"], "Gpu": ["g5.xlarge", "g6.xlarge"]}
    machines: Template = {}
    for kind, instance_types in kinds.items():
        name = f"{prefix}-{kind.lower()}"
        machines[f"{kind}Environment"] = _compute_environment(name, instance_types, outputs)
        machines[f"{kind}Queue"] = _job_queue(name, f"{kind}Environment")
    definitions = {
        "CpuDefinition": _job_definition(f"{prefix}-cpu", outputs, vcpus=2, memory_mb=4096),
        "GpuDefinition": _job_definition(f"{prefix}-gpu", outputs, vcpus=4, memory_mb=8192, gpus=1),
        "HeadDefinition": _job_definition(
            f"{prefix}-head", outputs, vcpus=1, memory_mb=2048, role="HeadJobRole"
        ),
    }
    return {
        "Resources": {**network, **machines, **definitions},
        "Outputs": _outputs(
            CpuJobQueue=_ref("CpuQueue"),
            GpuJobQueue=_ref("GpuQueue"),
            CpuJobDefinition=_ref("CpuDefinition"),
            GpuJobDefinition=_ref("GpuDefinition"),
            HeadJobDefinition=_ref("HeadDefinition"),
        ),
    }


def _compute_environment(
    name: str, instance_types: list[str], outputs: Mapping[str, str]
) -> Template:
    return {
        "Type": "AWS::Batch::ComputeEnvironment",
        "Properties": {
            "ComputeEnvironmentName": name,
            "Type": "MANAGED",
            "ServiceRole": outputs["ServiceRole"],
            "ComputeResources": {
                "Type": "SPOT",
                "AllocationStrategy": "SPOT_PRICE_CAPACITY_OPTIMIZED",
                "MinvCpus": 0,
                "MaxvCpus": 256,
                "InstanceTypes": instance_types,
                "InstanceRole": outputs["InstanceProfile"],
                "Subnets": [_ref("Subnet")],
                "SecurityGroupIds": [_ref("Firewall")],
            },
        },
    }


def _job_queue(name: str, environment: str) -> Template:
    order = [{"Order": 1, "ComputeEnvironment": _ref(environment)}]
    return {
        "Type": "AWS::Batch::JobQueue",
        "Properties": {"JobQueueName": name, "Priority": 1, "ComputeEnvironmentOrder": order},
    }


def _job_definition(
    name: str,
    outputs: Mapping[str, str],
    *,
    vcpus: int,
    memory_mb: int,
    gpus: int = 0,
    role: str = "JobRole",
) -> Template:
    sizes = {"VCPU": vcpus, "MEMORY": memory_mb, **({"GPU": gpus} if gpus else {})}
    return {
        "Type": "AWS::Batch::JobDefinition",
        "Properties": {
            "JobDefinitionName": name,
            "Type": "container",
            "PlatformCapabilities": ["EC2"],
            "RetryStrategy": {"Attempts": 5, "EvaluateOnExit": _RETRY_RULES},
            "Timeout": {"AttemptDurationSeconds": 3600},
            "ContainerProperties": {
                "Image": f"{outputs['RepositoryUri']}:latest",
                "Command": ["true"],
                "JobRoleArn": outputs[role],
                "ExecutionRoleArn": outputs["ExecutionRole"],
                "ResourceRequirements": [
                    {"Type": kind, "Value": str(value)} for kind, value in sizes.items()
                ],
                "LogConfiguration": {
                    "LogDriver": "awslogs",
                    "Options": {"awslogs-group": outputs["LogGroup"]},
                },
            },
        },
    }


def _outputs(**values: Template | str) -> Template:
    return {name: {"Value": value} for name, value in values.items()}


def _ref(name: str) -> Template:
    return {"Ref": name}


def _arn(name: str) -> Template:
    return {"Fn::GetAtt": [name, "Arn"]}
