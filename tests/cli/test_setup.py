"""An account set up, looked over, given an image and torn down again, over HTTP."""

import itertools
import json
import os
import stat
import sys

import pytest
import yaml
from tests.cli.calling import tomobatch
from tests.cli.conftest import set_environment

from aws_batch_emulator.client import start
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch import __version__

NUMBERS = itertools.count()
REGION = "eu-central-1"

FAKE_DOCKER = f"""#!{sys.executable}
import json, sys
with open(sys.argv[0] + ".calls", "a") as file:
    secret = sys.stdin.read() if "--password-stdin" in sys.argv else None
    print(json.dumps([sys.argv[1:], secret]), file=file)
"""


@pytest.fixture(scope="module")
def emulator():
    with start(stack=None, children="instant", region=REGION) as emulator:
        yield emulator


@pytest.fixture
def prefix(emulator, monkeypatch, tmp_path):
    """An account that is new but for other prefixes, and a home folder of its own."""
    set_environment(monkeypatch, emulator, administrator=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    prefix = f"cli{next(NUMBERS)}"
    monkeypatch.setenv("TOMOBATCH_STACK", prefix)
    monkeypatch.delenv("TOMOBATCH_BUCKET", raising=False)
    return prefix


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A docker that writes down how it is called, and what it is told in secret."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(FAKE_DOCKER, encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    def calls():
        lines = (program.parent / "docker.calls").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    return calls


def findings(*arguments):
    said = tomobatch("doctor", "--aws", "--json", *arguments)
    report = json.loads(said.out)
    assert said.code == (0 if report["ok"] else 1)
    return {each["subject"]: each for each in report["findings"]}


def test_the_life_of_an_account(prefix, docker, tmp_path):
    first = tomobatch("setup", "--yes", "--json")
    assert first.code == 0, first.err
    outputs = json.loads(first.out)
    assert "+ DataBucket (AWS::S3::Bucket)" in first.err

    profile = tmp_path / "config" / "snakemake" / "aws" / "config.yaml"
    values = yaml.safe_load(profile.read_text(encoding="utf-8"))
    assert values["aws-batch-array-stack"] == prefix
    assert values["aws-batch-array-region"] == REGION
    assert values["default-storage-prefix"] == f"s3://{outputs['DataBucket']}/runs"
    assert "$" not in profile.read_text(encoding="utf-8")

    again = tomobatch("setup", "--yes")
    assert again.code == 0
    assert again.err.count("no changes") == 6
    assert f"{profile}: as it should be" in again.err

    image = findings()[f"image {prefix}:{__version__}"]
    assert (image["state"], image["fix"]) == ("failed", f"run tomobatch push --tag {__version__}")

    pushed = tomobatch("push", "--tag", __version__)
    assert pushed.code == 0, pushed.err
    uri = f"{outputs['RepositoryUri']}:{__version__}"
    build, login, push, logout = docker()
    # The machines' platform, on a laptop with another processor as well.
    assert build[0][:3] == ["build", "--platform", "linux/amd64"]
    assert build[0][3:7] == ["--file", build[0][4], "--tag", uri]
    assert build[0][4].endswith("docker/Dockerfile")
    assert login[0] == [
        *("login", "--username", "AWS", "--password-stdin"),
        outputs["RepositoryUri"].partition("/")[0],
    ]
    assert login[1]
    assert login[1] not in pushed.out + pushed.err
    assert push[0] == ["push", uri]
    assert logout[0] == ["logout", outputs["RepositoryUri"].partition("/")[0]]

    make_client("ecr").put_image(
        repositoryName=prefix,
        imageTag=__version__,
        imageManifest=json.dumps({"config": {"digest": "sha256:0"}, "layers": []}),
        imageManifestMediaType="application/vnd.docker.distribution.manifest.v2+json",
    )
    found = findings()
    assert {each["state"] for each in found.values()} <= {"ok", "unknown"}
    assert found["CPU spot machines"]["text"] == "at most 400 vCPUs at once"
    assert found[f"bucket {outputs['DataBucket']}"]["state"] == "ok"
    repeated = tomobatch("push", "--tag", __version__)
    assert "is there already and can't be replaced: give another --tag" in repeated.err
    in_a_pipeline = tomobatch("push", "--tag", __version__, "--if-absent")
    assert in_a_pipeline.code == 0
    assert "there already" in in_a_pipeline.out

    make_client("s3").put_object(Bucket=outputs["DataBucket"], Key="scans/a.h5", Body=b"x")
    refused = tomobatch("teardown", "--yes")
    assert refused.code == 1
    assert "holds data: --delete-data deletes it for good" in refused.err
    # The template says EmptyOnDelete, which moto does not know.
    make_client("ecr").batch_delete_image(
        repositoryName=prefix, imageIds=[{"imageTag": __version__}]
    )
    gone = tomobatch("teardown", "--yes", "--delete-data")
    assert gone.code == 0, gone.err
    assert findings()[f"stack {prefix}-batch"]["state"] == "failed"


def test_an_image_that_is_built_is_pushed_to_an_address(prefix, docker):
    make_client("ecr").create_repository(repositoryName=f"{prefix}/jobs")
    address = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/{prefix}/jobs"
    said = tomobatch("push", "--image", "built", "--tag", "git-1", "--repository", address)
    assert said.code == 0, said.err
    called = [words for words, _ in docker()]
    assert called[0] == ["tag", "built", f"{address}:git-1"]
    assert [words[0] for words in called] == ["tag", "login", "push", "logout"]


def test_the_region_that_the_user_set_is_where_the_stacks_are_made(prefix, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    (tmp_path / "aws").write_text("[default]\nregion = us-west-2\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws"))
    made = tomobatch("setup", "--yes", "--json")
    assert made.code == 0, made.err
    assert f"Stacks in {REGION}" in made.err
    assert json.loads(made.out)["CpuJobQueue"].startswith(f"arn:aws:batch:{REGION}:")
    assert tomobatch("teardown", "--yes").code == 0


def test_nothing_is_asked_without_a_terminal(prefix):
    for command in ("setup", "teardown"):
        said = tomobatch(command)
        assert said.code == 1
        assert "add --yes to go on without asking" in said.err
    assert findings()[f"stack {prefix}-iam"]["state"] == "failed"


def test_without_credentials(prefix, docker, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for arguments in (["setup", "--yes"], ["doctor", "--aws"], ["teardown", "--yes"], ["push"]):
        said = tomobatch(*arguments)
        assert said.code == 1
        assert "No usable AWS credentials" in said.err


def test_without_a_region(prefix, monkeypatch, tmp_path):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    assert "no AWS Region is known: give --region" in tomobatch("setup", "--yes").err


def test_another_region_than_that_of_the_stacks(prefix):
    said = tomobatch("doctor", "--aws", "--region", "us-west-2")
    assert said.code == 1
    assert f"failed   stack {prefix}-batch: there is none in us-west-2" in said.out
    assert "give the --region or --prefix it was set up with" in said.out


def test_a_network_that_is_down(prefix, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    said = tomobatch("doctor", "--aws")
    assert said.code == 1
    assert "check the network and the name of the Region" in said.err


def test_half_deployed_stacks_are_named_and_setup_goes_on(prefix):
    client = make_client("cloudformation")
    client.create_change_set(
        StackName=f"{prefix}-iam",
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}),
    )
    found = findings()[f"stack {prefix}-iam"]
    assert found["text"] == "half-deployed: REVIEW_IN_PROGRESS"
    assert found["fix"].startswith("run tomobatch setup again")
    said = tomobatch("push")
    assert said.code == 1


@pytest.mark.parametrize(
    ("setting", "message"),
    [("CpuMaxVcpu=8", "did you mean CpuMaxVcpus?"), ("CpuMaxVcpus", "write it as NAME=VALUE")],
)
def test_a_setting_that_is_none(prefix, setting, message):
    assert message in tomobatch("setup", "--yes", "--set", setting).err


def test_without_an_engine_push_says_what_is_missing(prefix):
    said = tomobatch("push", "--engine", "no-such-engine")
    assert "no-such-engine is not installed" in said.err
