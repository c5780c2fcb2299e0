"""What AWS answers when things go wrong, played back, and what a user is told."""

import datetime
import json

import boto3
import pytest
from botocore.stub import Stubber
from tests.cli.calling import tomobatch

from tomobatch.aws.account.changes import Change, ChangeSet, carry_out, prepare_changes
from tomobatch.aws.account.deploy import deploy
from tomobatch.errors import UserError

NOW = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return boto3.client("cloudformation", region_name="eu-central-1")


def stack(status):
    found = {"StackName": "lab-batch", "StackStatus": status, "CreationTime": NOW, "StackId": "id"}
    return "describe_stacks", {"Stacks": [found]}


def events(*rows):
    """Rows are (resource, status, reason), newest first, as AWS gives them."""
    return "describe_stack_events", {
        "StackEvents": [
            {
                "StackId": "id",
                "EventId": f"{resource} {status}",
                "StackName": "lab-batch",
                "Timestamp": NOW,
                "LogicalResourceId": resource,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
            }
            for resource, status, reason in rows
        ]
    }


def change_set(status, reason=""):
    return "describe_change_set", {"Status": status, "StatusReason": reason, "Changes": []}


def play(client, *answers):
    stubber = Stubber(client)
    for operation, answer in answers:
        stubber.add_response(operation, answer)
    return stubber


def test_a_failure_gives_the_reasons_of_what_failed_by_itself(client):
    before = [("lab-batch", "REVIEW_IN_PROGRESS", "")]
    failed = [
        ("CpuSpot", "CREATE_FAILED", "Resource creation cancelled"),
        ("GpuSpot", "CREATE_FAILED", "Instance type g99.huge does not exist"),
        ("LaunchTemplate", "CREATE_COMPLETE", ""),
        *before,
    ]
    rolled_back = [("lab-batch", "ROLLBACK_COMPLETE", ""), *failed]
    told = []
    answers = [
        events(*before),
        ("execute_change_set", {}),
        stack("ROLLBACK_IN_PROGRESS"),
        events(*failed),
        stack("ROLLBACK_COMPLETE"),
        events(*rolled_back),
    ]
    with play(client, *answers), pytest.raises(UserError) as error:
        carry_out(client, ChangeSet("lab-batch", "deploy-1", True, ()), told.append, poll_s=0.0)
    assert str(error.value) == (
        "Stack lab-batch ended in ROLLBACK_COMPLETE: GpuSpot: Instance type g99.huge does not exist"
    )
    assert told == [
        "  LaunchTemplate: create complete",
        "  GpuSpot: create failed",
        "  CpuSpot: create failed",
        "  lab-batch: rollback complete",
    ]


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information.",
        "No updates are to be performed.",
    ],
)
def test_no_changes_are_no_failure(client, reason):
    answers = [
        stack("UPDATE_COMPLETE"),
        ("create_change_set", {}),
        change_set("CREATE_IN_PROGRESS"),
        change_set("FAILED", reason),
        ("delete_change_set", {}),
    ]
    with play(client, *answers):
        assert prepare_changes(client, "lab-batch", "{}", [], poll_s=0.0) is None


def test_a_template_that_is_refused_says_why(client):
    answers = [
        stack("CREATE_COMPLETE"),
        ("create_change_set", {}),
        change_set("FAILED", "No export named lab-JobRole found"),
        ("delete_change_set", {}),
    ]
    with play(client, *answers), pytest.raises(UserError, match="No export named lab-JobRole"):
        prepare_changes(client, "lab-batch", "{}", [], poll_s=0.0)


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"])
def test_a_stack_that_is_being_changed_is_left_alone(client, status):
    with play(client, stack(status)), pytest.raises(UserError, match=f"in status {status}"):
        prepare_changes(client, "lab-batch", "{}", [], poll_s=0.0)


@pytest.mark.parametrize(
    ("action", "replacement", "text", "loses"),
    [
        ("Add", "False", "+ Queue (AWS::Batch::JobQueue)", False),
        ("Modify", "False", "~ Queue (AWS::Batch::JobQueue)", False),
        ("Modify", "True", "~ Queue (AWS::Batch::JobQueue, replaced)", True),
        ("Modify", "Conditional", "~ Queue (AWS::Batch::JobQueue, perhaps replaced)", True),
        ("Remove", "False", "- Queue (AWS::Batch::JobQueue)", True),
    ],
)
def test_a_change_says_what_becomes_of_a_resource(action, replacement, text, loses):
    change = Change(action, "Queue", "AWS::Batch::JobQueue", replacement)
    assert str(change) == text
    assert change.loses_something is loses


def test_what_is_left_of_a_failed_creation_is_removed_first(client):
    summary = ("get_template_summary", {"Parameters": []})
    answers = [
        *[summary] * 6,
        *[stack("ROLLBACK_COMPLETE")] * 6,
        stack("ROLLBACK_COMPLETE"),
        stack("ROLLBACK_COMPLETE"),
        events(),
        ("delete_stack", {}),
        stack("DELETE_COMPLETE"),
        events(("lab-iam", "DELETE_COMPLETE", "")),
    ]
    told = []
    stubber = play(client, *answers)
    stubber.add_client_error("describe_stacks", "AccessDenied", "enough of this test")
    with stubber, pytest.raises(client.exceptions.ClientError, match="enough of this test"):
        deploy(client, "lab", {}, tell=told.append, poll_s=0.0)
    assert told == [
        "lab-iam: removing what is left of a creation that failed",
        "  lab-iam: delete complete",
    ]


@pytest.fixture
def nobody(monkeypatch, tmp_path):
    """A user without any AWS settings."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["outputs"], "Region"),
        (["outputs", "--region", "eu-central-1"], "No usable AWS credentials"),
        (["setup", "--region", "eu-central-1", "--set", "ImageTag"], "write it as NAME=VALUE"),
        (["setup", "--region", "eu-central-1"], "aws configure"),
    ],
)
def test_a_mistake_is_one_line(nobody, arguments, message):
    said = tomobatch(*arguments)
    assert said.code == 1
    (line,) = said.err.splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_a_server_that_is_not_there_is_one_line(client, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    said = tomobatch("outputs", "--region", "eu-central-1")
    assert said.code == 1
    (line,) = said.err.splitlines()
    assert "AWS can't be reached" in line


def test_the_command_line_deploys_and_removes(aws, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = tomobatch("setup", "--prefix", "line", "--yes", "--set", "Zones=2")
    assert made.code == 0, made.err
    assert "CpuJobQueue: arn:aws:batch:" in made.out
    told = tomobatch("outputs", "--prefix", "line")
    assert told.out == made.out
    assert told.out.count("subnet-") == 2
    values = dict(line.split(": ", 1) for line in told.out.splitlines())
    assert json.loads(tomobatch("outputs", "--prefix", "line", "--json").out) == values
    assert tomobatch("teardown", "--prefix", "line", "--yes").code == 0
    gone = tomobatch("outputs", "--prefix", "line")
    assert gone.code == 1
    assert "line-iam in eu-central-1 is not ready (does not exist)" in gone.err
