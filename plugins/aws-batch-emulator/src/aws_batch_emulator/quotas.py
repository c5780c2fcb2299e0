"""The quotas of vCPUs of EC2 and of Fargate, and which machines each is for.

Where one is too small Batch starts no machine and tells no reason (user guide, "Jobs stuck in a
RUNNABLE status"). What the account uses at once is not counted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_batch_emulator.fargate import INSTANCE_TYPE

DEFAULT_VCPUS = 256

_CODES = {
    ("standard", "spot"): "L-34B43A08",
    ("standard", "on-demand"): "L-1216C47A",
    ("G and VT", "spot"): "L-3819A6DF",
    ("G and VT", "on-demand"): "L-DB2E81BA",
    ("fargate", "spot"): "L-36FBB829",
    ("fargate", "on-demand"): "L-3032A538",
}
CODES = tuple(_CODES.values())


def answer(asked: Mapping[str, Any], quotas: Mapping[str, int]) -> dict[str, Any] | None:
    """Answer GetServiceQuota; None for a quota that is not of vCPUs."""
    code, service = asked.get("QuotaCode"), asked.get("ServiceCode")
    of_fargate = {code for (group, _), code in _CODES.items() if group == INSTANCE_TYPE}
    if code not in CODES or service != ("fargate" if code in of_fargate else "ec2"):
        return None
    value = float(quotas.get(code, DEFAULT_VCPUS))
    return {"Quota": {"ServiceCode": service, "QuotaCode": code, "Value": value, "Unit": "None"}}


def allow(machines: Iterable[tuple[str, str]], vcpus: float, quotas: Mapping[str, int]) -> bool:
    """Tell whether a machine for a job of so many vCPUs may start.

    Parameters
    ----------
    machines
        Instance type or family, and market, of each of the queue's machines.
    """
    return any(
        quotas.get(_CODES[_group(instance_type), market], DEFAULT_VCPUS) >= vcpus
        for instance_type, market in machines
    )


def _group(instance_type: str) -> str:
    if instance_type == INSTANCE_TYPE:
        return instance_type
    return "G and VT" if instance_type.lower().startswith(("g", "vt")) else "standard"
