"""What ``doctor`` says of a device that is not there, and of what AWS may refuse."""

import json
import time

import boto3
import pytest
from botocore.stub import Stubber
from tests.cli.calling import tomobatch

from tomobatch.aws.account import checkup


def test_a_device_that_is_not_there():
    said = tomobatch("doctor", "--device", "gpu")
    assert said.code == 1
    assert "GPU" in said.err


def test_the_device_as_json():
    said = tomobatch("doctor", "--device", "gpu", "--json")
    assert said.code == 1
    assert json.loads(said.out)["ok"] is False


@pytest.fixture
def stubbed(monkeypatch):
    """A client of a service that answers as the test says."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")

    def make(service, operation, answer=None, error=None):
        client = boto3.client(service, region_name="us-east-1")
        stubber = Stubber(client)
        if error is None:
            stubber.add_response(operation, answer)
        else:
            stubber.add_client_error(operation, error, error)
        stubber.activate()
        return lambda _: client

    return make


@pytest.mark.parametrize(
    ("vcpus", "name", "code", "state"),
    [
        (0.0, "GPU spot", "L-3819A6DF", "failed"),
        (0.0, "GPU on-demand", "L-DB2E81BA", "warning"),
        (8.0, "GPU spot", "L-3819A6DF", "warning"),
        (400.0, "GPU spot", "L-3819A6DF", "ok"),
    ],
)
def test_quotas(stubbed, vcpus, name, code, state):
    make = stubbed("service-quotas", "get_service_quota", {"Quota": {"Value": vcpus}})
    finding = checkup._quota(make, name, "us-east-1")
    assert (finding.state, finding.text.startswith(f"{vcpus:.0f} vCPUs")) == (state, True)
    assert (state == "ok") != (f"servicequotas/home/services/ec2/quotas/{code}" in finding.fix)


def test_a_quota_that_may_not_be_read_is_unknown(stubbed):
    make = stubbed("service-quotas", "get_service_quota", error="AccessDeniedException")
    finding = checkup._quota(make, "GPU spot", "us-east-1")
    assert (finding.state, finding.text) == ("unknown", "AccessDeniedException")


@pytest.mark.parametrize(
    ("error", "text"),
    [("403", "belongs to another account, or is closed to you"), ("404", "was deleted by hand")],
)
def test_a_bucket_that_is_not_ours(stubbed, error, text):
    finding = checkup._bucket(stubbed("s3", "head_bucket", error=error), "data", "123456789012")
    assert (finding.state, finding.text) == ("failed", text)
    assert finding.fix


class Queue:
    """A queue with jobs that wait."""

    def __init__(self, *jobs):
        self.jobs = jobs

    def list_jobs(self, **_):
        return {"jobSummaryList": self.jobs}


def waiting(minutes, reason=""):
    created_ms = (time.time() - 60 * minutes) * 1000
    return {"jobName": "reconstruct", "createdAt": created_ms, "statusReason": reason}


@pytest.mark.parametrize(
    ("minutes", "reason", "text", "fix"),
    [
        (
            12,
            "MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT - too large",
            "has waited 12 minutes: MISCONFIGURATION:JOB_RESOURCE_REQUIREMENT",
            "lower mem_mb",
        ),
        (3, "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY", "CAPACITY", "add instance types"),
        (40, "", "for no reason that AWS gives", "quotas"),
    ],
)
def test_jobs_that_can_not_start(minutes, reason, text, fix):
    (finding,) = checkup._waiting(Queue(waiting(minutes, reason)), "GPU", "arn")
    assert finding.state == "warning"
    assert text in finding.text
    assert fix in finding.fix


def test_jobs_that_have_just_come_are_no_finding():
    assert list(checkup._waiting(Queue(waiting(2)), "GPU", "arn")) == []


@pytest.mark.parametrize(
    ("environment", "state"),
    [
        ({"state": "ENABLED", "status": "INVALID", "statusReason": "role"}, "failed"),
        ({"state": "DISABLED", "status": "VALID", "computeResources": {"type": "SPOT"}}, "failed"),
        ({"state": "DISABLED", "status": "VALID", "computeResources": {"type": "EC2"}}, "ok"),
    ],
)
def test_compute_environments(environment, state):
    assert checkup._environment("GPU", environment).state == state
