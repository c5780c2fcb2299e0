"""One emulator for most tests, spoken to as boto3 speaks to AWS."""

import contextlib
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import aws_batch_emulator
from aws_batch_emulator import Emulator

UNTIL_FLAG = 'until [ -e "$FLAG" ]; do sleep 0.02; done; '
FINAL = ("SUCCEEDED", "FAILED")


def client_of(
    emulator: Emulator, service: str, environment: dict[str, str] | None = None, **more: Any
) -> Any:
    """Return a client that never retries: a test sees every error."""
    keys = environment or emulator.environment
    return boto3.client(
        service,
        endpoint_url=emulator.endpoint_url,
        region_name=emulator.region,
        **{
            "aws_access_key_id": keys["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": keys["AWS_SECRET_ACCESS_KEY"],
            "config": Config(retries={"total_max_attempts": 1}, proxies={}),
            **more,
        },
    )


@dataclass
class Account:
    """An emulator with its administrator's clients."""

    emulator: Emulator
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = client_of(self.emulator, service, self.emulator.administrator)
        return self.clients[service]

    @property
    def batch(self) -> Any:
        return self.client("batch")

    def submit(self, *command: str, name: str = "job", **request: Any) -> str:
        overrides = {"command": list(command), **request.pop("containerOverrides", {})}
        defaults = {
            "jobQueue": "tomobatch-cpu",
            "jobDefinition": "tomobatch-cpu",
            "retryStrategy": {"attempts": 1},
        }
        request = {**defaults, **request, "containerOverrides": overrides}
        return self.batch.submit_job(jobName=name, **request)["jobId"]

    def describe(self, job_id: str) -> dict[str, Any]:
        return self.batch.describe_jobs(jobs=[job_id])["jobs"][0]

    def children(self, parent_id: str, size: int) -> list[dict[str, Any]]:
        ids = [f"{parent_id}:{index}" for index in range(size)]
        return self.batch.describe_jobs(jobs=ids)["jobs"]

    def wait(self, job_id: str, *statuses: str, timeout_s: float = 60.0) -> dict[str, Any]:
        """Wait until a job is in one of some states, by default a final one."""
        deadline = time.monotonic() + timeout_s
        while (job := self.describe(job_id))["status"] not in (statuses or FINAL):
            assert time.monotonic() < deadline, f"{job['status']}: {job.get('statusReason')}"
            time.sleep(0.02)
        return job

    def run(self, *command: str, **request: Any) -> dict[str, Any]:
        return self.wait(self.submit(*command, **request))

    def log(self, job: dict[str, Any], group: str = "/aws/batch/job") -> list[str]:
        stream = job["container"]["logStreamName"]
        events = self.client("logs").get_log_events(logGroupName=group, logStreamName=stream)
        return [event["message"] for event in events["events"]]

    def wait_for_log(self, job_id: str, line: str) -> None:
        """Wait until a running job has written a line."""
        job = self.wait(job_id, "RUNNING")
        deadline = time.monotonic() + 60
        while line not in self.log(job):
            assert time.monotonic() < deadline, self.log(job)
            time.sleep(0.02)


@pytest.fixture(scope="session")
def shared_emulator():
    # What comes late has tests of its own.
    with aws_batch_emulator.start(
        slots=6, grace_s=0.5, timeout_scale=0.01, lag_s=0, summary_lag_s=0, log_lag_s=0
    ) as emulator:
        yield emulator


@pytest.fixture
def new_account():
    """Start emulators that behave as a test wants."""
    with contextlib.ExitStack() as stack:
        yield lambda **how: Account(stack.enter_context(aws_batch_emulator.start(**how)))


@pytest.fixture(scope="session")
def shared_account(shared_emulator):
    return Account(shared_emulator)


class Flag:
    """A file that children of one test wait for, so that no test depends on how fast it is."""

    def __init__(self, path: Path) -> None:
        self.variable = {"environment": [{"name": "FLAG", "value": str(path)}]}
        self._path = path

    def then(self, script: str) -> list[str]:
        """Return a command that runs a script once the flag is up."""
        return ["sh", "-c", UNTIL_FLAG + script]

    def raise_(self) -> None:
        self._path.touch()


@pytest.fixture
def flag(tmp_path):
    return Flag(tmp_path / "flag")


@pytest.fixture
def account(shared_account):
    """The shared emulator, which every test must leave as it found it."""
    yield shared_account
    shared_account.emulator.clear_faults()
    for job in shared_account.emulator.live_jobs():
        shared_account.batch.terminate_job(jobId=job["jobId"], reason="end of the test")
    shared_account.emulator.wait_until_idle()


@pytest.fixture(scope="session")
def client():
    """Make a client of anyone, by default of the user."""
    return client_of


@pytest.fixture(scope="session")
def refusal():
    """Return status, code and message of a call that must be refused."""

    def refuse(call, **arguments):
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        response = caught.value.response
        return (
            response["ResponseMetadata"]["HTTPStatusCode"],
            response["Error"]["Code"],
            response["Error"]["Message"],
        )

    return refuse


@pytest.fixture(scope="session")
def words():
    """Return what AWS says where no policy allows an action."""

    def say(action, resource, arn="arn:aws:iam::123456789012:user/user"):
        return (
            f"User: {arn} is not authorized to perform: {action} on resource: {resource} "
            f"because no identity-based policy allows the {action} action"
        )

    return say
