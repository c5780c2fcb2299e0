"""What the emulated AWS drops, or never looks at, held on the parsed templates."""

import json
import re
from fnmatch import fnmatchcase

import pytest
from tests.infrastructure.templates import FOLDER, NAMES, Template

from tomobatch import __version__
from tomobatch.aws.account.stacks import STACKS

SECTIONS = ["Metadata", "Parameters", "Mappings", "Conditions", "Resources", "Outputs"]


@pytest.mark.parametrize("name", NAMES)
def test_sections_are_in_order_and_everything_is_described(name):
    data = Template(name).data
    assert data["Description"].strip().startswith(f"tomobatch {NAMES.index(name) + 1}/6, ")
    assert list(data)[2:] == [section for section in SECTIONS if section in data]
    interface = data["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [key for group in interface["ParameterGroups"] for key in group["Parameters"]]
    assert sorted(grouped) == sorted(data["Parameters"])
    assert sorted(interface["ParameterLabels"]) == sorted(data["Parameters"])
    for item in [*data["Parameters"].values(), *data["Outputs"].values()]:
        assert item["Description"].strip()


@pytest.mark.parametrize("name", NAMES)
def test_every_output_is_exported_under_its_own_name(name):
    for output, value in Template(name, Prefix="lab").outputs().items():
        assert value["Export"]["Name"] == f"lab-{output}"


def test_every_import_is_exported_by_a_stack_above():
    exported = set()
    for name in NAMES:
        text = Template(name).text
        wanted = re.findall(r"Fn::ImportValue: !Sub \$\{Prefix\}-(\w+)", text)
        assert set(wanted) <= exported, name
        exported |= set(Template(name).data["Outputs"])


def test_the_readme_lists_the_stacks_in_order_with_their_outputs():
    table = re.findall(r"^\| \[([\w-]+)\.yaml\].*\| (.*) \|$", readme(), re.MULTILINE)
    assert [name for name, _ in table] == [stack.name for stack in STACKS] == list(NAMES)
    for name, outputs in table:
        assert re.findall(r"`(\w+)`", outputs) == list(Template(name).data["Outputs"])


def readme():
    return (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_default_image_is_that_of_this_version():
    for name in ("ecr", "gpu-ami", "batch"):
        assert Template(name).parameters["ImageTag"] == __version__


def test_the_bucket_is_private_encrypted_and_unversioned():
    bucket = Template("storage", ScratchDays="9").only("AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    rules = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rules == [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert "VersioningConfiguration" not in bucket
    expiry, uploads = bucket["LifecycleConfiguration"]["Rules"]
    assert expiry["Prefix"] == "scratch/"
    assert expiry["ExpirationInDays"] == "9"
    assert uploads["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 2
    assert {expiry["Status"], uploads["Status"]} == {"Enabled"}


def test_logs_are_kept_for_a_while():
    assert Template("storage").only("AWS::Logs::LogGroup")["RetentionInDays"] == "30"


def test_the_repository_scans_and_never_changes_a_tag():
    repository = Template("ecr").only("AWS::ECR::Repository")
    assert repository["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert repository["ImageTagMutability"] == "IMMUTABLE"


def test_the_image_in_use_never_expires_and_versions_neither():
    """The rules as ECR applies them: the first that selects an image's tag alone decides on it."""
    repository = Template("ecr", ImageTag="git-1", KeptImages="2").only("AWS::ECR::Repository")
    rules = json.loads(repository["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
    assert [rule["rulePriority"] for rule in rules] == [1, 2, 3]
    assert {rule["action"]["type"] for rule in rules} == {"expire"}
    pushed = ["0.1.0", "git-1", "0.2.0", "git-2", "git-3", "git-4", "git-5"]
    left, expired = list(pushed), set()
    for rule in rules[:2]:
        patterns = rule["selection"]["tagPatternList"]
        assert rule["selection"]["countType"] == "imageCountMoreThan"
        selected = [tag for tag in left if any(fnmatchcase(tag, each) for each in patterns)]
        expired |= set(selected[: -rule["selection"]["countNumber"]])
        left = [tag for tag in left if tag not in selected]
    assert expired == {"git-2", "git-3"}
    assert rules[2]["selection"] == {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 1,
    }


@pytest.mark.parametrize(("kind", "public"), [("public", True), ("private", False)])
def test_subnets_are_public_or_have_every_endpoint(kind, public):
    network = Template("network", SubnetKind=kind)
    subnets = network.resources("AWS::EC2::Subnet").values()
    assert [subnet["MapPublicIpOnLaunch"] for subnet in subnets] == [public] * 3
    names = network.only("AWS::EC2::VPC")
    assert (names["EnableDnsSupport"], names["EnableDnsHostnames"]) == (True, True)
    links = network.resources("AWS::EC2::SubnetRouteTableAssociation").values()
    assert {link["SubnetId"] for link in links} == {"<SubnetA>", "<SubnetB>", "<SubnetC>"}
    assert {link["RouteTableId"] for link in links} == {"<RouteTable>"}
    assert bool(network.resources("AWS::EC2::Route")) is public
    endpoints = network.resources("AWS::EC2::VPCEndpoint").values()
    services = {endpoint["ServiceName"].split(".", 3)[3] for endpoint in endpoints}
    needed = {"ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "logs", "batch"}
    assert services == {"s3"} | (set() if public else needed | {"cloudformation"})


def test_machines_reach_the_endpoints_by_their_usual_names():
    endpoints = Template("network", SubnetKind="private").resources("AWS::EC2::VPCEndpoint")
    s3 = endpoints.pop("S3Endpoint")
    # The one kind that costs nothing.
    assert (s3["VpcEndpointType"], s3["RouteTableIds"]) == ("Gateway", ["<RouteTable>"])
    for endpoint in endpoints.values():
        assert endpoint["VpcEndpointType"] == "Interface"
        assert endpoint["PrivateDnsEnabled"] is True
        assert endpoint["SecurityGroupIds"] == ["<EndpointSecurityGroup>"]
        assert endpoint["SubnetIds"] == ["<SubnetA>", "<SubnetB>", "<SubnetC>"]


@pytest.mark.parametrize("kind", ["public", "private"])
def test_nothing_enters_a_machine(kind):
    groups = Template("network", SubnetKind=kind).resources("AWS::EC2::SecurityGroup")
    machines = groups["SecurityGroup"]
    assert "SecurityGroupIngress" not in machines
    assert [rule["ToPort"] for rule in machines["SecurityGroupEgress"]] == [443]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("prefix", "good"),
    [
        ("tomobatch", True),
        ("lab-b", True),
        ("x2", True),
        ("a" * 20, True),
        ("lab-", False),
        ("a--b", False),
        ("2lab", False),
        ("Lab", False),
        ("aws-lab", False),
        ("ssm1", False),
        ("lab_b", False),
    ],
)
def test_a_prefix_is_what_every_service_takes(name, prefix, good):
    declared = Template(name).data["Parameters"]["Prefix"]
    assert (re.fullmatch(declared["AllowedPattern"], prefix) is not None) is good
    assert (declared["MinLength"], declared["MaxLength"]) == (2, 20)
    # A repository's name, as ECR takes it.
    assert not good or re.fullmatch(r"[a-z0-9]+([._-][a-z0-9]+)*", prefix)


def test_the_budget_warns_before_it_is_spent(batch):
    budget = batch.only("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": "100", "Unit": "USD"}
    notices = [n["Notification"] for n in budget["NotificationsWithSubscribers"]]
    assert [(n["NotificationType"], n["Threshold"]) for n in notices] == [
        ("ACTUAL", 50),
        ("ACTUAL", 80),
        ("FORECASTED", 100),
    ]
