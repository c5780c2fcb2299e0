"""The calls to AWS Batch that the executor makes, in its own words."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from snakemake_executor_plugin_aws_batch_array.aws import MAX_ATTEMPTS, make_client
from snakemake_executor_plugin_aws_batch_array.status import Attempt, JobDetail, Status

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

DESCRIBE_LIMIT = 100
"""Most ids of one DescribeJobs call."""

INTERRUPTED_EXIT_CODE = 75
"""How the worker ends when it was told to stop before its slice was done (``EX_TEMPFAIL``)."""

RETRY_RULES: Sequence[Mapping[str, str]] = (
    # The instance went away, with or without a word to the container before.
    {"onStatusReason": "Host EC2*", "action": "RETRY"},
    {"onExitCode": str(INTERRUPTED_EXIT_CODE), "action": "RETRY"},
    # The container never ran: image pull, agent.
    {"onReason": "CannotPull*", "action": "RETRY"},
    {"onStatusReason": "Task failed to start*", "action": "RETRY"},
    # All else is the command's failure: Snakemake's own retries see to it.
    {"onReason": "*", "action": "EXIT"},
)

_THROTTLED = {"TooManyRequestsException", "ThrottlingException", "Throttling", "SlowDown"}


@dataclass(frozen=True)
class Submission:
    """What SubmitJob is asked for.

    Attributes
    ----------
    name, queue, definition
        As AWS Batch takes them.
    n_children
        1 for a plain job, else the size of the array.
    command, environment
        Of the container.
    vcpus, memory_mib, gpus
        Resources of one child.
    timeout_s
        Time limit of one attempt of one child, at least 60; None if there is no limit.
    attempts
        Attempts Batch makes when `RETRY_RULES` say so, 1 to 10.
    tags
        Tags of the job, passed on to its tasks.
    """

    name: str
    queue: str
    definition: str
    n_children: int
    command: tuple[str, ...]
    environment: Mapping[str, str]
    vcpus: int
    memory_mib: int
    gpus: int
    timeout_s: int | None
    attempts: int
    tags: Mapping[str, str]


class BatchApi(Protocol):
    """What the executor needs of AWS Batch."""

    def submit(self, submission: Submission) -> str:
        """Submit a job exactly once and return its id."""
        ...

    def describe(self, job_ids: Sequence[str]) -> dict[str, JobDetail]:
        """Return the jobs that AWS Batch knows, by id."""
        ...

    def children(self, parent_id: str, status: Status) -> list[int]:
        """Return the indices of an array's children in one state."""
        ...

    def find(self, name: str, queue: str) -> str | None:
        """Return the id of the latest job of that name."""
        ...

    def terminate(self, job_id: str, reason: str) -> None:
        """End a job, or an array with all its children."""
        ...


