"""The calls to AWS Batch that the executor makes, in its own words."""

import random
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from snakemake_executor_plugin_aws_batch_array.aws import (
    MAX_ATTEMPTS,
    is_throttled,
    make_client,
    may_pass,
)
from snakemake_executor_plugin_aws_batch_array.status import Attempt, JobDetail, Status
from snakemake_executor_plugin_aws_batch_array.submission import Submission, submit_request

if TYPE_CHECKING:
    from mypy_boto3_batch.type_defs import JobDetailTypeDef

DESCRIBE_LIMIT = 100
"""Most ids of one DescribeJobs call."""

LISTING_LAG_S = 30.0
"""So long after SubmitJob a job that is not listed may exist nevertheless; AWS promises less."""

_LISTING_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0)


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

    def find_new(self, name: str, queue: str, since_s: float = ...) -> str | None:
        """Return the id of a job that may have been submitted so long ago, once it is listed."""
        ...

    def find_all(self, pattern: str, queue: str) -> dict[str, str]:
        """Return the id of the latest job of each name that fits; none if the queue is gone."""
        ...

    def front(self, queue: str) -> list[JobDetail]:
        """Return the oldest jobs of a queue that wait or run."""
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
        request = submit_request(submission)
        for n_tries in range(MAX_ATTEMPTS):
            try:
                return self._submit_client.submit_job(**request)["jobId"]
            except (ClientError, HTTPClientError, NoConnectionError) as error:
                if not may_pass(error):
                    raise
                is_last = n_tries + 1 == MAX_ATTEMPTS
                if not is_last:
                    self._sleep(random.uniform(0.5, 1) * min(2**n_tries, 20))  # noqa: S311
                if _may_have_arrived(error):
                    job_id = self.find_new(submission.name, submission.queue)
                    if job_id is not None:
                        return job_id
                if is_last:
                    raise
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

    def find_new(self, name: str, queue: str, since_s: float = 0.0) -> str | None:
        """Return the id of a job that may just have been submitted: listings lag behind.

        Parameters
        ----------
        since_s
            How long ago it was, if it was.
        """
        waited_s = since_s
        for pause_s in _LISTING_PAUSES_S:
            job_id = self.find(name, queue)
            if job_id is not None or waited_s >= LISTING_LAG_S:
                return job_id
            self._sleep(pause_s)
            waited_s += pause_s
        return self.find(name, queue)

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

    def front(self, queue: str) -> list[JobDetail]:
        """Return the oldest jobs of a queue that wait or run, a hundred at most.

        An array is PENDING as long as its children wait or run.
        """
        created: dict[str, int] = {}
        for status in (Status.PENDING, Status.RUNNABLE, Status.STARTING, Status.RUNNING):
            pages = self._client.get_paginator("list_jobs").paginate(
                jobQueue=queue,
                jobStatus=status.value,  # type: ignore[arg-type]
            )
            for page in pages:
                created |= {job["jobId"]: job["createdAt"] for job in page["jobSummaryList"]}
        oldest = sorted(created, key=lambda job_id: created[job_id])[:DESCRIBE_LIMIT]
        details = self.describe(oldest)
        return [details[job_id] for job_id in oldest if job_id in details]

    def terminate(self, job_id: str, reason: str) -> None:
        """End a job, or an array with all its children."""
        self._client.terminate_job(jobId=job_id, reason=reason)


def _may_have_arrived(error: Exception) -> bool:
    if isinstance(error, ClientError):
        return not is_throttled(error)
    return not isinstance(error, NoConnectionError)


def _job_detail(job: "JobDetailTypeDef") -> JobDetail:
    container = job.get("container", {})
    listed = job.get("attempts", [])
    attempts = tuple(
        Attempt(
            exit_code=attempt.get("container", {}).get("exitCode"),
            reason=attempt.get("container", {}).get("reason", ""),
            status_reason=attempt.get("statusReason", ""),
            log_stream=attempt.get("container", {}).get("logStreamName", ""),
        )
        for attempt in listed
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
        is_ended=bool(job.get("isTerminated") or job.get("isCancelled")),
        n_ended=max((i + 1 for i, one in enumerate(listed) if "stoppedAt" in one), default=0),
        log_stream=container.get("logStreamName", ""),
    )
