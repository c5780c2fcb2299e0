"""Queues, job definitions and notices as the templates make them."""

from tests.infrastructure.templates import Template

from snakemake_executor_plugin_aws_batch_array.region import region_environment
from tomobatch import __version__
from tomobatch.aws.runs.head import TOLD_EXIT_CODE

DEFINITION = "AWS::Batch::JobDefinition"


def test_jobs_are_told_the_region_and_the_file_of_their_machine(batch):
    for name, definition in batch.resources(DEFINITION).items():
        entries = definition["ContainerProperties"]["Environment"]
        variables = {entry["Name"]: entry["Value"] for entry in entries}
        assert {variables.get(key) for key in region_environment("")} == {"eu-central-1"}, name
        assert variables["SNAKEMAKE_HOST_FILE"] == "/tmp/host.json"
        assert ("TOMOBATCH_DEVICE" in variables) is (name == "GpuJobDefinition")


def test_a_controller_lives_for_two_weeks():
    assert Template("batch").parameters["HeadTimeoutSeconds"] == str(14 * 24 * 3600)


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


def test_a_run_that_ends_well_without_its_user_is_told_of(batch):
    """The head job of whatever revision: a run goes on with the one that it was started with."""
    rule = batch.resources("AWS::Events::Rule")["FinishedRunRule"]
    detail = rule["EventPattern"]["detail"]
    assert detail["status"] == ["SUCCEEDED"]
    (definition,) = detail["jobDefinition"]
    heads = batch.resources(DEFINITION)["HeadJobDefinition"]["JobDefinitionName"]
    assert definition["prefix"].endswith(f":job-definition/{heads}:")
    others = {each["JobDefinitionName"] for each in batch.resources(DEFINITION).values()} - {heads}
    assert not any(f"job-definition/{name}:".startswith(definition["prefix"]) for name in others)


def test_notices_are_one_for_a_run_and_reach_the_address(batch):
    rules = batch.resources("AWS::Events::Rule")
    detail = rules["FailedRunRule"]["EventPattern"]["detail"]
    assert detail["status"] == ["FAILED"]
    # Of the controllers alone, and of them those that have not told of their run themselves.
    assert (
        detail["jobDefinition"]
        == rules["FinishedRunRule"]["EventPattern"]["detail"]["jobDefinition"]
    )
    assert detail["container"] == {
        "exitCode": [{"exists": False}, {"anything-but": TOLD_EXIT_CODE}]
    }
    # A run that its user stopped is no failure; `tomobatch stop` gives this reason.
    stopped = {"anything-but": {"prefix": "tomobatch stop"}}
    assert detail["statusReason"] == [{"exists": False}, stopped]
    for rule in batch.resources("AWS::Events::Rule").values():
        assert [target["Arn"] for target in rule["Targets"]] == ["<NoticeTopic>"]
    assert batch.only("AWS::SNS::Subscription")["Endpoint"] == "lab@example.org"
    assert not Template("batch").resources("AWS::SNS::Subscription")
    (statement,) = batch.only("AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    assert statement["Principal"]["Service"] == ["events.amazonaws.com", "budgets.amazonaws.com"]
