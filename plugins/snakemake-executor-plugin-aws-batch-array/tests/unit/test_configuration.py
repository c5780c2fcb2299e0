"""From settings, stack outputs and resources to what AWS Batch is told."""

import json
import re
from dataclasses import replace

import boto3
import pytest
from moto import mock_aws

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.definitions import (
    JobDefinitions,
    container_properties,
    definition_name,
)
from snakemake_executor_plugin_aws_batch_array.deployment import resolve_deployment
from snakemake_executor_plugin_aws_batch_array.environment import left_behind, passed_variables
from snakemake_executor_plugin_aws_batch_array.errors import UserError
from snakemake_executor_plugin_aws_batch_array.identity import (
    default_run_id,
    job_identity,
    output_digests,
    result_options,
    safe_name,
    sources_fingerprint,
    tag_value,
)
from snakemake_executor_plugin_aws_batch_array.resources import (
    JobResources,
    read_resources,
    size_class,
)
from snakemake_executor_plugin_aws_batch_array.settings import (
    ExecutorSettings,
    check_settings,
    format_pairs,
    parse_pairs,
)
from snakemake_executor_plugin_aws_batch_array.store import S3Path

ROLE = "arn:aws:iam::123456789012:role/jobs"


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield


def no_stacks():
    raise AssertionError("the stacks must not be asked for")


def resolve(prefix="s3://bucket/results", **settings):
    return resolve_deployment(ExecutorSettings(**settings), prefix, no_stacks)


def deploy_stack(name, **outputs):
    body = {
        "Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}},
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    boto3.client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(body))


def test_pairs_survive_the_journey():
    assert parse_pairs("cpu=a, gpu=b=c,") == {"cpu": "a", "gpu": "b=c"}
    assert parse_pairs(format_pairs({"x": "1", "y": "2"})) == {"x": "1", "y": "2"}


@pytest.mark.parametrize("text", ["cpu", "=a", "cpu="])
def test_broken_pairs_are_refused(text):
    with pytest.raises(UserError, match="NAME=VALUE"):
        parse_pairs(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [("size", 0), ("size", 10_001), ("attempts", 11), ("task_timeout", 59), ("priority", 10_000)],
)
def test_numbers_batch_does_not_accept_are_refused(name, value):
    flag = f"--aws-batch-array-{name.replace('_', '-')} is {value}"
    with pytest.raises(UserError, match=flag):
        check_settings(ExecutorSettings(**{name: value}))


def test_the_defaults_are_accepted():
    check_settings(ExecutorSettings())


@pytest.mark.parametrize(
    ("asked", "n_gpus", "queue"),
    [
        ("", 0, "arn-cpu"),
        ("", 1, "arn-gpu"),
        ("cpu", 1, "arn-cpu"),
        ("gpu", 0, "arn-gpu"),
        ("some-queue", 0, "some-queue"),
        ("arn:aws:batch:::job-queue/x", 0, "arn:aws:batch:::job-queue/x"),
        ("lab-big", 0, "arn:aws:batch:::job-queue/lab-big"),
    ],
)
def test_queues_by_short_name_name_and_arn(asked, n_gpus, queue):
    big = "arn:aws:batch:::job-queue/lab-big"
    deployment = resolve(queues={"cpu": "arn-cpu", "gpu": "arn-gpu", "big": big})

    assert deployment.queue(asked, n_gpus) == queue


def test_the_job_queue_is_for_jobs_no_other_setting_sends_away():
    deployment = resolve(job_queue="one", queues={"gpu": "two"})

    assert deployment.queue("", 0) == "one"
    assert deployment.queue("", 1) == "two"


@pytest.mark.parametrize(("n_gpus", "message"), [(0, "without a GPU"), (2, "with a GPU")])
def test_without_a_queue_the_user_is_told_what_to_set(n_gpus, message):
    with pytest.raises(UserError, match=message):
        resolve().queue("", n_gpus)


@pytest.mark.parametrize("queue", ["cpu", "arn/lab-cpu", "lab-cpu"])
def test_definitions_are_found_by_queue(queue):
    deployment = resolve(queues={"cpu": "arn/lab-cpu"}, job_definitions={"cpu": "definition:3"})

    assert deployment.job_definition(deployment.queue(queue, 0)) == "definition:3"
    assert deployment.job_definition("other") is None


