"""What the calls of Batch need (service authorization reference, AWS Batch)."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_batch_emulator.access.asked import Asked
from aws_batch_emulator.access.policies import Request

# A call names a resource in one of these arguments, in full or by its name alone.
_NAMED = {
    "jobQueue": "job-queue",
    "jobQueueName": "job-queue",
    "jobDefinition": "job-definition",
    "jobDefinitionName": "job-definition",
    "computeEnvironment": "compute-environment",
    "computeEnvironmentName": "compute-environment",
    "schedulingPolicyArn": "scheduling-policy",
    "jobId": "job",
}
# Calls that know no resource.
_READING = ("Describe", "List")
_PASSED_TO = {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}


def batch_needs(asked: Asked) -> list[Request]:
    """Return the requests that a call of Batch stands for."""
    action = asked.call.action
    if "/tags/" in asked.environ.get("PATH_INFO", ""):
        arn = asked.environ["PATH_INFO"].partition("/tags/")[2]
        return [Request(f"batch:{action}", arn, _tag_context(asked.json.get("tags") or {}))]
    if action.startswith(_READING):
        return [Request(f"batch:{action}", "*")]
    context = _context(asked.json)
    needed = [Request(f"batch:{action}", arn, context) for arn in _resources(asked)]
    if asked.json.get("tags") and action != "TagResource":
        needed.append(Request("batch:TagResource", _tagged(asked), context))
    return [*needed, *_passed(asked.json)]


def _resources(asked: Asked) -> Iterable[str]:
    for argument, kind in _NAMED.items():
        if name := asked.json.get(argument):
            yield name if str(name).startswith("arn:") else asked.arn(f"{kind}/{name}")


def _tagged(asked: Asked) -> str:
    """Return what a creating call tags; a job's id is not known before it is there."""
    if asked.call.action == "SubmitJob":
        return asked.arn("job/*")
    return next(iter(_resources(asked)))


def _context(arguments: Mapping[str, Any]) -> dict[str, Any]:
    context = _tag_context(arguments.get("tags") or {})
    if "shareIdentifier" in arguments:
        context["batch:shareidentifier"] = arguments["shareIdentifier"]
    container = arguments.get("containerProperties") or {}
    for name in ("image", "privileged", "user"):
        if name in container:
            context[f"batch:{name}"] = str(container[name]).lower()
    return context


def _tag_context(tags: Mapping[str, str]) -> dict[str, Any]:
    context: dict[str, Any] = {f"aws:requesttag/{k}".lower(): v for k, v in tags.items()}
    return {**context, "aws:tagkeys": list(tags)} if tags else context


def _passed(arguments: Mapping[str, Any]) -> Iterable[Request]:
    """Return the roles that a job definition hands on to its jobs."""
    container = arguments.get("containerProperties") or {}
    for name in ("jobRoleArn", "executionRoleArn"):
        if arn := container.get(name):
            yield Request("iam:PassRole", arn, _PASSED_TO)
