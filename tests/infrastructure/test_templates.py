"""What the emulated AWS drops, or never looks at, held on the parsed templates."""

import re

import pytest
from tests.infrastructure.templates import FOLDER, NAMES, Template

from tomobatch import __version__
from tomobatch.aws.account.stacks import STACKS

SECTIONS = ["Metadata", "Parameters", "Mappings", "Conditions", "Resources", "Outputs"]


@pytest.fixture(scope="module")
def batch():
    return Template("batch", NoticeEmail="lab@example.org")


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
    for name in ("gpu-ami", "batch"):
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
    assert '"countNumber": 3' in repository["LifecyclePolicy"]["LifecyclePolicyText"]


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


@pytest.mark.parametrize("kind", ["public", "private"])
def test_nothing_enters_a_machine(kind):
    groups = Template("network", SubnetKind=kind).resources("AWS::EC2::SecurityGroup")
    machines = groups["SecurityGroup"]
    assert "SecurityGroupIngress" not in machines
    assert [rule["ToPort"] for rule in machines["SecurityGroupEgress"]] == [443]


def test_a_machine_image_of_our_own_is_built_and_stored():
    stock = Template("gpu-ami", StockImage="ami-1")
    assert stock.only("AWS::SSM::Parameter")["Value"] == "ami-1"
    assert not stock.resources("AWS::ImageBuilder::Image")
    pulled = Template("gpu-ami", GpuImage="pulled", ImageTag="1.2.3")
    parameter = pulled.only("AWS::SSM::Parameter")
    assert parameter["Value"] == "<Image.ImageId>"
    assert parameter["DataType"] == "aws:ec2:image"
    component = pulled.only("AWS::ImageBuilder::Component")["Data"]
    assert "docker pull <tomobatch-RepositoryUri>:1.2.3" in component
    assert component.index("systemctl stop ecs") < component.index("rm -rf /var/lib/ecs/data/*")
    recipe = pulled.only("AWS::ImageBuilder::ImageRecipe")
    assert recipe["ParentImage"].endswith("amazon-linux-2023/gpu/recommended/image_id")
    assert recipe["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    machine = pulled.only("AWS::ImageBuilder::InfrastructureConfiguration")
    assert machine["InstanceMetadataOptions"]["HttpTokens"] == "required"


def test_updates_leave_running_jobs_alone(batch):
    for environment in batch.resources("AWS::Batch::ComputeEnvironment").values():
        assert environment["ReplaceComputeEnvironment"] is False
        assert environment["UpdatePolicy"]["TerminateJobsOnUpdate"] is False
        assert int(environment["UpdatePolicy"]["JobExecutionTimeoutMinutes"]) == 720
        assert "ComputeEnvironmentName" not in environment
        assert "ServiceRole" not in environment
    for definition in batch.resources("AWS::Batch::JobDefinition").values():
        assert definition["ResourceRetentionPolicy"] == {"SkipDeregisterOnUpdate": True}


def test_spot_machines_come_first_and_none_idles(batch):
    environments = batch.resources("AWS::Batch::ComputeEnvironment")
    for queue in batch.resources("AWS::Batch::JobQueue").values():
        first, second = (
            environments[item["ComputeEnvironment"].strip("<>")]["ComputeResources"]
            for item in sorted(queue["ComputeEnvironmentOrder"], key=lambda item: item["Order"])
        )
        assert first["AllocationStrategy"] == "SPOT_PRICE_CAPACITY_OPTIMIZED"
        assert (first["Type"], second["Type"]) == ("SPOT", "EC2")
        assert first["MinvCpus"] == second["MinvCpus"] == 0
        assert "BidPercentage" not in first
        assert first["InstanceTypes"] == second["InstanceTypes"]
        families = {kind.split(".")[0] for kind in first["InstanceTypes"]}
        assert len(families) >= 3
        assert not [family for family in families if re.match(r"[a-z]+\d+g", family)], "Arm"


def test_gpu_machines_have_one_gpu_each_and_the_nvidia_image(batch):
    for name in ("GpuSpot", "GpuOnDemand"):
        resources = batch.resources("AWS::Batch::ComputeEnvironment")[name]["ComputeResources"]
        assert {t.split(".")[0] for t in resources["InstanceTypes"]} == {"g4dn", "g5", "g6"}
        assert {t.split(".")[1] for t in resources["InstanceTypes"]} == {"xlarge", "2xlarge"}
        (image,) = resources["Ec2Configuration"]
        assert image["ImageType"] == "ECS_AL2023_NVIDIA"


def test_machines_are_hardened(batch):
    data = batch.only("AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert data["MetadataOptions"] == {"HttpTokens": "required", "HttpPutResponseHopLimit": 1}
    (device,) = data["BlockDeviceMappings"]
    assert device["DeviceName"] == "/dev/xvda"
    assert device["Ebs"] | {"VolumeType": "gp3", "Encrypted": True} == device["Ebs"]
    assert data["UserData"].startswith("MIME-Version: 1.0\n")
    assert "install --directory --mode=1777 /var/scratch" in data["UserData"]


def test_jobs_stuck_in_the_queue_are_cancelled(batch):
    for queue in batch.resources("AWS::Batch::JobQueue").values():
        limits = {a["Reason"]: int(a["MaxTimeSeconds"]) for a in queue["JobStateTimeLimitActions"]}
        assert limits == {
            "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY": 21600,
            "MISCONFIGURATION:COMPUTE_ENVIRONMENT_MAX_RESOURCE": 600,
            "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT": 600,
        }
        assert {a["State"] for a in queue["JobStateTimeLimitActions"]} == {"RUNNABLE"}
        assert {a["Action"] for a in queue["JobStateTimeLimitActions"]} == {"CANCEL"}


def test_job_definitions_are_bounded_and_unprivileged(batch):
    definitions = batch.resources("AWS::Batch::JobDefinition")
    assert len(definitions) == 3
    for definition in definitions.values():
        assert int(definition["Timeout"]["AttemptDurationSeconds"]) >= 60
        assert definition["PropagateTags"] is True
        rules = definition["RetryStrategy"]["EvaluateOnExit"]
        assert rules[0] == {"OnStatusReason": "Host EC2*", "Action": "RETRY"}
        assert rules[-1] == {"OnReason": "*", "Action": "EXIT"}
        assert len(rules) <= 5
        container = definition["ContainerProperties"]
        assert container["Privileged"] is False
        assert container["ReadonlyRootFilesystem"] is True
        assert container["User"] == "1000:1000"
        assert container["MountPoints"][0]["ContainerPath"] == "/tmp"
        assert container["Volumes"][0]["Host"]["SourcePath"] == "/var/scratch"
        assert container["LogConfiguration"]["LogDriver"] == "awslogs"


def test_only_gpu_jobs_ask_for_a_gpu(batch):
    asked = {
        name: {r["Type"] for r in definition["ContainerProperties"]["ResourceRequirements"]}
        for name, definition in batch.resources("AWS::Batch::JobDefinition").items()
    }
    plain = {"VCPU", "MEMORY"}
    assert asked == {
        "CpuJobDefinition": plain,
        "GpuJobDefinition": plain | {"GPU"},
        "HeadJobDefinition": plain,
    }


def test_fair_share_is_a_choice(batch):
    assert not batch.resources("AWS::Batch::SchedulingPolicy")
    shared = Template("batch", FairShare="yes")
    assert shared.resources("AWS::Batch::SchedulingPolicy")
    for queue in shared.resources("AWS::Batch::JobQueue").values():
        assert queue["SchedulingPolicyArn"] == "<SchedulingPolicy>"


def test_notices_are_one_for_an_array_and_reach_the_address(batch):
    failed = batch.resources("AWS::Events::Rule")["FailedJobRule"]
    detail = failed["EventPattern"]["detail"]
    assert detail["status"] == ["FAILED"]
    assert detail["arrayProperties"] == {"index": [{"exists": False}]}
    assert detail["jobQueue"] == ["<CpuJobQueue>", "<GpuJobQueue>"]
    for rule in batch.resources("AWS::Events::Rule").values():
        assert [target["Arn"] for target in rule["Targets"]] == ["<NoticeTopic>"]
    assert batch.only("AWS::SNS::Subscription")["Endpoint"] == "lab@example.org"
    assert not Template("batch").resources("AWS::SNS::Subscription")
    (statement,) = batch.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert statement["Principal"]["Service"] == ["events.amazonaws.com", "budgets.amazonaws.com"]


def test_the_budget_warns_before_it_is_spent(batch):
    budget = batch.only("AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": "100", "Unit": "USD"}
    notices = [n["Notification"] for n in budget["NotificationsWithSubscribers"]]
    assert [(n["NotificationType"], n["Threshold"]) for n in notices] == [
        ("ACTUAL", 50),
        ("ACTUAL", 80),
        ("FORECASTED", 100),
    ]
