"""The five calls of the Batch API that are about jobs (decision 70)."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from aws_batch_emulator import endings, fargate, moto_seams, quotas
from aws_batch_emulator.faults import FaultBook
from aws_batch_emulator.jobs import Job, JobSpec, make_array
from aws_batch_emulator.lags import Lags
from aws_batch_emulator.machine_sizes import can_hold
from aws_batch_emulator.moto_seams import Definition, Queue
from aws_batch_emulator.retries import RetryStrategy
from aws_batch_emulator.scheduler import Scheduler
from aws_batch_emulator.settings import Settings
from aws_batch_emulator.shapes import job_detail, job_summary
from aws_batch_emulator.states import Status
from aws_batch_emulator.validation import ClientError, check_share, check_submission

Request = Mapping[str, Any]
Response = dict[str, Any]

DEFAULT_LOG_GROUP = "/aws/batch/job"
_MAX_DESCRIBED = 100
_PAGE = 1000
_FILTERED_PAGE = 100
_KEPT_MS = 7 * 24 * 3600 * 1000


class BatchJobs:
    """SubmitJob, DescribeJobs, ListJobs, TerminateJob and CancelJob of one region."""

    def __init__(
        self, scheduler: Scheduler, faults: FaultBook, settings: Settings, lags: Lags
    ) -> None:
        self._region = settings.region
        self._lags = lags
        self._quotas = settings.quotas
        self._ahead_ms = 0
        self._scheduler = scheduler
        self._faults = faults
        self.actions: dict[str, Callable[[Request, int], Response]] = {
            "SubmitJob": self._submit,
            "DescribeJobs": self._describe,
            "ListJobs": self._list,
            "TerminateJob": self._terminate,
            "CancelJob": self._cancel,
        }

    def _submit(self, request: Request, payload_bytes: int) -> Response:
        check_submission(request, payload_bytes)
        queue = self._queue(request["jobQueue"])
        if not queue.enabled:
            raise ClientError(f"Job queue {queue.arn} is DISABLED and does not accept jobs.")
        check_share(request.get("shareIdentifier"), is_shared=queue.is_shared)
        definition = moto_seams.find_definition(self._region, request["jobDefinition"])
        if definition is None:
            raise ClientError(f"JobDefinition {request['jobDefinition']} does not exist.")
        refusal = fargate.refuse_submission(queue.environment_type, definition.platforms)
        spec = make_spec(request, queue, definition, self._region)
        refusal = refusal or fargate.refuse_container(spec.container, definition.platforms)
        if refusal:
            raise ClientError(refusal)
        spec = replace(spec, obstacle=self._obstacle(queue, spec))
        size = (request.get("arrayProperties") or {}).get("size")
        self._check_dependencies_exist(spec, size)
        job_id = str(uuid.uuid4())
        now_ms = time.time_ns() // 1_000_000
        tags = dict(request.get("tags") or {})
        job = make_array(job_id, spec, size, now_ms) if size else Job(job_id, spec, now_ms)
        if tags:
            moto_seams.tag_job(self._region, job.arn, tags)
        self._scheduler.submit(job)
        return {"jobArn": job.arn, "jobName": spec.name, "jobId": job_id}

    def _obstacle(self, queue: Queue, spec: JobSpec) -> str | None:
        if not quotas.allow(queue.machines, spec.size.vcpus, self._quotas):
            return ""
        if not spec.is_fargate and not can_hold((each for each, _ in queue.machines), spec.size):
            return endings.STUCK
        return endings.BEYOND_THE_ENVIRONMENT if spec.size.vcpus > queue.max_vcpus else None

    def _check_dependencies_exist(self, spec: JobSpec, size: int | None) -> None:
        for dependency in spec.depends_on:
            if "jobId" not in dependency:
                continue
            needed = self._scheduler.find(dependency["jobId"])
            if needed is None:
                raise ClientError(f"Job {dependency['jobId']} in dependsOn does not exist.")
            if dependency.get("type") == "N_TO_N" and len(needed.children) != size:
                raise ClientError("N_TO_N needs two array jobs of the same size.")

    def _describe(self, request: Request, payload_bytes: int) -> Response:
        ids = request.get("jobs") or []
        if len(ids) > _MAX_DESCRIBED:
            raise ClientError(f"DescribeJobs takes at most {_MAX_DESCRIBED} jobs, got {len(ids)}.")
        found = [self._scheduler.find(job_id) for job_id in ids]
        known = [job for job in found if job is not None and not self._is_past(job)]
        jobs = [job for job in known if not self._faults.forgets(job.spec.name, job.id)]
        tags = [moto_seams.tags_of_job(self._region, (job.parent or job).arn) for job in jobs]
        with self._scheduler.lock:
            then_ms = self._summaries_ms()
            return {"jobs": [job_detail(j, t, then_ms) for j, t in zip(jobs, tags, strict=True)]}

    def turn_clock(self, ahead_s: float) -> None:
        """Let so much time go by at once: jobs that were over for seven days are forgotten."""
        self._ahead_ms += int(ahead_s * 1000)

    def _now_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._ahead_ms

    def _summaries_ms(self) -> int:
        return self._now_ms() - int(self._lags.arrays_s * 1000)

    def _is_past(self, job: Job) -> bool:
        """Whether Batch has forgotten a job (user guide, "Job states": kept for seven days)."""
        whole = job.parent or job
        if not whole.status.is_final or whole.stopped_ms is None:
            return False
        return self._now_ms() - whole.stopped_ms > _KEPT_MS

    def _list(self, request: Request, payload_bytes: int) -> Response:
        sources = [k for k in ("jobQueue", "arrayJobId", "multiNodeJobId") if request.get(k)]
        if len(sources) != 1:
            raise ClientError("Exactly one of jobQueue, arrayJobId, multiNodeJobId must be given.")
        status = Status(request.get("jobStatus") or Status.RUNNING)
        filters = request.get("filters") or []
        limit = _PAGE
        jobs: Iterable[Job]
        if sources == ["jobQueue"]:
            queue = self._queue(request["jobQueue"])
            jobs = (j for j in self._scheduler.submitted() if j.spec.queue_arn == queue.arn)
            if filters:
                limit = _FILTERED_PAGE
                jobs = filter_jobs(jobs, filters)
        else:
            parent = self._scheduler.find(request[sources[0]])
            jobs = parent.children if parent else ()
        wanted = None if filters and sources == ["jobQueue"] else status
        with self._scheduler.lock:
            return _page(self._listed(jobs, wanted), request, limit, self._summaries_ms())

    def _listed(self, jobs: Iterable[Job], wanted: Status | None) -> list[tuple[Job, Status]]:
        """Return jobs with the status that a list has of them, which is of a while ago."""
        lag_ms = int(self._lags.lists_s * 1000)
        then_ms = self._now_ms() - lag_ms
        kept = sorted(
            (job for job in jobs if not self._is_past(job)),
            key=lambda job: (-job.created_ms, job.index or 0),
        )
        seen = [(job, job.status_at(then_ms) if lag_ms else job.status) for job in kept]
        return [(job, s) for job, s in seen if s is not None and wanted in (None, s)]

    def _terminate(self, request: Request, payload_bytes: int) -> Response:
        job, reason = self._to_end(request)
        if job is not None:
            self._scheduler.terminate(job, reason)
        return {}

    def _cancel(self, request: Request, payload_bytes: int) -> Response:
        job, reason = self._to_end(request)
        if job is not None:
            self._scheduler.cancel(job, reason)
        return {}

    def _to_end(self, request: Request) -> tuple[Job | None, str]:
        for name in ("jobId", "reason"):
            if not request.get(name):
                raise ClientError(f"{name} must be provided.")
        return self._scheduler.find(request["jobId"]), request["reason"]

    def _queue(self, identifier: str) -> Queue:
        queue = moto_seams.find_queue(self._region, identifier)
        if queue is None:
            raise ClientError(f"JobQueue {identifier} does not exist.")
        return queue


def make_spec(request: Request, queue: Queue, definition: Definition, region: str) -> JobSpec:
    """Merge a SubmitJob request with its job definition; the request wins."""
    container = merge_container(definition.container, request.get("containerOverrides") or {})
    options = (container.get("logConfiguration") or {}).get("options") or {}
    timeout = request.get("timeout") or definition.timeout or {}
    retry = request.get("retryStrategy") or definition.retry_strategy
    return JobSpec(
        name=request["jobName"],
        region=region,
        account_id=moto_seams.ACCOUNT_ID,
        queue_name=queue.name,
        queue_arn=queue.arn,
        environment_name=queue.environment_name,
        instance_types=queue.instance_types,
        market=queue.market,
        definition_name=definition.name,
        definition_arn=definition.arn,
        container=container,
        retry=RetryStrategy.from_api(retry),
        timeout_s=timeout.get("attemptDurationSeconds"),
        parameters={**definition.parameters, **(request.get("parameters") or {})},
        depends_on=list(request.get("dependsOn") or []),
        propagate_tags=bool(request.get("propagateTags", definition.propagate_tags)),
        log_group=options.get("awslogs-group", DEFAULT_LOG_GROUP),
        log_prefix=options.get("awslogs-stream-prefix", definition.name[:200]),
        waiting_limits_s=queue.waiting_limits_s,
        is_fargate=fargate.is_fargate(queue.environment_type),
        subnets=queue.subnets,
        security_groups=queue.security_groups,
    )


def merge_container(properties: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Return a job's container: the definition's, with command, variables and sizes overridden."""
    environment = {e["name"]: e["value"] for e in properties.get("environment") or ()}
    environment |= {e["name"]: e["value"] for e in overrides.get("environment") or ()}
    sizes = {r["type"]: r["value"] for r in properties.get("resourceRequirements") or ()}
    sizes |= {r["type"]: r["value"] for r in overrides.get("resourceRequirements") or ()}
    return {
        **properties,
        "command": list(overrides.get("command") or properties.get("command") or ()),
        "environment": [{"name": name, "value": value} for name, value in environment.items()],
        "resourceRequirements": [{"type": kind, "value": str(v)} for kind, v in sizes.items()],
    }


