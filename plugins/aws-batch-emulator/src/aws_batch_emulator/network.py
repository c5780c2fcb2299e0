"""Whether a task on Fargate reaches what it needs before its command runs.

A task has an address of its own in one of its environment's subnets. It reaches the internet by a
default route: to a NAT gateway or the like, or to an internet gateway if it has a public address as
well. Without, it reaches what the VPC has endpoints for (ECS developer guide, "Fargate task
networking"; ECR user guide, "Amazon ECR interface VPC endpoints"). Its security groups must let
HTTPS out either way.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from moto.backends import get_backend

from aws_batch_emulator import endings
from aws_batch_emulator.endings import Ending
from aws_batch_emulator.jobs import JobSpec

if TYPE_CHECKING:
    from moto.ec2.models import EC2Backend
    from moto.ec2.models.route_tables import RouteTable
    from moto.ec2.models.subnets import Subnet

_ANYWHERE = "0.0.0.0/0"
_HTTPS = 443
_OF_REGISTRY = ("ecr.api", "ecr.dkr", "s3")
"""The layers of an image of ECR lie on S3."""


def unreachable(spec: JobSpec, task_id: str) -> Ending | None:
    """Return how an attempt ends that gets no image or opens no log stream; None if it does."""
    if not spec.is_fargate:
        return None
    ec2: EC2Backend = get_backend("ec2")[spec.account_id][spec.region]
    # Tasks are spread over all subnets.
    subnet = ec2.get_subnet(spec.subnets[int(task_id, 16) % len(spec.subnets)])
    table = _table_of(ec2, subnet)
    if _lets_https_out(ec2, spec.security_groups):
        if _has_way_out(table, is_public=spec.has_public_address):
            return None
        missing = [each for each in _needed(spec) if not _has_endpoint(ec2, spec, table, each)]
    else:
        missing = [*_needed(spec)]
    return endings.cannot_reach(missing[0], spec.region) if missing else None


def _needed(spec: JobSpec) -> Iterator[str]:
    """Walk the services that the agent calls before the command; "" is a registry elsewhere."""
    is_own = spec.container.get("image", "").startswith(f"{spec.account_id}.dkr.ecr.")
    yield from _OF_REGISTRY if is_own else ("",)
    yield "logs"


def _table_of(ec2: "EC2Backend", subnet: "Subnet") -> "RouteTable | None":
    """Return the route table of a subnet: its own, or the main one of its VPC."""
    tables = [each for each in ec2.route_tables.values() if each.vpc_id == subnet.vpc_id]
    own = (each for each in tables if subnet.id in (a.get("SubnetId") for a in each.associations))
    main = (each for each in tables if any(a.get("Main") for a in each.associations))
    return next(own, None) or next(main, None)


def _has_way_out(table: "RouteTable | None", *, is_public: bool) -> bool:
    routes = [] if table is None else table.routes
    for route in (each for each in routes if each.destination_cidr_block == _ANYWHERE):
        if route.gateway is None:
            return any((route.nat_gateway, route.transit_gateway, route.instance, route.interface))
        return is_public or not str(route.gateway.id).startswith("igw-")
    return False


def _has_endpoint(
    ec2: "EC2Backend", spec: JobSpec, table: "RouteTable | None", service: str
) -> bool:
    """Tell whether the VPC has one: a gateway on the subnet's routes, or an interface by name."""
    name = f"com.amazonaws.{spec.region}.{service}"
    return table is not None and any(
        table.id in (each.route_table_ids or ())
        if each.vpc_endpoint_type == "Gateway"
        else bool(each.subnet_ids) and str(each.private_dns_enabled).lower() != "false"
        for each in ec2.vpc_end_points.values()
        if each.vpc_id == table.vpc_id and each.service_name == name
    )


def _lets_https_out(ec2: "EC2Backend", group_ids: tuple[str, ...]) -> bool:
    groups = [ec2.get_security_group_from_id(each) for each in group_ids]
    rules = [rule for group in groups if group is not None for rule in group.egress_rules]
    return any(
        rule.ip_protocol == "-1"
        or (
            rule.ip_protocol == "tcp"
            and int(rule.from_port or 0) <= _HTTPS <= int(rule.to_port or 0)
        )
        for rule in rules
    )
