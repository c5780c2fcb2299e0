"""What Batch takes for Fargate and what it refuses there, as pure checks.

Batch API reference, ContainerProperties, ComputeResource, EphemeralStorage, NetworkConfiguration,
JobQueueDetail; ECS developer guide, "Task CPU and memory". Fields are named as boto3 names them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

FARGATE = "FARGATE"
"""A platform capability, and how the type of a compute environment begins that has it."""

INSTANCE_TYPE = "fargate"
"""Stands where a machine has its type."""

_MEMORY_MIB: Mapping[float, Sequence[int]] = {
    0.25: (512, 1024, 2048),
    0.5: range(1024, 4096 + 1, 1024),
    1: range(2048, 8192 + 1, 1024),
    2: range(4096, 16384 + 1, 1024),
    4: range(8192, 30720 + 1, 1024),
    8: range(16384, 61440 + 1, 4096),
    16: range(32768, 122880 + 1, 8192),
}
_STORAGE_GIB = (21, 200)
_PLATFORMS = ("LATEST", "1.4.0", "1.3.0")
_PLATFORM_WITHOUT_STORAGE = "1.3.0"
_ONLY_HERE = ("ephemeralStorage", "fargatePlatformConfiguration", "networkConfiguration")
_LINUX_OF_HOSTS = ("devices", "sharedMemorySize", "tmpfs", "maxSwap", "swappiness")
_OF_INSTANCES = (
    *("minvCpus", "desiredvCpus", "instanceTypes", "instanceRole", "allocationStrategy"),
    *("launchTemplate", "ec2Configuration", "ec2KeyPair", "imageId", "bidPercentage"),
    *("placementGroup", "spotIamFleetRole", "tags"),
)


def is_fargate(environment_type: str) -> bool:
    """Tell whether a compute environment of a type starts tasks on Fargate."""
    return environment_type.startswith(FARGATE)


def refuse_container(container: Mapping[str, Any], platforms: Iterable[str]) -> str | None:
    """Return why a definition's container, overrides merged, is refused; None if it is not."""
    if FARGATE not in platforms:
        for field in _ONLY_HERE:
            if container.get(field):
                return f"{field} is only applicable to jobs that run on Fargate resources."
        return None
    if not container.get("executionRoleArn"):
        return "executionRoleArn is required for jobs that run on Fargate resources."
    return _of_hosts(container) or _of_tasks(container) or _refuse_size(container)


def _of_hosts(container: Mapping[str, Any]) -> str | None:
    """Return what of a container is for machines of one's own alone."""
    linux = container.get("linuxParameters") or {}
    volumes = container.get("volumes") or []
    asked = {
        "privileged": container.get("privileged"),
        "instanceType": container.get("instanceType"),
        "ulimits": container.get("ulimits"),
        "host.sourcePath": any((each.get("host") or {}).get("sourcePath") for each in volumes),
        **{f"linuxParameters.{name}": linux.get(name) for name in _LINUX_OF_HOSTS},
    }
    wrong = next((name for name, value in asked.items() if value), None)
    return None if wrong is None else f"{wrong} is not applicable to Fargate resources."


def _of_tasks(container: Mapping[str, Any]) -> str | None:
    size = (container.get("ephemeralStorage") or {}).get("sizeInGiB")
    low, high = _STORAGE_GIB
    if size is not None and not low <= int(size) <= high:
        return f"ephemeralStorage.sizeInGiB must be between {low} and {high}, got {size}."
    version = (container.get("fargatePlatformConfiguration") or {}).get("platformVersion", "LATEST")
    if version not in _PLATFORMS or (size is not None and version == _PLATFORM_WITHOUT_STORAGE):
        return f"platformVersion {version} is not supported with what the container asks for."
    address = (container.get("networkConfiguration") or {}).get("assignPublicIp")
    if address not in (None, "ENABLED", "DISABLED"):
        return f"assignPublicIp must be ENABLED or DISABLED, got {address}."
    driver = (container.get("logConfiguration") or {}).get("logDriver", "awslogs")
    if driver not in ("awslogs", "splunk"):
        return f"logDriver {driver} is not supported on Fargate: awslogs or splunk."
    return None


def _refuse_size(container: Mapping[str, Any]) -> str | None:
    sizes = {each["type"]: each["value"] for each in container.get("resourceRequirements") or []}
    if "GPU" in sizes:
        return "GPU is not applicable to Fargate resources."
    vcpus, memory_mib = float(sizes.get("VCPU", 0)), int(sizes.get("MEMORY", 0))
    if memory_mib in _MEMORY_MIB.get(vcpus, ()):
        return None
    return (
        "Error executing request, Exception : Fargate resource requirements "
        f"({vcpus:.2f} vCPU, {memory_mib} MiB) not valid."
    )


def refuse_environment(resources: Mapping[str, Any]) -> str | None:
    """Return why a compute environment is refused; None if it is not."""
    if not is_fargate(resources.get("type", "")):
        return None
    wrong = next((name for name in _OF_INSTANCES if resources.get(name) is not None), None)
    if wrong is not None:
        return f"Error executing request, Exception : {wrong} is not applicable to Fargate."
    missing = [n for n in ("maxvCpus", "subnets", "securityGroupIds") if not resources.get(n)]
    return f"{missing[0]} is required for Fargate resources." if missing else None


def refuse_order(environment_types: Iterable[str]) -> str | None:
    """Return why a job queue with such compute environments is refused; None if it is not."""
    if len({is_fargate(each) for each in environment_types}) > 1:
        return "EC2 and Fargate compute environments cannot be mixed in a job queue."
    return None


def refuse_submission(queue_type: str, platforms: Iterable[str]) -> str | None:
    """Return why a queue takes no job of a definition; None if it does."""
    wanted = FARGATE if is_fargate(queue_type) else "EC2"
    if wanted in platforms:
        return None
    return (
        f"Job queue is of {wanted} compute environments, and the job definition has the platform "
        f"capabilities {', '.join(platforms)}."
    )
