"""Jobs in the form DescribeJobs and ListJobs give them."""

from collections.abc import Mapping
from typing import Any

from aws_batch_emulator.jobs import Attempt, Job
from aws_batch_emulator.states import Status


def job_detail(job: Job, tags: Mapping[str, str], then_ms: int) -> dict[str, Any]:
    """Return a job as DescribeJobs does: an array as it was a while ago, others as they are."""
    spec = job.spec
    status = (job.status_at(then_ms) or Status.SUBMITTED) if job.is_array else job.status
    detail: dict[str, Any] = {
        **_common(job, status, then_ms),
        "jobQueue": spec.queue_arn,
        "attempts": [
            _attempt_detail(a, spec.is_fargate) for a in job.attempts if a.ending is not None
        ],
        "retryStrategy": spec.retry.to_api(),
        "dependsOn": spec.depends_on,
        "parameters": spec.parameters,
        "container": {**spec.container, **_outcome(job.current_attempt, spec.is_fargate)},
        "tags": dict(tags),
        "propagateTags": spec.propagate_tags,
        "platformCapabilities": ["FARGATE" if spec.is_fargate else "EC2"],
    }
    detail.setdefault("startedAt", 0)
    if spec.timeout_s is not None:
        detail["timeout"] = {"attemptDurationSeconds": spec.timeout_s}
    return detail


def job_summary(job: Job, status: Status, then_ms: int) -> dict[str, Any]:
    """Return a job as ListJobs does, in the status that the list has of it."""
    summary = _common(job, status, then_ms)
    is_told = status is job.status
    outcome = _outcome(job.current_attempt, job.spec.is_fargate) if is_told else {}
    container = {key: outcome[key] for key in ("exitCode", "reason") if key in outcome}
    if container:
        summary["container"] = container
    return summary


def _common(job: Job, status: Status, then_ms: int) -> dict[str, Any]:
    is_told = status is job.status
    fields: dict[str, Any] = {
        "jobArn": job.arn,
        "jobId": job.id,
        "jobName": job.spec.name,
        "createdAt": job.created_ms,
        "status": status.value,
        "jobDefinition": job.spec.definition_arn,
    }
    optional = {
        "statusReason": job.status_reason if is_told else None,
        "startedAt": job.started_ms,
        "stoppedAt": job.stopped_ms if is_told else None,
        "isCancelled": job.is_cancelled or None,
        "isTerminated": job.is_terminated or None,
        "arrayProperties": _array_properties(job, then_ms),
    }
    fields.update({key: value for key, value in optional.items() if value is not None})
    return fields


def _array_properties(job: Job, then_ms: int) -> dict[str, Any] | None:
    if job.index is not None:
        return {"index": job.index}
    if job.summary is None:
        return None
    job.summary.tell(then_ms)
    return {
        "size": len(job.children),
        "statusSummary": {status.value: job.summary.told[status] for status in Status},
        "statusSummaryLastUpdatedAt": job.summary.told_ms,
    }


def _outcome(attempt: Attempt | None, is_fargate: bool) -> dict[str, Any]:
    """Return the fields of a container that belong to one attempt."""
    if attempt is None:
        return {}
    fields: dict[str, Any] = {
        "taskArn": f"arn:aws:ecs:::task/emulator/{attempt.task_id}",
        "networkInterfaces": [],
    }
    if not is_fargate:
        instance = f"arn:aws:ecs:::container-instance/{attempt.machine.instance_id}"
        fields["containerInstanceArn"] = instance
    if attempt.started_ms is not None:
        fields["logStreamName"] = attempt.log_stream
    if attempt.ending is not None:
        if attempt.ending.exit_code is not None:
            fields["exitCode"] = attempt.ending.exit_code
        if attempt.ending.reason is not None:
            fields["reason"] = attempt.ending.reason
    return fields


def _attempt_detail(attempt: Attempt, is_fargate: bool) -> dict[str, Any]:
    detail: dict[str, Any] = {"container": _outcome(attempt, is_fargate)}
    if attempt.started_ms is not None:
        detail["startedAt"] = attempt.started_ms
    if attempt.stopped_ms is not None:
        detail["stoppedAt"] = attempt.stopped_ms
    if attempt.ending is not None:
        detail["statusReason"] = attempt.ending.status_reason
    return detail
