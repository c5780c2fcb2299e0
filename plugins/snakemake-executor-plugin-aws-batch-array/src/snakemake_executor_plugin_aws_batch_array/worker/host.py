"""The instance this child runs on, from the instance metadata service (IMDSv2)."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

_DEFAULT_ENDPOINT = "http://169.254.169.254"
_TIMEOUT_S = 1.0

# The service is on this machine: a proxy set in the environment must not be asked.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Host:
    """Type, zone, market (``spot`` or ``on-demand``) and id of an instance; empty if unknown."""

    instance_type: str = ""
    zone: str = ""
    market: str = ""
    instance_id: str = ""


def find_host(environment: Mapping[str, str] = os.environ) -> Host:
    """Ask the metadata service; an unknown host is no error.

    ``AWS_EC2_METADATA_SERVICE_ENDPOINT`` and ``AWS_EC2_METADATA_DISABLED`` are honoured, as by
    every AWS tool. A container reaches the service only if the instance's hop limit is 2 or more.
    """
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
        instance_type, zone, market, instance_id = (
            _request(f"{endpoint}/latest/meta-data/{item}", "GET", header)
            for item in (
                "instance-type",
                "placement/availability-zone",
                "instance-life-cycle",
                "instance-id",
            )
        )
    except (OSError, ValueError):
        return Host()
    return Host(instance_type, zone, market, instance_id)


def _request(url: str, method: str, headers: Mapping[str, str]) -> str:
    request = urllib.request.Request(url, method=method, headers=dict(headers))  # noqa: S310
    with _OPENER.open(request, timeout=_TIMEOUT_S) as reply:
        return str(reply.read().decode("ascii"))
