"""From settings, stack outputs and resources to what AWS Batch is told."""

import json

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
    result_options,
    safe_name,
    sources_fingerprint,
)
from snakemake_executor_plugin_aws_batch_array.resources import JobResources, read_resources
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
    ("name", "value"), [("size", 0), ("size", 10_001), ("attempts", 11), ("task_timeout", 59)]
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
    ],
)
def test_queues_by_short_name_name_and_arn(asked, n_gpus, queue):
    deployment = resolve(queues={"cpu": "arn-cpu", "gpu": "arn-gpu"})

    assert deployment.queue(asked, n_gpus) == queue


def test_the_job_queue_is_for_jobs_no_other_setting_sends_away():
    deployment = resolve(job_queue="one", queues={"gpu": "two"})

    assert deployment.queue("", 0) == "one"
    assert deployment.queue("", 1) == "two"


@pytest.mark.parametrize(("n_gpus", "message"), [(0, "without a GPU"), (2, "with a GPU")])
def test_without_a_queue_the_user_is_told_what_to_set(n_gpus, message):
    with pytest.raises(UserError, match=message):
        resolve().queue("", n_gpus)


@pytest.mark.parametrize("queue", ["cpu", "arn-cpu"])
def test_definitions_are_found_by_queue(queue):
    deployment = resolve(queues={"cpu": "arn-cpu"}, job_definitions={"cpu": "definition:3"})

    assert deployment.job_definition(queue) == "definition:3"
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


def test_a_stack_that_is_not_there_is_named(aws):
    settings = ExecutorSettings(stack="lab")

    with pytest.raises(UserError, match="lab-batch"):
        resolve_deployment(settings, None, lambda: make_client("cloudformation"))


def test_a_definition_is_registered_once_for_its_content(aws):
    settings = ExecutorSettings(job_role=ROLE, log_group="/lab")
    client = make_client("batch")

    def definitions(image="image:1"):
        return JobDefinitions(client, resolve(job_queue="q"), settings, image)

    first = definitions()
    assert first.for_queue("q") == first.for_queue("q") == definitions().for_queue("q")
    assert definitions("image:2").for_queue("q") != first.for_queue("q")
    registered = client.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    assert len(registered) == 2
    assert all(item["revision"] == 1 for item in registered)
    assert "privileged" not in registered[0]["containerProperties"]


def test_without_definition_and_role_the_user_is_told_what_to_set(aws):
    definitions = JobDefinitions(make_client("batch"), resolve(), ExecutorSettings(), "image")

    with pytest.raises(UserError, match="job-role"):
        definitions.for_queue("q")


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
    ],
)  # fmt: skip
def test_resources(resources, default_s, read):
    assert read_resources(resources, default_s) == read


@pytest.mark.parametrize(
    ("name", "value"),
    [("mem_mb", 0), ("mem_mb", "lots"), ("gpu", -1), ("runtime", "1h"), ("_cores", 0)],
)
def test_wrong_resources_are_named(name, value):
    with pytest.raises(UserError, match=f"{name}={value!r}"):
        read_resources({name: value}, None)


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

    assert len(ids) == 4


def test_the_same_command_has_the_same_run():
    run_id = default_run_id("my study (2)", "Snakefile", "s3://b/x")

    assert run_id == default_run_id("my study (2)", "Snakefile", "s3://b/x")
    assert run_id != default_run_id("my study (2)", "Snakefile", "s3://b/y")
    assert run_id == safe_name(run_id, 40)
    assert run_id.startswith("my-study-2")