class BatchClient:
    """AWS Batch, by boto3.

    Parameters
    ----------
    region
        AWS Region; by default that of boto3's chain.
    sleep
        Called with the seconds between two tries of SubmitJob.
    """

    def __init__(
        self, region: str | None = None, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._client = make_client("batch", region)
        # SubmitJob takes no client token: repeated blindly, a lost reply would submit twice.
        self._submit_client = make_client("batch", region, max_attempts=1)
        self._sleep = sleep

    def submit(self, submission: Submission) -> str:
        """Submit a job exactly once and return its id.

        A throttled call is repeated. After a call whose reply was lost, the job is looked for by
        its name, which no other job has, before it is submitted again.
        """
        request = _submit_request(submission)
        for n_tries in range(MAX_ATTEMPTS):
            try:
                return self._submit_client.submit_job(**request)["jobId"]
            except (ClientError, HTTPClientError, NoConnectionError) as error:
                if n_tries + 1 == MAX_ATTEMPTS or not _may_repeat(error):
                    raise
                self._sleep(random.uniform(0.5, 1) * min(2**n_tries, 20))  # noqa: S311
                if _may_have_arrived(error):
                    job_id = self.find(submission.name, submission.queue)
                    if job_id is not None:
                        return job_id
        raise AssertionError("unreachable: the last try returns or raises")

    def describe(self, job_ids: Sequence[str]) -> dict[str, JobDetail]:
        """Return the jobs that AWS Batch knows, by id, asking for 100 a call."""
        details = {}
        for start in range(0, len(job_ids), DESCRIBE_LIMIT):
            reply = self._client.describe_jobs(jobs=job_ids[start : start + DESCRIBE_LIMIT])
            for job in reply["jobs"]:
                details[job["jobId"]] = _job_detail(job)
        return details

    def children(self, parent_id: str, status: Status) -> list[int]:
        """Return the indices of an array's children in one state."""
        pages = self._client.get_paginator("list_jobs").paginate(
            arrayJobId=parent_id, jobStatus=status.value
        )
        return [job["arrayProperties"]["index"] for page in pages for job in page["jobSummaryList"]]

    def find(self, name: str, queue: str) -> str | None:
        """Return the id of the latest job of that name, in whatever state."""
        return self.find_all(name, queue).get(name)

    def find_all(self, pattern: str, queue: str) -> dict[str, str]:
        """Return the id of the latest job of each name that fits; none if the queue is gone.

        Parameters
        ----------
        pattern
            A name, or the beginning of names with ``*`` after it.
        """
        pages = self._client.get_paginator("list_jobs").paginate(
            jobQueue=queue, filters=[{"name": "JOB_NAME", "values": [pattern]}]
        )
        try:
            found = [job for page in pages for job in page["jobSummaryList"]]
        except ClientError as error:
            # Of all that is asked for here, only the queue can be wrong; AWS words it variously.
            if error.response["Error"]["Code"] == "ClientException":
                return {}
            raise
        return {
            job["jobName"]: job["jobId"]
            for job in sorted(found, key=lambda job: job.get("createdAt", 0))
        }

    def terminate(self, job_id: str, reason: str) -> None:
        """End a job, or an array with all its children."""
        self._client.terminate_job(jobId=job_id, reason=reason)


def _may_repeat(error: Exception) -> bool:
    if isinstance(error, ClientError):
        return _is_throttled(error) or _http_status(error) >= 500
    return True


def _may_have_arrived(error: Exception) -> bool:
    if isinstance(error, ClientError):
        return not _is_throttled(error)
    return not isinstance(error, NoConnectionError)


def _is_throttled(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in _THROTTLED or _http_status(error) == 429


def _http_status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _submit_request(submission: Submission) -> dict[str, Any]:
    amounts = [("VCPU", submission.vcpus), ("MEMORY", submission.memory_mib)]
    if submission.gpus > 0:
        amounts.append(("GPU", submission.gpus))
    request: dict[str, Any] = {
        "jobName": submission.name,
        "jobQueue": submission.queue,
        "jobDefinition": submission.definition,
        "containerOverrides": {
            "command": list(submission.command),
            "environment": [
                {"name": name, "value": value} for name, value in submission.environment.items()
            ],
            "resourceRequirements": [
                {"type": kind, "value": str(amount)} for kind, amount in amounts
            ],
        },
        "retryStrategy": {
            "attempts": submission.attempts,
            "evaluateOnExit": [dict(rule) for rule in RETRY_RULES],
        },
        "tags": dict(submission.tags),
        "propagateTags": True,
    }
    if submission.n_children > 1:
        request["arrayProperties"] = {"size": submission.n_children}
    if submission.timeout_s is not None:
        request["timeout"] = {"attemptDurationSeconds": submission.timeout_s}
    return request


def _job_detail(job: JobDetailTypeDef) -> JobDetail:
    container = job.get("container", {})
    attempts = tuple(
        Attempt(
            exit_code=attempt.get("container", {}).get("exitCode"),
            reason=attempt.get("container", {}).get("reason", ""),
            status_reason=attempt.get("statusReason", ""),
            log_stream=attempt.get("container", {}).get("logStreamName", ""),
        )
        for attempt in job.get("attempts", [])
    )
    if not attempts and ("exitCode" in container or "logStreamName" in container):
        attempts = (
            Attempt(
                exit_code=container.get("exitCode"),
                reason=container.get("reason", ""),
                log_stream=container.get("logStreamName", ""),
            ),
        )
    summary = job.get("arrayProperties", {}).get("statusSummary", {})
    options = container.get("logConfiguration", {}).get("options", {})
    return JobDetail(
        job_id=job["jobId"],
        name=job["jobName"],
        status=Status(job["status"]),
        status_reason=job.get("statusReason", ""),
        attempts=attempts,
        log_group=options.get("awslogs-group", ""),
        children={Status(name): count for name, count in summary.items() if count},
    )
