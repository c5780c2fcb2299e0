"""Machines as the templates make them: which, how guarded, and the image that they start from."""

import os
import re
import subprocess

from tests.infrastructure.templates import Template

from snakemake_executor_plugin_aws_batch_array.worker.host import Host, find_host

ENVIRONMENT = "AWS::Batch::ComputeEnvironment"


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
        'for word; do case "$word" in '
        '*/identity/document|*/instance-identity/document) echo "{\\n \\"pendingTime\\" : '
        '\\"2026-11-26T06:30:00Z\\",\\n}";; '
        'http*) echo "${word##*/latest/meta-data/}";; esac; done;; '
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
    users = [
        d["ContainerProperties"]["User"]
        for d in batch.resources("AWS::Batch::JobDefinition").values()
    ]
    assert users == ["1000:1000"] * 3
    host = find_host({"SNAKEMAKE_HOST_FILE": str(tmp_path / "scratch" / "host.json")})
    assert host == Host(
        "instance-type",
        "placement/availability-zone",
        "instance-life-cycle",
        "instance-id",
        "2026-11-26T06:30:00Z",
    )
    assert (tmp_path / "ecs.config").read_text().splitlines() == [
        "ECS_IMAGE_PULL_BEHAVIOR=prefer-cached",
        "ECS_ENABLE_SPOT_INSTANCE_DRAINING=true",
    ]


def write_program(path, text):
    path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


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


def test_machines_are_small_enough_for_their_scratch(batch):
    types = batch.resources(ENVIRONMENT)["CpuSpot"]["ComputeResources"]["InstanceTypes"]
    assert {each.split(".")[1] for each in types} == {"xlarge", "2xlarge", "4xlarge"}
