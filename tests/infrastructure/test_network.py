"""Subnets as the network stack makes them, and as others do: can machines in them reach ECS?"""

import itertools

import pytest

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.account.deploy import deploy
from tomobatch.aws.account.network import examine_network
from tomobatch.aws.account.stacks import read_outputs

NUMBERS = itertools.count()


@pytest.fixture
def ec2(aws):
    return make_client("ec2")


@pytest.fixture
def make_network(aws):
    """Deploy the stacks and give the subnets."""
    client = make_client("cloudformation")

    def make(**settings):
        prefix = f"net{next(NUMBERS)}"
        deploy(client, prefix, settings, tell=print, confirm=lambda _: True, poll_s=0.0)
        return read_outputs(client, prefix)["Subnets"].split(",")

    return make


class OwnVpc:
    """A VPC with one subnet, as a user may have made it."""

    def __init__(self, ec2):
        self.ec2 = ec2
        self.id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        made = ec2.create_subnet(VpcId=self.id, CidrBlock="10.0.0.0/24")
        self.subnet = made["Subnet"]["SubnetId"]
        of_vpc = [{"Name": "vpc-id", "Values": [self.id]}]
        self.table = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"][0]["RouteTableId"]

    def route_to(self, **target):
        self.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock="0.0.0.0/0", **target)

    def route_to_internet(self):
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.id)
        self.route_to(GatewayId=gateway)

    def route_to_nat(self):
        nat = self.ec2.create_nat_gateway(SubnetId=self.subnet)["NatGateway"]["NatGatewayId"]
        self.route_to(NatGatewayId=nat)

    def finding(self):
        (finding,) = examine_network(self.ec2, [self.subnet])
        return finding


@pytest.fixture
def vpc(ec2):
    return OwnVpc(ec2)


@pytest.mark.parametrize(
    ("parameters", "n_subnets", "text"),
    [
        ({}, 3, "a way out by igw-"),
        ({"SubnetKind": "private"}, 3, "private, with all endpoints"),
    ],
)
def test_the_stacks_own_subnets_are_well(ec2, make_network, parameters, n_subnets, text):
    make_network()
    findings = list(examine_network(ec2, make_network(**parameters)))
    assert [finding.state for finding in findings] == ["ok"] * n_subnets
    assert all(finding.text.startswith(text) for finding in findings)


def test_an_endpoint_that_was_deleted_is_missed(ec2, make_network):
    subnets = make_network(SubnetKind="private")
    vpc = ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    of_vpc = {"Name": "vpc-id", "Values": [vpc]}

    def delete(service):
        name = f"com.amazonaws.{ec2.meta.region_name}.{service}"
        of_service = {"Name": "service-name", "Values": [name]}
        found = ec2.describe_vpc_endpoints(Filters=[of_vpc, of_service])["VpcEndpoints"]
        ec2.delete_vpc_endpoints(VpcEndpointIds=[found[0]["VpcEndpointId"]])

    def said():
        return {(finding.state, finding.text) for finding in examine_network(ec2, subnets)}

    delete("batch")
    assert said() == {("warning", "private, without the endpoints of batch: --detach can't work")}
    delete("s3")
    delete("ecs-agent")
    missing = "private, without the endpoints of ecs-agent, s3: no job can start"
    assert said() == {("failed", missing)}


def test_endpoints_are_found_by_their_names(ec2, make_network):
    subnets = make_network(SubnetKind="private")
    vpc = ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsSupport={"Value": False})
    findings = list(examine_network(ec2, subnets))
    assert {finding.state for finding in findings} == {"failed"}
    assert all("DNS is off" in finding.text for finding in findings)


def test_a_subnet_without_any_way_out(vpc):
    assert vpc.finding().state == "failed"
    assert "ecr.api, ecr.dkr, ecs, ecs-agent, ecs-telemetry, logs, s3" in vpc.finding().text


def test_a_public_subnet_gives_its_machines_addresses(vpc):
    vpc.route_to_internet()
    assert (vpc.finding().state, "no public address" in vpc.finding().text) == ("failed", True)
    vpc.ec2.modify_subnet_attribute(SubnetId=vpc.subnet, MapPublicIpOnLaunch={"Value": True})
    assert vpc.finding().state == "ok"


def test_data_is_not_to_go_through_a_nat_gateway(vpc):
    vpc.route_to_nat()
    assert (vpc.finding().state, "by the GB" in vpc.finding().text) == ("warning", True)
    vpc.ec2.create_vpc_endpoint(
        VpcId=vpc.id,
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{vpc.ec2.meta.region_name}.s3",
        RouteTableIds=[vpc.table],
    )
    assert vpc.finding().state == "ok"


def test_subnets_that_are_gone(ec2):
    (finding,) = examine_network(ec2, ["subnet-0123456789abcdef0"])
    assert (finding.state, finding.fix) == ("failed", "run tomobatch setup")
