"""A task on Fargate starts only where it reaches its image and its log."""

from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from aws_batch_emulator.network import unreachable

REGION, ACCOUNT = "eu-central-1", "123456789012"
OWN = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/tomobatch:1"
TASK_ID = "0" * 32
ALL = ("ecr.api", "ecr.dkr", "s3", "logs")


@pytest.fixture
def ec2(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    with mock_aws():
        yield boto3.client("ec2", region_name=REGION)


@pytest.fixture
def vpc(ec2):
    return ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture
def subnet(ec2, vpc):
    return ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]


@pytest.fixture
def table(ec2, vpc, subnet):
    """The route table of the subnet; that of the VPC leads nowhere."""
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return table


@pytest.fixture
def gateway(ec2, vpc):
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    return gateway


@pytest.fixture
def group(ec2, vpc):
    made = ec2.create_security_group(GroupName="tasks", Description="none", VpcId=vpc)
    return made["GroupId"]


@pytest.fixture
def reason(subnet, group):
    """Return why a task does not start; None if it does."""

    def reason(*, public=False, image=OWN, is_fargate=True):
        spec = SimpleNamespace(
            is_fargate=is_fargate,
            account_id=ACCOUNT,
            region=REGION,
            subnets=(subnet,),
            security_groups=(group,),
            has_public_address=public,
            container={"image": image},
        )
        ending = unreachable(spec, TASK_ID)
        return None if ending is None else ending.reason or ending.status_reason

    return reason


def add_route(ec2, table, **to):
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **to)


def add_endpoint(ec2, vpc, subnet, table, service):
    more = (
        {"VpcEndpointType": "Gateway", "RouteTableIds": [table]}
        if service == "s3"
        else {"VpcEndpointType": "Interface", "SubnetIds": [subnet], "PrivateDnsEnabled": True}
    )
    name = f"com.amazonaws.{REGION}.{service}"
    ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=name, **more)


def test_without_a_way_out_a_task_fails_at_once_and_a_machine_is_not_asked(reason):
    assert reason(public=True).startswith("ResourceInitializationError: unable to pull secrets")
    assert "i/o timeout" in reason(public=True)
    assert reason(is_fargate=False) is None


def test_an_internet_gateway_serves_those_with_a_public_address(ec2, table, gateway, reason):
    add_route(ec2, table, GatewayId=gateway)

    assert reason(public=True) is None
    assert reason(public=False).startswith("ResourceInitializationError")


def test_a_nat_gateway_serves_those_without(ec2, subnet, table, reason):
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]
    add_route(ec2, table, NatGatewayId=nat["NatGatewayId"])

    assert reason() is None
    assert reason(image="busybox") is None


@pytest.mark.parametrize("left_out", ["", *ALL])
def test_endpoints_serve_if_none_is_missing(ec2, vpc, subnet, table, reason, left_out):
    for service in ALL:
        if service != left_out:
            add_endpoint(ec2, vpc, subnet, table, service)

    if left_out:
        assert f"https://{left_out}.{REGION}.amazonaws.com/" in reason()
    else:
        assert reason() is None
    assert "registry-1.docker.io" in reason(image="busybox")


def test_a_route_of_another_subnet_serves_nobody(ec2, vpc, gateway, reason):
    """Where a subnet has no table of its own, that of its VPC counts."""
    other = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    add_route(ec2, other, GatewayId=gateway)
    assert reason(public=True) is not None

    of_vpc = {"vpc-id": vpc, "association.main": "true"}
    filters = [{"Name": name, "Values": [value]} for name, value in of_vpc.items()]
    (main,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
    add_route(ec2, main["RouteTableId"], GatewayId=gateway)
    assert reason(public=True) is None


def test_a_security_group_must_let_https_out(ec2, table, gateway, group, reason):
    add_route(ec2, table, GatewayId=gateway)
    anywhere = [{"CidrIp": "0.0.0.0/0"}]
    everything = [{"IpProtocol": "-1", "IpRanges": anywhere}]
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
    assert reason(public=True) is not None

    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": anywhere}
    ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[https])
    assert reason(public=True) is None
