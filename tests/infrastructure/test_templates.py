"""What the emulated AWS drops, or never looks at, held on the parsed templates."""

import json
import os
import re
import subprocess
from fnmatch import fnmatchcase

import pytest
from tests.infrastructure.templates import FOLDER, NAMES, Template

from snakemake_executor_plugin_aws_batch_array.region import region_environment
from snakemake_executor_plugin_aws_batch_array.worker.host import Host, find_host
from tomobatch import __version__
from tomobatch.aws.account.stacks import STACKS

DEFINITION = "AWS::Batch::JobDefinition"
ENVIRONMENT = "AWS::Batch::ComputeEnvironment"
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
    assert machine["InstanceMetadataOptions"] == {
        "HttpTokens": "required",
        "HttpPutResponseHopLimit": 1,
    }
    assert machine["SecurityGroupIds"] == ["<tomobatch-SecurityGroup>"]


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


def test_a_machine_keeps_its_keys_from_jobs_and_tells_them_what_it_is(batch, tmp_path):
    """The script itself is run, with stand-ins for the kernel's firewall and the service."""
    data = batch.only("AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"]
    script = data[data.index("#!/bin/bash") : data.index("--==PART==--")]
    script = script.replace("/var/scratch", f"{tmp_path}/scratch")
    script = script.replace("/etc/ecs/ecs.config", f"{tmp_path}/ecs.config")
    write_program(tmp_path / "iptables", 'echo "$@" >> "$0.calls"')
    write_program(
        tmp_path / "curl",
        'case "$*" in *PUT*api/token*) echo secret;; *"$token"*"secret"*) '
        'for word; do case "$word" in http*) echo "${word##*/latest/meta-data/}";; esac; done;; '
        "esac",
    )
    subprocess.run(
        ["bash", "-c", script],
        check=True,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
    )
    rule = (tmp_path / "iptables.calls").read_text().split()
    assert rule == [
        *("--insert", "OUTPUT", "--destination", "169.254.169.254"),
        *("--match", "owner", "--uid-owner", "1000", "--jump", "REJECT"),
    ]
    users = [d["ContainerProperties"]["User"] for d in batch.resources(DEFINITION).values()]
    assert users == ["1000:1000"] * 3
    host = find_host({"SNAKEMAKE_HOST_FILE": str(tmp_path / "scratch" / "host.json")})
    assert host == Host(
        "instance-type", "placement/availability-zone", "instance-life-cycle", "instance-id"
    )
    assert (tmp_path / "ecs.config").read_text().splitlines() == [
        "ECS_IMAGE_PULL_BEHAVIOR=prefer-cached",
        "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true",
    ]


def write_program(path, text):
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_jobs_are_told_the_region_and_the_file_of_their_machine(batch):
    for name, definition in batch.resources(DEFINITION).items():
        entries = definition["ContainerProperties"]["Environment"]
        variables = {entry["Name"]: entry["Value"] for entry in entries}
        assert {variables.get(key) for key in region_environment("")} == {"eu-central-1"}, name
        assert variables["SNAKEMAKE_HOST_FILE"] == "/tmp/host.json"
        assert ("TOMOBATCH_DEVICE" in variables) is (name == "GpuJobDefinition")


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


def test_a_new_tag_or_volume_makes_a_new_component_and_recipe():
    def names(**parameters):
        template = Template("gpu-ami", GpuImage="pulled", **parameters)
        kinds = ("AWS::ImageBuilder::Component", "AWS::ImageBuilder::ImageRecipe")
        return [template.only(kind)["Name"] for kind in kinds]

    assert names(ImageTag="0.2.0") == ["tomobatch-pull-0-2-0", "tomobatch-gpu-0-2-0-40"]
    assert names(ImageTag="0.2.0", VolumeGib="50")[1] == "tomobatch-gpu-0-2-0-50"


def test_a_machine_image_goes_with_its_stack():
    template = Template("gpu-ami", GpuImage="pulled")
    image = template.only("AWS::ImageBuilder::Image")
    assert image["DeletionSettings"] == {"ExecutionRole": "<CleanerRole.Arn>"}
    role = template.resources("AWS::IAM::Role")["CleanerRole"]
    assert role["ManagedPolicyArns"] == [
        "arn:aws:iam::aws:policy/service-role/EC2ImageBuilderLifecycleExecutionPolicy"
    ]


def test_a_controller_lives_for_two_weeks():
    assert Template("batch").parameters["HeadTimeoutSeconds"] == str(14 * 24 * 3600)


def test_machines_are_small_enough_for_their_scratch(batch):
    types = batch.resources(ENVIRONMENT)["CpuSpot"]["ComputeResources"]["InstanceTypes"]
    assert {each.split(".")[1] for each in types} == {"xlarge", "2xlarge", "4xlarge"}


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
        # What another machine can mend is tried again, what is left is the command's own fault.
        assert definition["RetryStrategy"]["EvaluateOnExit"] == [
            {"OnStatusReason": "Host EC2*", "Action": "RETRY"},
            {"OnStatusReason": "Task failed to start*", "Action": "RETRY"},
            {"OnReason": "CannotPull*", "Action": "RETRY"},
            {"OnReason": "DockerTimeout*", "Action": "RETRY"},
            {"OnReason": "*", "Action": "EXIT"},
        ]
        container = definition["ContainerProperties"]
        assert container["Privileged"] is False
        assert container["ReadonlyRootFilesystem"] is True
        assert container["User"] == "1000:1000"
        assert container["MountPoints"][0]["ContainerPath"] == "/tmp"
        assert container["Volumes"][0]["Host"]["SourcePath"] == "/var/scratch"
        assert container["LogConfiguration"]["LogDriver"] == "awslogs"


def test_jobs_have_the_image_and_the_role_made_for_them(batch):
    for name, definition in batch.resources(DEFINITION).items():
        container = definition["ContainerProperties"]
        assert container["Image"] == f"<tomobatch-RepositoryUri>:{__version__}"
        role = "HeadJobRole" if name == "HeadJobDefinition" else "JobRole"
        assert container["JobRoleArn"] == f"<tomobatch-{role}>"
        assert container["ExecutionRoleArn"] == "<tomobatch-ExecutionRole>"
        assert container["Volumes"][0]["Name"] == container["MountPoints"][0]["SourceVolume"]


def test_a_gpu_job_never_computes_on_the_cpu(batch):
    gpu = batch.resources(DEFINITION)["GpuJobDefinition"]["ContainerProperties"]["Environment"]
    assert {"Name": "TOMOBATCH_DEVICE", "Value": "gpu"} in gpu


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
    # A run that its user stopped is no failure; `tomobatch stop` gives this reason.
    stopped = {"anything-but": {"prefix": "tomobatch stop"}}
    assert detail["statusReason"] == [{"exists": False}, stopped]
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
