"""What a Region offers of what the stacks ask for: types of machines, and zones.

Batch refuses a type that its Region lacks, and CloudFormation a zone, when the stacks below are
already made. So it is asked first, and what there is, is taken. Decision 86.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from tomobatch.aws.account.quotas import MakeClient, starved_machines
from tomobatch.errors import UserError
from tomobatch.words import counted

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

TYPES = {"CPU": "CpuInstanceTypes", "GPU": "GpuInstanceTypes"}
_LEAST_FAMILIES = 2
_MOST_ZONES = 3


def fit_region(
    make_client: MakeClient,
    settings: Mapping[str, str],
    present: Mapping[str, str],
    defaults: Mapping[str, str],
    tell: Callable[[str], object],
) -> dict[str, str]:
    """Return the settings, completed by what the Region has of the templates' defaults.

    Parameters
    ----------
    make_client
        Makes a boto3 client of a service.
    settings
        What the user sets, which is checked and kept.
    present
        What the stacks have, which is kept.
    defaults
        What the templates say.
    tell
        Takes each line about what differs from the defaults, or may keep jobs waiting.

    Raises
    ------
    UserError
        If the user named a type that the Region lacks, or it has none of the default ones, or too
        few zones.
    """
    ec2 = make_client("ec2")
    region = ec2.meta.region_name
    fitted = dict(settings)
    offered = _offered_types(ec2)
    for kind, name in TYPES.items():
        if name in settings:
            _refuse_missing(name, settings[name], offered, region)
        elif name not in present:
            fitted |= _fit_types(kind, name, defaults[name], offered, region, tell)
    if "Zones" not in present and not settings.get("ExistingVpc"):
        fitted |= _fit_zones(_zones(ec2), settings, defaults, region, tell)
    for line in starved_machines(make_client, region):
        tell(f"warning: {line}")
    return fitted


def _offered_types(ec2: "EC2Client") -> set[str]:
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(LocationType="region")
    return {offer["InstanceType"] for page in pages for offer in page["InstanceTypeOfferings"]}


def _zones(ec2: "EC2Client") -> list[str]:
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    return [
        zone["ZoneName"]
        for zone in zones
        if zone["State"] == "available" and zone.get("ZoneType") == "availability-zone"
    ]


def _is_offered(wanted: str, offered: Iterable[str]) -> bool:
    """Tell whether a type is offered, or any type of a family."""
    return any(each == wanted or each.startswith(f"{wanted}.") for each in offered)


def _families(types: Iterable[str]) -> list[str]:
    return sorted({each.partition(".")[0] for each in types})


def _refuse_missing(name: str, value: str, offered: set[str], region: str) -> None:
    missing = [each for each in value.split(",") if not _is_offered(each, offered)]
    if missing:
        raise UserError(
            f"--set {name}={value}: {region} offers no {', '.join(missing)}; leave it out, and "
            "what the Region has of the default types is taken"
        )


def _fit_types(
    kind: str,
    name: str,
    default: str,
    offered: set[str],
    region: str,
    tell: Callable[[str], object],
) -> dict[str, str]:
    wanted = default.split(",")
    found = [each for each in wanted if _is_offered(each, offered)]
    families = _families(found)
    if not found:
        raise UserError(
            f"{region} offers none of the {kind} machines {', '.join(_families(wanted))}: give "
            f"another --region, or name its types by --set {name}=TYPE,TYPE"
        )
    if len(families) < _LEAST_FAMILIES:
        tell(
            f"warning: {region} offers {kind} machines of the family {families[0]} only, of which "
            "there may be none at times; another --region has more"
        )
    elif len(found) < len(wanted):
        tell(f"{region} offers {kind} machines of {', '.join(families)}: taking those")
    return {} if len(found) == len(wanted) else {name: ",".join(found)}


def _fit_zones(
    zones: list[str],
    settings: Mapping[str, str],
    defaults: Mapping[str, str],
    region: str,
    tell: Callable[[str], object],
) -> dict[str, str]:
    wanted = int(settings.get("Zones", defaults["Zones"]))
    if len(zones) >= wanted:
        return {}
    if len(zones) < 2:
        raise UserError(
            f"{region} gives this account {len(zones)} availability zone(s), and the network takes "
            "two: give another --region, or your own network by ExistingVpc and ExistingSubnets"
        )
    if "Zones" in settings:
        raise UserError(
            f"--set Zones={wanted}: {region} gives this account {counted(len(zones), 'zone')}"
        )
    tell(f"{region} gives this account {counted(len(zones), 'zone')}: taking those")
    return {"Zones": str(min(len(zones), _MOST_ZONES))}