def filter_jobs(jobs: Iterable[Job], filters: list[Mapping[str, Any]]) -> list[Job]:
    """Apply ListJobs' one filter: names and definitions may end with `*`."""
    if len(filters) != 1:
        raise ClientError("Only one filter can be used at a time.")
    name, values = filters[0].get("name"), filters[0].get("values") or []
    if name == "JOB_NAME":
        globs = [_prefix_glob(value.lower()) for value in values]
        return [j for j in jobs if any(fnmatchcase(j.spec.name.lower(), g) for g in globs)]
    if name == "JOB_DEFINITION":
        globs = [_prefix_glob(value) for value in values]
        return [
            job
            for job in jobs
            if job.spec.definition_arn in values
            or any(fnmatchcase(job.spec.definition_name, glob) for glob in globs)
        ]
    if name == "BEFORE_CREATED_AT":
        return [job for job in jobs if job.created_ms < int(values[0])]
    if name == "AFTER_CREATED_AT":
        return [job for job in jobs if job.created_ms > int(values[0])]
    raise ClientError(f"Filter {name} is not supported.")


def _prefix_glob(value: str) -> str:
    """Escape everything a glob would read specially, but keep one `*` at the end."""
    body = value.removesuffix("*")
    escaped = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in body)
    return escaped + ("*" if value.endswith("*") else "")


def _page(
    jobs: list[tuple[Job, Status]], request: Request, limit: int, summaries_ms: int
) -> Response:
    size = min(int(request.get("maxResults") or limit), limit)
    start = int(request.get("nextToken") or 0)
    page = jobs[start : start + size]
    summaries = [job_summary(job, status, summaries_ms) for job, status in page]
    response: Response = {"jobSummaryList": summaries}
    if start + size < len(jobs):
        response["nextToken"] = str(start + size)
    return response
