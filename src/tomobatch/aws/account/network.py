"""Look over the subnets that machines start in: whether each has a way to what jobs need.

A machine that can't reach ECS never joins its cluster, and its jobs stay RUNNABLE without a reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tomobatch.aws.account.finding import Finding
from tomobatch.aws.account.mistakes import reason_of

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        RouteTableTypeDef,
        RouteTypeDef,
        SubnetTypeDef,
        VpcEndpointTypeDef,
    )

NEEDED = ("ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs")
"""Services whose endpoints a machine needs where no route leads out; S3 besides."""

NEEDED_BY_CONTROLLERS = ("batch", "cloudformation")
"""Services that the controller of ``run --detach`` asks."""

_ADD = "run tomobatch setup --set SubnetKind=private, or add them to your own VPC"


def examine_network(client: "EC2Client", subnets: Sequence[str]) -> Iterator[Finding]:
    """Look at every subnet of the compute environments.

    Parameters
    ----------
    client
        Of EC2.
    subnets
        Ids, all of one VPC.
    """
    try:
        found = client.describe_subnets(SubnetIds=list(subnets))["Subnets"]
        vpc = _Vpc.of(client, found[0]["VpcId"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "InvalidSubnetID.NotFound":
            yield Finding("network", "failed", reason_of(error), "run tomobatch setup")
            return
        fix = (
            "allow ec2:DescribeSubnets, DescribeRouteTables, DescribeVpcEndpoints, "
            "DescribeVpcAttribute"
        )
        yield Finding("network", "unknown", reason_of(error), fix)
        return
    except BotoCoreError as error:
        yield Finding("network", "unknown", reason_of(error))
        return
    for subnet in found:
        yield from vpc.examine(subnet)


@dataclass(frozen=True)
class _Vpc:
    """What leads out of a VPC."""

    region: str
    tables: "list[RouteTableTypeDef]"
    endpoints: "list[VpcEndpointTypeDef]"
    has_dns: bool

    @classmethod
    def of(cls, client: "EC2Client", vpc: str) -> "_Vpc":
        """Ask EC2."""
        of_vpc: list[FilterTypeDef] = [{"Name": "vpc-id", "Values": [vpc]}]
        tables = client.get_paginator("describe_route_tables").paginate(Filters=of_vpc)
        endpoints = client.get_paginator("describe_vpc_endpoints").paginate(Filters=of_vpc)
        support = client.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsSupport")
        names = client.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
        return cls(
            client.meta.region_name,
            [table for page in tables for table in page["RouteTables"]],
            [
                endpoint
                for page in endpoints
                for endpoint in page["VpcEndpoints"]
                if endpoint["State"].lower() == "available"
            ],
            support["EnableDnsSupport"]["Value"] and names["EnableDnsHostnames"]["Value"],
        )

    def examine(self, subnet: "SubnetTypeDef") -> Iterator[Finding]:
        """Say whether machines of a subnet reach what they need, and by which way."""
        subject = f"subnet {subnet['SubnetId']}"
        table = self._table(subnet["SubnetId"])
        route = _default_route(table)
        if route is None:
            yield self._without_route(subject, table)
            return
        target = _target(route)
        if route.get("State") == "blackhole":
            text, fix = f"its route out ends at {target}, which is gone", "mend the route table"
            yield Finding(subject, "failed", text, fix)
        elif target.startswith("igw-") and not subnet["MapPublicIpOnLaunch"]:
            text = "public, but its machines get no public address"
            fix = "turn on auto-assigned public addresses, or route it through a NAT gateway"
            yield Finding(subject, "failed", text, fix)
        elif target.startswith("nat-") and not self._has_s3(table):
            text = "all data goes through a NAT gateway, which AWS charges by the GB"
            yield Finding(subject, "warning", text, "add the gateway endpoint of S3, which is free")
        else:
            yield Finding(subject, "ok", f"a way out by {target}")

    def _without_route(self, subject: str, table: "RouteTableTypeDef") -> Finding:
        reached = {
            self._service(point) for point in self.endpoints if point.get("PrivateDnsEnabled")
        }
        missing = [name for name in NEEDED if name not in reached]
        if not self._has_s3(table):
            missing.append("s3")
        if missing:
            text = f"private, without the endpoints of {', '.join(missing)}: no job can start"
            return Finding(subject, "failed", text, _ADD)
        if not self.has_dns:
            text = "the VPC's DNS is off, so that nothing finds the endpoints"
            fix = "turn on enableDnsSupport and enableDnsHostnames of the VPC"
            return Finding(subject, "failed", text, fix)
        missing = [name for name in NEEDED_BY_CONTROLLERS if name not in reached]
        if missing:
            text = f"private, without the endpoints of {', '.join(missing)}: --detach can't work"
            return Finding(subject, "warning", text, _ADD)
        return Finding(subject, "ok", "private, with all endpoints")

    def _table(self, subnet: str) -> "RouteTableTypeDef":
        """Return the subnet's own route table, or else the main one of the VPC."""
        for table in self.tables:
            if any(link.get("SubnetId") == subnet for link in table["Associations"]):
                return table
        return next(t for t in self.tables if any(link.get("Main") for link in t["Associations"]))

    def _has_s3(self, table: "RouteTableTypeDef") -> bool:
        return any(
            table["RouteTableId"] in point.get("RouteTableIds", [])
            or point.get("PrivateDnsEnabled")
            for point in self.endpoints
            if self._service(point) == "s3"
        )

    def _service(self, endpoint: "VpcEndpointTypeDef") -> str:
        """Return a service's name alone: ecr.api of com.amazonaws.eu-west-1.ecr.api."""
        return endpoint["ServiceName"].partition(f".{self.region}.")[2]


def _default_route(table: "RouteTableTypeDef") -> "RouteTypeDef | None":
    for route in table["Routes"]:
        if route.get("DestinationCidrBlock") == "0.0.0.0/0":
            return route
    return None


def _target(route: "RouteTypeDef") -> str:
    """Return the id of what a route leads to."""
    kinds = ("Gateway", "NatGateway", "TransitGateway", "NetworkInterface", "Instance")
    targets = dict(route)
    ids = (targets.get(f"{kind}Id") for kind in kinds)
    return next((str(found) for found in ids if found), "an unknown place")
