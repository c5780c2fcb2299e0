"""What Batch refuses in a SubmitJob call, as pure checks."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aws_batch_emulator import fargate

MAX_PAYLOAD_BYTES = 30 * 1024
MAX_DEPENDENCIES = 20
MAX_TAGS = 50
MAX_PRIORITY = 9999
LEAST_MEMORY_MIB = 4
_TAG_TEXT = re.compile(r"[\w\s+\-=._:/@]*")
_SHARE = re.compile(r"[A-Za-z0-9]{1,255}\*?")
_JOB_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_REASON_GLOB = re.compile(r"[A-Za-z0-9.:\s]{0,511}\*?")
_EXIT_CODE_GLOB = re.compile(r"[0-9]{0,511}\*?")


class ClientError(Exception):
    """A call the service refuses: HTTP 400, ClientException."""


def check_submission(request: Mapping[str, Any], payload_bytes: int) -> None:
    """Refuse what Batch refuses in a SubmitJob request, before anything is looked up.

    Raises
    ------
    ClientError
        With one line that names the field and the limit.
    """
    if payload_bytes > MAX_PAYLOAD_BYTES:
        _refuse(f"Request payload of {payload_bytes} bytes exceeds the limit of 30 KiB.")
    for name in ("jobName", "jobQueue", "jobDefinition"):
        if not request.get(name):
            _refuse(f"{name} must be provided.")
    if not _JOB_NAME.fullmatch(request["jobName"]):
        _refuse(
            "Job name should match valid pattern: up to 128 letters, numbers, hyphens and "
            "underscores, the first a letter or a number."
        )
    size = (request.get("arrayProperties") or {}).get("size")
    if size is not None and not 2 <= size <= 10_000:
        _refuse(f"Array size must be between 2 and 10000, got {size}.")
    check_timeout(request.get("timeout"))
    check_retry_strategy(request.get("retryStrategy"))
    _check_overrides(request.get("containerOverrides") or {})
    _check_dependencies(request.get("dependsOn") or [], is_array=size is not None)
    check_tags(request.get("tags") or {})
    check_priority("schedulingPriorityOverride", request.get("schedulingPriorityOverride"))


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse tags as the user guide limits them ("Tag your AWS Batch resources")."""
    if len(tags) > MAX_TAGS:
        _refuse(f"A job can have at most {MAX_TAGS} tags.")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            _refuse(f"Tag {key[:128]!r}: a key has 1 to 128 characters, a value at most 256.")
        if key.lower().startswith("aws:"):
            _refuse(f"Tag {key!r}: keys must not start with aws:, which is reserved.")
        if not (_TAG_TEXT.fullmatch(key) and _TAG_TEXT.fullmatch(value)):
            _refuse(f"Tag {key!r}: only letters, digits, spaces and _ . : / = + - @ are allowed.")


def check_priority(name: str, priority: int | None) -> None:
    """Refuse a scheduling priority out of range (API reference, SubmitJob)."""
    if priority is not None and not 0 <= priority <= MAX_PRIORITY:
        _refuse(f"{name} must be between 0 and {MAX_PRIORITY}, got {priority}.")


def check_share(share: str | None, *, is_shared: bool) -> None:
    """Refuse a share identifier on a queue without a policy of shares, and none on one with.

    API reference, SubmitJob, shareIdentifier.
    """
    if share is None and is_shared:
        _refuse("shareIdentifier must be specified for a job queue with a scheduling policy.")
    if share is not None and not is_shared:
        _refuse("shareIdentifier must not be specified: the job queue has no scheduling policy.")
    if share is not None and not _SHARE.fullmatch(share):
        _refuse(f"shareIdentifier {share!r}: letters and digits only, and a * at the end.")


def check_sizes(requirements: Sequence[Mapping[str, str]]) -> None:
    """Refuse sizes that no container has (API reference, ResourceRequirement)."""
    least = {"MEMORY": LEAST_MEMORY_MIB, "VCPU": 1, "GPU": 1}
    for item in requirements:
        kind, value = item.get("type"), str(item.get("value"))
        if kind not in least:
            _refuse(f"resourceRequirements type must be GPU, VCPU or MEMORY, got {item}.")
        if not value.isdigit() or int(value) < least[str(kind)]:
            _refuse(f"{kind} must be a whole number of at least {least[str(kind)]}, got {value}.")


