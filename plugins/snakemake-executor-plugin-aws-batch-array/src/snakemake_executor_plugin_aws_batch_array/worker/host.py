"""The instance this child runs on, from a file or the instance metadata service (IMDSv2).

Where jobs share the network of their machine, it may keep them from the metadata service, which
also hands out the keys of the machine's role; it then writes the facts into a file. A task on
Fargate has no instance, but a metadata service of its own (ECS developer guide, "Task metadata
endpoint version 4 for tasks on Fargate").
"""

import json
import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

FILE_VARIABLE = "SNAKEMAKE_HOST_FILE"
"""Names a file with the attributes of ``Host`` as JSON."""

MARKET_VARIABLE = "SNAKEMAKE_FARGATE_MARKET"
"""How tasks on Fargate are bought, for their job definition to say: the task is not told."""

_DEFAULT_ENDPOINT = "http://169.254.169.254"
_TIMEOUT_S = 1.0

# The service is on this machine: a proxy set in the environment must not be asked.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Host:
    """An instance, or a task on Fargate; what is unknown is empty.

    Attributes
    ----------
    instance_type, zone, market, instance_id
        What it is; market is ``spot`` or ``on-demand``. The type of a task names its size, as in
        ``fargate.4vcpu-8gb``; its id is the task's.
    launched
        When it was launched, as its identity document says it (``pendingTime``), in ISO 8601. A
        task is paid for since it began to pull its image.
    """

    instance_type: str = ""
    zone: str = ""
    market: str = ""
    instance_id: str = ""
    launched: str = ""

    @property
    def launched_ms(self) -> int:
        """When it was launched, in milliseconds since 1970; 0 if that is unknown."""
        try:
            return round(1000 * datetime.fromisoformat(self.launched).timestamp())
        except ValueError:
            return 0


def task_type(vcpus: float, memory_gib: float) -> str:
    """Return what stands in place of an instance type for a task on Fargate."""
    return f"fargate.{vcpus:g}vcpu-{memory_gib:g}gb"


def find_host(environment: Mapping[str, str] = os.environ) -> Host:
    """Read the machine's file, or else ask the metadata service; an unknown host is no error.

    ``AWS_EC2_METADATA_SERVICE_ENDPOINT`` and ``AWS_EC2_METADATA_DISABLED`` are honoured, as by
    every AWS tool. A container reaches the service only if the instance's hop limit is 2 or more.
    """
    host = _read_file(environment.get(FILE_VARIABLE, ""))
    if host is not None:
        return host
    if environment.get("AWS_EXECUTION_ENV") == "AWS_ECS_FARGATE":
        return _find_task(environment)
    if environment.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return Host()
    endpoint = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", _DEFAULT_ENDPOINT).rstrip("/")
    try:
        token = _request(
            f"{endpoint}/latest/api/token",
            "PUT",
            {"X-aws-ec2-metadata-token-ttl-seconds": "60"},
        )
        header = {"X-aws-ec2-metadata-token": token}
        market = _request(f"{endpoint}/latest/meta-data/instance-life-cycle", "GET", header)
        identity = _request(f"{endpoint}/latest/dynamic/instance-identity/document", "GET", header)
        document = json.loads(identity)
        return Host(
            document["instanceType"],
            document["availabilityZone"],
            market,
            document["instanceId"],
            document.get("pendingTime", ""),
        )
    except (OSError, ValueError, KeyError):
        return Host()


def _find_task(environment: Mapping[str, str]) -> Host:
    try:
        task = json.loads(
            _request(f"{environment['ECS_CONTAINER_METADATA_URI_V4']}/task", "GET", {})
        )
        vcpus, memory_gib = task["Limits"]["CPU"], task["Limits"]["Memory"] / 1024
        return Host(
            task_type(vcpus, memory_gib),
            task["AvailabilityZone"],
            environment.get(MARKET_VARIABLE, ""),
            task["TaskARN"].rpartition("/")[2],
            task.get("PullStartedAt", ""),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Host()


def _read_file(name: str) -> Host | None:
    try:
        found = json.loads(Path(name).read_text(encoding="ascii")) if name else None
    except (OSError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    return Host(**{field.name: str(found.get(field.name, "")) for field in fields(Host)})


def _request(url: str, method: str, headers: Mapping[str, str]) -> str:
    request = urllib.request.Request(url, method=method, headers=dict(headers))  # noqa: S310
    with _OPENER.open(request, timeout=_TIMEOUT_S) as reply:
        return str(reply.read().decode("utf-8"))