@pytest.mark.parametrize(
    ("prefix", "s3_prefix", "lists"),
    [
        ("s3://bucket/results", None, S3Path("bucket", "results/.aws-batch-array")),
        ("s3://bucket", None, S3Path("bucket", ".aws-batch-array")),
        ("s3://bucket/results", "s3://other/lists", S3Path("other", "lists")),
    ],
)
def test_where_lists_go(prefix, s3_prefix, lists):
    assert resolve(prefix, s3_prefix=s3_prefix).lists == lists


@pytest.mark.parametrize("prefix", [None, "gs://bucket"])
def test_without_s3_there_is_no_place_for_lists(prefix):
    with pytest.raises(UserError, match="s3-prefix"):
        resolve(prefix)


def test_stack_outputs_fill_what_the_settings_leave_out(aws):
    deploy_stack("lab-batch", CpuJobQueue="q-cpu", GpuJobQueue="q-gpu", CpuJobDefinition="d-cpu")
    deploy_stack("lab-storage", DataBucket="lab-data", LogGroup="/lab")
    deploy_stack("other-batch", CpuJobQueue="wrong")
    settings = ExecutorSettings(stack="lab", queues={"gpu": "mine", "big": "large"})

    deployment = resolve_deployment(settings, None, lambda: make_client("cloudformation"))

    assert deployment.queues == {"cpu": "q-cpu", "gpu": "mine", "big": "large"}
    assert deployment.job_definitions == {"cpu": "d-cpu"}
    assert deployment.log_group == "/lab"
    assert deployment.lists.bucket == "lab-data"


@pytest.mark.parametrize(
    ("fair", "settings", "share"),
    [
        ("yes", {}, "marycurie"),
        ("no", {}, ""),
        ("yes", {"share_identifier": "lab"}, "lab"),
    ],
)
def test_where_a_stack_has_fair_share_each_user_has_a_share(
    aws, monkeypatch, fair, settings, share
):
    monkeypatch.setattr("getpass.getuser", lambda: "mary.curie")
    body = {
        "Parameters": {"FairShare": {"Type": "String"}},
        "Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}},
        "Outputs": {"DataBucket": {"Value": "b"}},
    }
    boto3.client("cloudformation").create_stack(
        StackName="lab-batch",
        TemplateBody=json.dumps(body),
        Parameters=[{"ParameterKey": "FairShare", "ParameterValue": fair}],
    )
    asked = ExecutorSettings(stack="lab", **settings)

    deployment = resolve_deployment(asked, None, lambda: make_client("cloudformation"))

    assert deployment.share == share


def test_a_stack_that_is_not_there_is_named(aws):
    settings = ExecutorSettings(stack="lab")

    with pytest.raises(UserError, match="lab-batch"):
        resolve_deployment(settings, None, lambda: make_client("cloudformation"))


def registered(client):
    return {
        each["jobDefinitionArn"]: each["containerProperties"]
        for each in client.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    }


def test_a_definition_is_registered_once_for_its_content(aws):
    settings = ExecutorSettings(job_role=ROLE, log_group="/lab")
    client = make_client("batch")

    def definitions(image="image:1"):
        return JobDefinitions(client, resolve(job_queue="q"), settings, image)

    first = definitions()
    assert first.for_job("q") == first.for_job("q") == definitions().for_job("q")
    assert definitions("image:2").for_job("q") != first.for_job("q")
    known = registered(client)
    assert len(known) == 2
    assert all(arn.endswith(":1") for arn in known)
    assert not any("privileged" in properties for properties in known.values())


@pytest.fixture
def deployed(aws):
    """The definition of a stack, and a function that makes what finds those of jobs."""
    client = make_client("batch")
    given = client.register_job_definition(
        jobDefinitionName="lab-cpu",
        type="container",
        containerProperties={
            "image": "lab:1",
            "jobRoleArn": ROLE,
            "user": "1000",
            "readonlyRootFilesystem": True,
            "resourceRequirements": [
                {"type": "VCPU", "value": "1"},
                {"type": "MEMORY", "value": "2048"},
            ],
        },
    )["jobDefinitionArn"]
    deployment = resolve(queues={"cpu": "q"}, job_definitions={"cpu": given})
    return given, lambda asked="": JobDefinitions(
        client, deployment, ExecutorSettings(), "the default", asked
    )


def test_the_definition_of_the_deployment_is_used_as_it_is(deployed):
    given, definitions = deployed

    assert definitions().for_job("q") == given


