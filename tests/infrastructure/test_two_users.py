"""Two users with the policy of users, and a version of the image each, in one account."""

import boto3
import pytest
from botocore.exceptions import ClientError
from tests.deployed import new_person
from tests.infrastructure.jobs import image_tag, job, submit
from tests.waiting import wait_for

from aws_batch_emulator.client import start
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.account.deploy import deploy

PREFIX = "lab"
DENIED = [
    ("cloudformation", "delete_stack", {"StackName": "lab-batch"}),
    ("iam", "create_user", {"UserName": "eve"}),
    ("batch", "update_job_queue", {"jobQueue": "lab-cpu", "state": "DISABLED"}),
    ("s3", "create_bucket", {"Bucket": "elsewhere"}),
    ("ecr", "delete_repository", {"repositoryName": "lab", "force": True}),
]


@pytest.fixture
def sign_in(monkeypatch):
    """Start an account of its own, whose administrator is signed in; return how to change that."""

    def become(variables):
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    with start(stack=None, slots=4, grace_s=1) as emulator:
        become(emulator.administrator)
        become.administrator = emulator.administrator
        yield become


def set_up(tag):
    client = make_client("cloudformation")
    return deploy(client, PREFIX, {"ImageTag": tag}, tell=lambda _: None, poll_s=0.0)


def test_two_users_with_an_image_each(sign_in, tmp_path):
    first = set_up("0.1.0")
    ada, ben = (new_person(name, first["UserPolicy"]) for name in ("ada", "ben"))
    go_on = tmp_path / "go-on"
    waits = f"while [ ! -e {go_on} ]; do sleep 0.1; done"

    sign_in(ada)
    of_ada = submit(first, "Cpu", "bash", "-c", waits, array=2)
    wait_for(lambda: job(of_ada)["arrayProperties"]["statusSummary"].get("RUNNING") == 2)
    sign_in(sign_in.administrator)
    second = set_up("0.2.0")
    sign_in(ben)
    of_ben = submit(second, "Cpu", "bash", "-c", waits, array=2)
    wait_for(lambda: job(of_ben)["arrayProperties"]["statusSummary"].get("RUNNING") == 2)

    used = [job(each)["jobDefinition"] for each in (of_ada, of_ben)]
    assert [image_tag(each) for each in used] == ["0.1.0", "0.2.0"]
    go_on.touch()
    for each in (of_ada, of_ben):
        wait_for(lambda each=each: job(each)["status"] in ("SUCCEEDED", "FAILED"))
        assert job(each)["status"] == "SUCCEEDED"
    for service, call, arguments in DENIED:
        with pytest.raises(ClientError) as error:
            getattr(make_client(service), call)(**arguments)
        assert error.value.response["Error"]["Code"].startswith("AccessDenied"), call