def check_definition(request: Mapping[str, Any]) -> None:
    """Refuse what Batch refuses in a RegisterJobDefinition request."""
    check_timeout(request.get("timeout"))
    check_retry_strategy(request.get("retryStrategy"))
    check_tags(request.get("tags") or {})
    check_priority("schedulingPriority", request.get("schedulingPriority"))
    container = request.get("containerProperties") or {}
    platforms = request.get("platformCapabilities") or ["EC2"]
    if container and (refusal := fargate.refuse_container(container, platforms)):
        _refuse(refusal)
    check_sizes(container.get("resourceRequirements") or [])
    for item in container.get("environment") or []:
        _check_variable(item)


def check_timeout(timeout: Mapping[str, int] | None) -> None:
    """Refuse a time limit below 60 seconds."""
    seconds = (timeout or {}).get("attemptDurationSeconds")
    if seconds is not None and seconds < 60:
        _refuse(f"attemptDurationSeconds must be at least 60 seconds, got {seconds}.")


def check_retry_strategy(strategy: Mapping[str, Any] | None) -> None:
    """Refuse a retry strategy with too many attempts or rules, or a malformed rule."""
    if not strategy:
        return
    attempts = strategy.get("attempts")
    if attempts is not None and not 1 <= attempts <= 10:
        _refuse(f"retryStrategy.attempts must be between 1 and 10, got {attempts}.")
    rules = strategy.get("evaluateOnExit") or []
    if len(rules) > 5:
        _refuse(f"evaluateOnExit can have at most 5 entries, got {len(rules)}.")
    if rules and attempts is None:
        _refuse("retryStrategy.attempts must be given with evaluateOnExit.")
    for rule in rules:
        if str(rule.get("action")).upper() not in ("RETRY", "EXIT"):
            _refuse(f"evaluateOnExit action must be RETRY or EXIT, got {rule.get('action')}.")
        _check_glob("onReason", rule.get("onReason"), _REASON_GLOB)
        _check_glob("onStatusReason", rule.get("onStatusReason"), _REASON_GLOB)
        _check_glob("onExitCode", rule.get("onExitCode"), _EXIT_CODE_GLOB)


def _check_glob(name: str, pattern: str | None, allowed: re.Pattern[str]) -> None:
    if pattern is not None and not allowed.fullmatch(pattern):
        _refuse(f"evaluateOnExit {name} has characters that are not allowed: {pattern!r}.")


def _check_overrides(overrides: Mapping[str, Any]) -> None:
    if any(word == "" for word in overrides.get("command") or []):
        _refuse("containerOverrides.command must not contain an empty string.")
    for item in overrides.get("environment") or []:
        _check_variable(item)
    check_sizes(overrides.get("resourceRequirements") or [])


def _check_variable(item: Mapping[str, str]) -> None:
    if str(item.get("name", "")).startswith("AWS_BATCH"):
        _refuse(
            f"Environment variable {item['name']}: names must not start with AWS_BATCH, "
            "which is reserved."
        )


def _check_dependencies(depends_on: Sequence[Mapping[str, str]], *, is_array: bool) -> None:
    if len(depends_on) > MAX_DEPENDENCIES:
        _refuse(f"A job can depend on at most {MAX_DEPENDENCIES} jobs, got {len(depends_on)}.")
    for dependency in depends_on:
        kind = dependency.get("type")
        if kind not in (None, "N_TO_N", "SEQUENTIAL"):
            _refuse(f"dependsOn type must be N_TO_N or SEQUENTIAL, got {kind}.")
        if kind is not None and not is_array:
            _refuse(f"dependsOn type {kind} is for array jobs only.")
        if "jobId" not in dependency and kind != "SEQUENTIAL":
            _refuse("dependsOn needs a jobId unless its type is SEQUENTIAL.")


def _refuse(message: str) -> None:
    raise ClientError(message)
