"""All stacks, deployed, changed and removed again over HTTP."""

import itertools

import pytest
import yaml
from tests.infrastructure.policies import is_allowed, statements_of
from tests.infrastructure.templates import NAMES, Template

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.deployment import resolve_deployment
from snakemake_executor_plugin_aws_batch_array.settings import ExecutorSettings
from tomobatch.aws.account.deploy import deploy
from tomobatch.aws.account.stacks import STACKS, read_outputs
from tomobatch.aws.account.teardown import teardown
from tomobatch.errors import UserError

NUMBERS = itertools.count()


class Account:
    """The emulated account, and what was told while it was changed."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.cloudformation = make_client("cloudformation")
        self.s3 = make_client("s3")
        self.told = []

    def deploy(self, confirm=lambda _: True, **settings):
        self.told.clear()
        return deploy(
            self.cloudformation,
            self.prefix,
            settings,
            tell=self.told.append,
            confirm=confirm,
            poll_s=0.0,
        )

    def teardown(self, **options):
        self.told.clear()
        teardown(
            self.cloudformation,
            self.s3,
            make_client("iam"),
            self.prefix,
            tell=self.told.append,
            poll_s=0.0,
            **options,
        )

    def stacks(self):
        """Names of the stacks there are, in the order in which they were made."""
        found = self.cloudformation.describe_stacks()["Stacks"]
        names = [s["StackName"] for s in sorted(found, key=lambda s: s["CreationTime"])]
        return [name for name in names if name.startswith(f"{self.prefix}-")]


@pytest.fixture
def account(aws):
    """A prefix of its own for each test, as if the account were new."""
    return Account(f"lab{next(NUMBERS)}")


def test_a_life_of_the_stacks(account, repository):
    outputs = account.deploy()

    assert account.stacks() == [f"{account.prefix}-{name}" for name in NAMES]
    assert outputs == read_outputs(account.cloudformation, account.prefix)
    declared = set().union(*(Template(name).outputs() for name in NAMES))
    assert set(outputs) == declared
    assert not [value for value in outputs.values() if not value or "${" in value]
    assert "  + DataBucket (AWS::S3::Bucket)" in account.told
    assert f"  {account.prefix}-batch: create complete" in account.told
    check_wiring(outputs)
    check_profile(account, outputs, repository)

    account.deploy()
    assert account.told == [f"{account.prefix}-{s.name} ({s.title}): no changes" for s in STACKS]

    changed = account.deploy(ImageTag="0.3.0", NoticeEmail="lab@example.org")
    assert changed["CpuJobDefinition"].endswith(":2")
    definition = describe_definition(changed["CpuJobDefinition"])
    assert definition["containerProperties"]["image"].endswith(f"/{account.prefix}:0.3.0")
    untouched = [s for s in STACKS if s.name in ("iam", "storage", "network")]
    for stack in untouched:
        assert f"{account.prefix}-{stack.name} ({stack.title}): no changes" in account.told

    account.deploy()  # what was set before stays set
    assert all(line.endswith("no changes") for line in account.told)

    bucket = changed["DataBucket"]
    account.s3.put_object(Bucket=bucket, Key="scans/tooth.h5", Body=b"data")
    with pytest.raises(UserError, match=f"{bucket} holds data.*--delete-data.*--keep-data"):
        account.teardown()
    assert len(account.stacks()) == len(NAMES)

    account.teardown(keep_data=True)
    assert account.stacks() == [f"{account.prefix}-storage"]
    assert account.s3.get_object(Bucket=bucket, Key="scans/tooth.h5")["Body"].read() == b"data"

    account.teardown(delete_data=True)
    assert account.stacks() == []
    assert bucket not in [b["Name"] for b in account.s3.list_buckets()["Buckets"]]
    batch = make_client("batch")
    queues = [changed["CpuJobQueue"], changed["GpuJobQueue"]]
    assert batch.describe_job_queues(jobQueues=queues)["jobQueues"] == []


def check_wiring(outputs):
    """Hold what the queues, machines and definitions are made of against the other outputs."""
    batch = make_client("batch")
    environments = {
        e["computeEnvironmentArn"]: e["computeResources"]
        for e in batch.describe_compute_environments()["computeEnvironments"]
    }
    queues = {q["jobQueueArn"]: q for q in batch.describe_job_queues()["jobQueues"]}
    image = make_client("ssm").get_parameter(Name=outputs["GpuAmi"])["Parameter"]["Value"]
    for kind in ("Cpu", "Gpu"):
        order = queues[outputs[f"{kind}JobQueue"]]["computeEnvironmentOrder"]
        ordered = sorted(order, key=lambda item: item["order"])
        machines = [environments[item["computeEnvironment"]] for item in ordered]
        assert [resources["type"] for resources in machines] == ["SPOT", "EC2"]
        for resources in machines:
            assert resources["minvCpus"] == 0
            assert resources["subnets"] == outputs["Subnets"].split(",")
            assert resources["securityGroupIds"] == [outputs["SecurityGroup"]]
            assert resources["instanceRole"] == outputs["InstanceProfile"]
            images = [setting.get("imageIdOverride") for setting in resources["ec2Configuration"]]
            assert images == ([image] if kind == "Gpu" else [None])
    for name, role in (("Cpu", "JobRole"), ("Gpu", "JobRole"), ("Head", "HeadJobRole")):
        definition = describe_definition(outputs[f"{name}JobDefinition"])
        container = definition["containerProperties"]
        assert container["image"] == f"{outputs['RepositoryUri']}:0.2.0"
        assert container["jobRoleArn"] == outputs[role]
        assert container["executionRoleArn"] == outputs["ExecutionRole"]
        options = container["logConfiguration"]["options"]
        assert options["awslogs-group"] == outputs["LogGroup"]
        assert definition["timeout"]["attemptDurationSeconds"] >= 60


def describe_definition(arn):
    found = make_client("batch").describe_job_definitions(jobDefinitions=[arn])
    (definition,) = found["jobDefinitions"]
    return definition


def check_profile(account, outputs, repository):
    """Hold what the aws profile makes of the stacks against the outputs, and against the roles."""
    text = (repository / "profiles/aws/config.yaml").read_text(encoding="utf-8")
    profile = yaml.safe_load(text.replace("$TOMOBATCH_BUCKET", outputs["DataBucket"]))
    deployment = resolve_deployment(
        ExecutorSettings(stack=account.prefix, s3_prefix=profile["aws-batch-array-s3-prefix"]),
        profile["default-storage-prefix"],
        lambda: account.cloudformation,
    )
    assert deployment.queues == {"cpu": outputs["CpuJobQueue"], "gpu": outputs["GpuJobQueue"]}
    assert deployment.job_definitions == {
        "cpu": outputs["CpuJobDefinition"],
        "gpu": outputs["GpuJobDefinition"],
    }
    assert deployment.log_group == outputs["LogGroup"]
    iam = Template("iam", Prefix=account.prefix)
    result = f"{profile['default-storage-prefix']}/results/x"
    of_run = deployment.lists / "run"
    needed = [
        ("JobRole", result, ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")),
        ("JobRole", of_run / "lists" / "l.json", ("s3:GetObject",)),
        ("JobRole", of_run / "outcomes" / "l" / "0.json", ("s3:GetObject", "s3:PutObject")),
        ("JobRole", of_run / "attempts" / "l" / "0_1", ("s3:PutObject",)),
        ("JobRole", of_run / "claims" / "l" / "0", ("s3:GetObject", "s3:PutObject")),
        ("JobRole", of_run / "pilots" / "p" / "control.json", ("s3:GetObject",)),
        ("HeadJobRole", result, ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")),
        ("HeadJobRole", of_run / "lists" / "l.json", ("s3:GetObject", "s3:PutObject")),
        ("HeadJobRole", of_run / "closed" / "l", ("s3:PutObject",)),
        ("HeadJobRole", of_run / "pilots" / "p" / "control.json", ("s3:GetObject", "s3:PutObject")),
        ("HeadJobRole", of_run / "claims" / "l" / "0", ("s3:GetObject", "s3:PutObject")),
    ]
    for role, place, actions in needed:
        arn = str(place).replace("s3://", "arn:aws:s3:::")
        for action in actions:
            assert is_allowed(statements_of(iam, role), action, arn), (role, action, arn)


def test_a_teardown_takes_the_policy_from_its_users(account):
    outputs = account.deploy()
    iam = make_client("iam")
    name = f"{account.prefix}-person"
    iam.create_user(UserName=name)
    iam.create_group(GroupName=name)
    iam.attach_user_policy(UserName=name, PolicyArn=outputs["UserPolicy"])
    iam.attach_group_policy(GroupName=name, PolicyArn=outputs["UserPolicy"])

    account.teardown()

    assert account.stacks() == []
    assert f"{outputs['UserPolicy']}: taken from user {name}" in account.told
    assert f"{outputs['UserPolicy']}: taken from group {name}" in account.told
    assert iam.list_attached_user_policies(UserName=name)["AttachedPolicies"] == []


def test_everything_carries_the_tag_of_its_project(account):
    account.deploy()
    for stack in account.cloudformation.describe_stacks()["Stacks"]:
        if stack["StackName"].startswith(f"{account.prefix}-"):
            assert stack["Tags"] == [{"Key": "Project", "Value": account.prefix}], stack[
                "StackName"
            ]


def test_what_is_fixed_is_refused_before_anything_is_changed(account):
    account.deploy()
    account.told.clear()
    with pytest.raises(UserError, match=r"Zones=2: it is 3, .* teardown --keep-data"):
        account.deploy(Zones="2")
    assert account.told == []
    account.deploy(Zones="3")


def test_a_bad_prefix_makes_nothing(aws):
    account = Account("lab-")
    with pytest.raises(UserError, match="--prefix lab-: give 2 to 20"):
        account.deploy()
    assert account.stacks() == []


def test_the_rights_of_users_are_a_policy_of_the_region(account):
    def reads():
        iam = make_client("iam")
        arn = account.outputs["UserPolicy"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
        statements = found["Document"]["Statement"]
        return [s["Resource"] for s in statements if s["Sid"] == "ReadElsewhere"]

    account.outputs = account.deploy(ReadBuckets="beamline-a,beamline-b")
    assert account.outputs["UserPolicy"].endswith(f"policy/{account.prefix}-User-eu-central-1")
    names = ("beamline-a", "beamline-b", "beamline-a/*", "beamline-b/*")
    assert reads() == [[f"arn:*:s3:::{name}" for name in names]]


def test_a_change_that_is_not_confirmed_is_not_made(account):
    with pytest.raises(UserError, match=f"Stopped before {account.prefix}-ecr"):
        account.deploy(confirm=lambda change_set: not change_set.stack.endswith("-ecr"))
    assert account.stacks() == [f"{account.prefix}-{name}" for name in ("iam", "storage", "ecr")]
    message = r"-ecr .* not ready \(REVIEW_IN_PROGRESS\).*tomobatch setup"
    with pytest.raises(UserError, match=message):
        read_outputs(account.cloudformation, account.prefix)
    assert account.deploy()["RepositoryUri"].endswith(f"/{account.prefix}")


def test_an_unknown_setting_is_refused_before_anything_is_made(account):
    with pytest.raises(UserError, match=r"parameter CpuMaxVcpu; did you mean CpuMaxVcpus\?"):
        account.deploy(CpuMaxVcpu="100")
    assert account.stacks() == []


def test_existing_subnets_need_no_vpc_of_ours(account):
    ec2 = make_client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")["Subnet"]["SubnetId"]
    before = len(ec2.describe_vpcs()["Vpcs"])

    outputs = account.deploy(ExistingVpc=vpc, ExistingSubnets=subnet)

    assert outputs["Subnets"] == subnet
    assert len(ec2.describe_vpcs()["Vpcs"]) == before
    (group,) = ec2.describe_security_groups(GroupIds=[outputs["SecurityGroup"]])["SecurityGroups"]
    assert group["VpcId"] == vpc
    assert group["IpPermissions"] == []


def test_teardown_of_nothing_does_nothing(account):
    account.teardown()
    assert account.told == [f"{account.prefix}-{s.name}: not there" for s in reversed(STACKS)]


def test_to_delete_and_to_keep_the_data_exclude_each_other(account):
    with pytest.raises(UserError, match="exclude each other"):
        account.teardown(keep_data=True, delete_data=True)