@pytest.mark.parametrize("by_rule", [True, False])
def test_another_image_is_the_deployments_definition_with_it(deployed, by_rule):
    given, definitions = deployed
    asked = "" if by_rule else "mine:2"

    arn = definitions(asked).for_job("q", "mine:2" if by_rule else "")

    assert arn != given
    known = registered(make_client("batch"))
    assert known[arn]["image"] == "mine:2"
    assert known[arn]["jobRoleArn"] == ROLE
    assert known[arn]["user"] == "1000"
    assert known[given]["image"] == "lab:1"
    assert definitions(asked).for_job("q", "mine:2" if by_rule else "") == arn


def test_the_image_of_a_rule_counts_before_that_of_the_run(deployed):
    _, definitions = deployed

    arn = definitions("of the run:1").for_job("q", "of the rule:1")

    assert registered(make_client("batch"))[arn]["image"] == "of the rule:1"


def test_shared_memory_is_part_of_a_definition(deployed):
    given, definitions = deployed

    arn = definitions().for_job("q", shared_memory_mib=1024)

    properties = registered(make_client("batch"))[arn]
    assert properties["linuxParameters"]["sharedMemorySize"] == 1024
    assert properties["image"] == "lab:1"
    assert definitions().for_job("q", shared_memory_mib=2048) not in (arn, given)


def test_without_definition_and_role_the_user_is_told_what_to_set(aws):
    definitions = JobDefinitions(make_client("batch"), resolve(), ExecutorSettings(), "image")

    with pytest.raises(UserError, match="job-role"):
        definitions.for_job("q")


def test_definition_names_are_those_of_their_content():
    one = container_properties(ExecutorSettings(job_role=ROLE), "image:1")
    two = container_properties(ExecutorSettings(job_role=ROLE, execution_role=ROLE), "image:1")

    assert definition_name(one) == definition_name(dict(reversed(one.items())))
    assert definition_name(one) != definition_name(two)


def test_a_region_must_be_known(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    with pytest.raises(UserError, match="Region"):
        make_client("batch")


@pytest.mark.parametrize(
    ("resources", "default_s", "read"),
    [
        ({}, None, JobResources("", 1, 2048, 0, None)),
        ({"_cores": 4, "mem_mb": 8000, "gpu": 2, "queue": "gpu", "runtime": 30}, None,
         JobResources("gpu", 4, 8000, 2, 1800)),
        ({}, 300, JobResources("", 1, 2048, 0, 300)),
        ({}, 5, JobResources("", 1, 2048, 0, 60)),
        ({"runtime": 0.5}, 300, JobResources("", 1, 2048, 0, 60)),
        ({"runtime": 2.5}, 300, JobResources("", 1, 2048, 0, 150)),
        ({"image": "mine:2", "shm_mb": 512}, None,
         JobResources("", 1, 2048, 0, None, "mine:2", 512)),
    ],
)  # fmt: skip
def test_resources(resources, default_s, read):
    assert read_resources(resources, default_s) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shm_mb", 0),
        ("mem_mb", 0),
        ("mem_mb", "lots"),
        ("gpu", -1),
        ("runtime", "1h"),
        ("_cores", 0),
    ],
)
def test_wrong_resources_are_named(name, value):
    with pytest.raises(UserError, match=f"{name}={value!r}"):
        read_resources({name: value}, None)


@pytest.mark.parametrize(
    ("amount", "least", "rounded"),
    [(100, 256, 256), (1025, 256, 1152), (1024, 256, 1024), (2000, 1, 2048), (15_000, 1, 15_360),
     (16_385, 1, 18_432), (1, 1, 1), (3, 1, 3), (61, 60, 64)],
)  # fmt: skip
def test_amounts_are_alike_in_eight_steps_between_two_powers_of_two(amount, least, rounded):
    assert size_class(amount, least) == rounded


def test_rounding_adds_an_eighth_at_most():
    assert all(n <= size_class(n, 1) <= n * 9 / 8 + 1 for n in range(1, 5000))


def test_jobs_with_memory_and_time_of_their_own_each_make_few_arrays():
    asked = [read_resources({"mem_mb": 100 + i, "runtime": 30 + i / 10}, None) for i in range(30)]

    assert len({each.likeness for each in asked}) <= 2
    assert len({replace(each, image="x").likeness for each in asked}) <= 2


