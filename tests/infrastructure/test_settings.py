"""What setup refuses, and what it takes of a Region, before anything is made."""

import itertools
import re

import boto3
import pytest
from botocore.stub import Stubber
from tests.infrastructure.templates import NAMES, Template

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.account.offers import fit_region
from tomobatch.aws.account.quotas import starved_machines
from tomobatch.aws.account.settings import PREFIX, check_changes, check_prefix
from tomobatch.errors import UserError

DEFAULTS = Template("batch").parameters | Template("network").parameters


class Region:
    """A Region as moto knows it, from AWS's own list of offers."""

    def __init__(self, name):
        self.name = name
        self.told = []

    def fit(self, present=None, **settings):
        return fit_region(
            lambda service: make_client(service, self.name),
            settings,
            present or {},
            DEFAULTS,
            self.told.append,
        )


def test_a_large_region_takes_the_defaults(aws):
    region = Region("eu-central-1")
    assert region.fit() == {}
    assert region.told == []


def test_a_region_with_fewer_machines_and_zones_takes_what_there_is(aws):
    region = Region("us-west-1")
    assert region.fit() == {"GpuInstanceTypes": "g4dn.xlarge,g4dn.2xlarge", "Zones": "2"}
    warning, zones = region.told
    assert warning.startswith("warning: us-west-1 offers GPU machines of the family g4dn only")
    assert zones == "us-west-1 gives this account 2 zones: taking those"


def test_a_region_with_some_of_the_families(aws):
    region = Region("sa-east-1")
    fitted = region.fit()
    families = {each.partition(".")[0] for each in fitted["CpuInstanceTypes"].split(",")}
    assert families == {"c6i", "c6a", "c7i", "m6i", "m6a"}
    assert region.told == ["sa-east-1 offers CPU machines of c6a, c6i, c7i, m6a, m6i: taking those"]


def test_a_region_without_gpus_is_refused_before_anything_is_made(aws):
    with pytest.raises(UserError, match="ca-west-1 offers none of the GPU machines g4dn, g5, g6"):
        Region("ca-west-1").fit()


def test_what_the_user_names_must_be_there(aws):
    with pytest.raises(UserError, match=r"CpuInstanceTypes=.*us-west-1 offers no c99x.large;"):
        Region("us-west-1").fit(CpuInstanceTypes="c6i,c99x.large")
    fitted = Region("us-west-1").fit(CpuInstanceTypes="c6i", GpuInstanceTypes="g4dn.xlarge")
    assert fitted["CpuInstanceTypes"] == "c6i"
    with pytest.raises(UserError, match="Zones=3: us-west-1 gives this account 2 zones"):
        Region("us-west-1").fit(Zones="3")


def test_what_the_stacks_have_stays(aws):
    region = Region("us-west-1")
    present = {"CpuInstanceTypes": "c6i", "GpuInstanceTypes": "g4dn.xlarge", "Zones": "2"}
    assert region.fit(present) == {}
    assert region.told == []


def test_a_network_of_ones_own_needs_no_zones_of_ours(aws):
    fitted = Region("us-west-1").fit(ExistingVpc="vpc-1", ExistingSubnets="subnet-1")
    assert "Zones" not in fitted


@pytest.fixture
def quotas(monkeypatch):
    """Service Quotas as it answers, by the code that is asked about."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    client = boto3.client("service-quotas", region_name="eu-central-1")
    with Stubber(client) as stubber:

        def answer(*values):
            for code, value in zip(
                ("L-34B43A08", "L-1216C47A", "L-3819A6DF", "L-DB2E81BA"), values, strict=True
            ):
                stubber.add_response(
                    "get_service_quota",
                    {"Quota": {"Value": value}},
                    {"ServiceCode": "ec2", "QuotaCode": code},
                )
            return list(starved_machines(lambda _: client, "eu-central-1"))

        yield answer


def test_quotas_that_suffice_are_no_news(quotas):
    assert quotas(256.0, 64.0, 4.0, 0.0) == []


def test_a_quota_of_0_is_said_with_the_page_to_ask_for_more(quotas):
    (line,) = quotas(256.0, 64.0, 0.0, 0.0)
    assert "0 vCPUs of GPU spot machines in eu-central-1" in line
    assert "no GPU job can start" in line
    assert line.endswith("services/ec2/quotas/L-3819A6DF")


def test_without_spot_machines_jobs_cost_more(quotas):
    (line,) = quotas(3.0, 64.0, 64.0, 64.0)
    assert "3 vCPUs of CPU spot machines" in line
    assert "on-demand ones, at twice the price" in line


PRESENT = {
    "Zones": "3",
    "ExistingVpc": "",
    "ExistingSubnets": "",
    "FairShare": "no",
    "GpuImage": "stock",
    "SubnetKind": "public",
}


@pytest.mark.parametrize(
    "settings",
    [
        {"Zones": "2"},
        {"FairShare": "yes"},
        {"ExistingVpc": "vpc-1", "ExistingSubnets": "subnet-1"},
    ],
)
def test_what_can_not_be_changed_any_more_says_the_way_out(settings):
    check_changes(settings, {})
    check_changes(PRESENT, PRESENT)
    with pytest.raises(UserError, match="teardown --keep-data, then tomobatch setup with it"):
        check_changes(settings, PRESENT)


@pytest.mark.parametrize(
    ("settings", "present"),
    [
        ({"GpuImage": "pulled", "SubnetKind": "private"}, {}),
        ({"GpuImage": "pulled"}, PRESENT | {"SubnetKind": "private"}),
        ({"SubnetKind": "private"}, PRESENT | {"GpuImage": "pulled"}),
    ],
)
def test_an_image_of_our_own_is_not_built_in_a_private_network(settings, present):
    with pytest.raises(UserError, match="exclude each other"):
        check_changes(settings, present)
    check_changes({"GpuImage": "pulled"}, PRESENT)


@pytest.mark.parametrize("name", ["ExistingVpc", "ExistingSubnets"])
def test_a_network_is_named_whole(name):
    with pytest.raises(UserError, match="given together"):
        check_changes({name: "x-1"}, {})


def test_the_templates_take_the_prefixes_that_setup_takes():
    patterns = {Template(name).data["Parameters"]["Prefix"]["AllowedPattern"] for name in NAMES}
    assert patterns == {PREFIX.pattern}
    for letters in itertools.product("a-1", repeat=4):
        prefix = "".join(letters)
        if re.fullmatch(PREFIX, prefix):
            check_prefix(prefix)
        else:
            with pytest.raises(UserError, match=f"^--prefix {prefix}: give 2 to 20"):
                check_prefix(prefix)
    for prefix in ("a", "a" * 21, "aws1", "ssm-lab", "sthree", "Lab"):
        with pytest.raises(UserError, match=f"--prefix {prefix}"):
            check_prefix(prefix)
