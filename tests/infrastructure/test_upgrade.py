"""A deployment made by 0.1.0 is brought up to date while a run goes on in it."""

from pathlib import Path

import pytest
from tests.infrastructure.jobs import image_tag, job, submit
from tests.infrastructure.templates import NAMES
from tests.waiting import wait_for

from aws_batch_emulator.client import start
from snakemake_executor_plugin_aws_batch_array.aws import make_client
from tomobatch.aws.account.changes import carry_out, prepare_changes
from tomobatch.aws.account.deploy import deploy
from tomobatch.aws.account.stacks import own_parameters, read_outputs

OLD = Path(__file__).parent / "deployed-0.1.0"
PREFIX = "lab"


@pytest.fixture
def account(monkeypatch):
    """An account of its own, in which jobs really run."""
    with start(stack=None, slots=4, grace_s=1) as emulator:
        for name, value in emulator.administrator.items():
            monkeypatch.setenv(name, value)
        yield emulator


def deploy_old(**settings):
    """Make the stacks as 0.1.0 made them: with its templates, and without tags."""
    client = make_client("cloudformation")
    wanted = {**own_parameters(PREFIX), **settings}
    for name in NAMES:
        text = (OLD / f"{name}.yaml").read_text(encoding="utf-8")
        declared = client.get_template_summary(TemplateBody=text)["Parameters"]
        values = [
            {"ParameterKey": each["ParameterKey"], "ParameterValue": wanted[each["ParameterKey"]]}
            for each in declared
            if each["ParameterKey"] in wanted
        ]
        change_set = prepare_changes(client, f"{PREFIX}-{name}", text, values, poll_s=0.0)
        carry_out(client, change_set, lambda _: None, poll_s=0.0)
    return read_outputs(client, PREFIX)


def environments():
    found = make_client("batch").describe_compute_environments()["computeEnvironments"]
    return {each["computeEnvironmentArn"] for each in found}


def test_an_upgrade_leaves_a_run_alone(account, tmp_path):
    before = deploy_old(NoticeEmail="lab@example.org", CpuMaxVcpus="64")
    machines = environments()
    s3 = make_client("s3")
    s3.put_object(Bucket=before["DataBucket"], Key="runs/r1/tooth/report.html", Body=b"<p>")
    go_on = tmp_path / "go-on"
    waits = f"while [ ! -e {go_on} ]; do sleep 0.1; done"
    run = submit(before, "Cpu", "bash", "-c", waits, array=2)
    wait_for(lambda: job(run)["arrayProperties"]["statusSummary"].get("RUNNING") == 2)

    told = []
    after = deploy(
        make_client("cloudformation"), PREFIX, {"ImageTag": "0.2.0"}, tell=told.append, poll_s=0.0
    )

    # What was there has its name still; a revision of a definition is a new one beside the old.
    same = [name for name in before if not name.endswith("JobDefinition")]
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert set(after) - set(before) == {"PilotClaims", "UserPolicy"}
    assert environments() == machines
    assert s3.get_object(Bucket=after["DataBucket"], Key="runs/r1/tooth/report.html")
    # What was chosen stays, and what is not the default any more is said.
    parameters = make_client("cloudformation").describe_stacks(StackName=f"{PREFIX}-batch")
    chosen = {
        each["ParameterKey"]: each["ParameterValue"]
        for each in parameters["Stacks"][0]["Parameters"]
    }
    assert (chosen["NoticeEmail"], chosen["CpuMaxVcpus"]) == ("lab@example.org", "64")
    assert "  HeadTimeoutSeconds stays 172800 (the default is 1209600)" in told
    assert "  CpuMaxVcpus stays 64 (the default is 400)" in told
    # Compute environments would be replaced to be given tags.
    stacks = make_client("cloudformation").describe_stacks()["Stacks"]
    tags = {stack["StackName"]: stack.get("Tags", []) for stack in stacks}
    assert tags[f"{PREFIX}-batch"] == []
    assert tags[f"{PREFIX}-storage"] == [{"Key": "Project", "Value": PREFIX}]

    # The run that was open goes on with its own image and ends well, beside a new one.
    definitions = [before["CpuJobDefinition"], after["CpuJobDefinition"]]
    assert [image_tag(each) for each in definitions] == ["0.1.0", "0.2.0"]
    other = submit(after, "Cpu", "bash", "-c", waits, array=2)
    wait_for(lambda: job(other)["arrayProperties"]["statusSummary"].get("RUNNING") == 2)
    assert job(run)["arrayProperties"]["statusSummary"].get("RUNNING") == 2
    go_on.touch()
    for each, definition in ((run, definitions[0]), (other, definitions[1])):
        wait_for(lambda each=each: job(each)["status"] in ("SUCCEEDED", "FAILED"))
        assert job(each)["status"] == "SUCCEEDED"
        assert job(each)["jobDefinition"] == definition