@pytest.mark.parametrize(
    "more", [{"vcpus": 2}, {"gpus": 1}, {"image": "x"}, {"shared_memory_mib": 64}, {"queue": "q"}]
)
def test_what_else_differs_keeps_jobs_apart(more):
    one = read_resources({}, None)

    assert one.likeness != replace(one, **more).likeness


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"aws:x": "1"}, "aws:x=1 begins with aws:"),
        ({"k" * 129: "1"}, "longer than 128"),
        ({"k": "v" * 257}, "256 of its value"),
        ({"k": "a;b"}, "other signs"),
        ({str(i): "1" for i in range(47)}, "has 47 tags"),
    ],
)
def test_tags_that_aws_refuses_are_refused_before_any_job(tags, message):
    with pytest.raises(UserError, match=message):
        check_settings(ExecutorSettings(tags=tags))


def test_tags_that_aws_takes_are_taken():
    check_settings(ExecutorSettings(tags={"Größe": "a b+c-d=e._:/@", "k" * 128: "v" * 256}))


@pytest.mark.parametrize("share", ["", "a-b", "x" * 256])
def test_a_share_identifier_has_letters_and_digits(share):
    with pytest.raises(UserError, match="share-identifier"):
        check_settings(ExecutorSettings(share_identifier=share))


@pytest.mark.parametrize(
    ("text", "value"),
    [("a rule", "a rule"), ("a(b)", "a-b-"), ("x" * 256, "x" * 256), ("x" * 769, "x" * 255 + "+")],
)
def test_the_value_of_a_tag_always_fits(text, value):
    assert tag_value(text) == value


@pytest.mark.parametrize("folder", ["_work", "--", "-_-x", "", "ü", "9", "a b(c)"])
def test_the_name_of_a_run_always_fits_aws_batch(folder):
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", default_run_id(folder, "S", "s3://b"))
    assert re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9_-]*)?", safe_name(folder, 40))


def test_secrets_stay_at_home():
    declared = {
        "SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "secret",
        "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "secret",
        "SNAKEMAKE_STORAGE_S3_REGION": "eu-central-1",
        "API_TOKEN": "secret",
        "LEVEL": "3",
    }

    passed = passed_variables(declared, ["LEVEL"])

    assert passed == {"SNAKEMAKE_STORAGE_S3_REGION": "eu-central-1", "LEVEL": "3"}
    assert left_behind(declared, passed) == ["API_TOKEN"]


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "SNAKEMAKE_STORAGE_S3_SECRET_KEY"])
def test_credentials_are_refused_by_name(name):
    with pytest.raises(UserError, match=name):
        passed_variables({}, [name])


def test_sources_are_the_same_as_long_as_their_contents_are(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("Snakefile", "scripts/a.py", "scripts/__pycache__/a.pyc", ".snakemake/x"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(name)
    files = ["Snakefile", "scripts/a.py", "scripts/__pycache__/a.pyc", ".snakemake/x", "../out"]
    before = sources_fingerprint(files)

    (tmp_path / ".snakemake/x").write_text("other")
    (tmp_path / "scripts/__pycache__/a.pyc").write_text("other")
    assert sources_fingerprint([*reversed(files), "missing"]) == before
    (tmp_path / "scripts/a.py").write_text("other")
    assert sources_fingerprint(files) != before


def test_only_options_that_change_results_count():
    arguments = ["--force", "--config", "b=2", "a=1", "--verbose", "--set-scatter", "x=3"]

    assert result_options(arguments) == ["--config a=1", "--config b=2", "--set-scatter x=3"]


def test_jobs_are_told_apart_by_all_that_determines_them():
    ids = {
        job_identity("sources", ["--config a=1"], ["a:i=1"]),
        job_identity("other", ["--config a=1"], ["a:i=1"]),
        job_identity("sources", ["--config a=2"], ["a:i=1"]),
        job_identity("sources", ["--config a=1"], ["a:i=2"]),
    }

    ids.add(job_identity("sources", ["--config a=1"], ["a:i=1"], ["in/1.txt"]))
    ids.add(job_identity("sources", ["--config a=1"], ["a:i=1"], ["in/2.txt"]))
    assert len(ids) == 6


def test_files_are_told_apart_and_a_job_without_any_by_its_target():
    one, two = output_digests(["a/1", "a/2"], ["a:i=1"])

    assert one != two
    assert output_digests(["a/1"], ["b:"]) == (one,)
    assert len({output_digests([], ["a:"]), output_digests([], ["b:"]), (one,)}) == 3


def test_the_same_command_has_the_same_run():
    run_id = default_run_id("my study (2)", "Snakefile", "s3://b/x")

    assert run_id == default_run_id("my study (2)", "Snakefile", "s3://b/x")
    assert run_id != default_run_id("my study (2)", "Snakefile", "s3://b/y")
    assert run_id == safe_name(run_id, 40)
    assert run_id.startswith("my-study-2")
