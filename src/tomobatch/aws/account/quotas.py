"""How many vCPUs the account may have at once: a quota of 0 keeps jobs waiting without a reason."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

MakeClient = Callable[[str], Any]

QUOTAS = {
    "CPU spot": "L-34B43A08",
    "CPU on-demand": "L-1216C47A",
    "GPU spot": "L-3819A6DF",
    "GPU on-demand": "L-DB2E81BA",
    "Fargate spot": "L-36FBB829",
}
"""Codes of the quotas of vCPUs: of EC2 all standard spot, standard on-demand, all G and VT of
either; of Fargate spot tasks, the only ones that the stacks have."""

FARGATE = "Fargate"

LEAST_VCPUS = 4
"""A smaller quota starts none of our machines."""


def read_quota(make_client: MakeClient, name: str) -> int:
    """Return the vCPUs of one of ``QUOTAS``.

    Raises
    ------
    ClientError, BotoCoreError
        If it may not or can't be asked.
    """
    answer = make_client("service-quotas").get_service_quota(
        ServiceCode=_service_of(name), QuotaCode=QUOTAS[name]
    )
    return int(answer["Quota"]["Value"])


def quota_page(region: str, name: str) -> str:
    """Return the address at which a larger quota is asked for."""
    return (
        f"https://{region}.console.aws.amazon.com/servicequotas/home/services/"
        f"{_service_of(name)}/quotas/{QUOTAS[name]}"
    )


def _service_of(name: str) -> str:
    return "fargate" if name.startswith(FARGATE) else "ec2"


def starved_machines(
    make_client: MakeClient, region: str, kinds: Iterable[str] = ("CPU", "GPU")
) -> Iterator[str]:
    """Say, a line each, for which kinds of machines the account has no quota.

    What may not be asked is passed over: ``doctor --aws`` says that it is unknown.
    """
    for kind in kinds:
        try:
            spot, on_demand = (
                read_quota(make_client, name) if (name := f"{kind} {market}") in QUOTAS else 0
                for market in ("spot", "on-demand")
            )
        except (ClientError, BotoCoreError):
            continue
        if spot >= LEAST_VCPUS:
            continue
        what = f"the account may start {spot} vCPUs of {kind} spot machines in {region}"
        ask = f"ask for more: {quota_page(region, f'{kind} spot')}"
        if on_demand >= LEAST_VCPUS:
            yield f"{what}, so that jobs take on-demand ones, at twice the price; {ask}"
        else:
            yield f"{what} and {on_demand} of on-demand ones: no {kind} job can start; {ask}"
