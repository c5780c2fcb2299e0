"""One job for AWS Batch: what it is asked for, and when it is to try again by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from snakemake_executor_plugin_aws_batch_array.status import SPOT_SIGNATURES

TRY_AGAIN_EXIT_CODE = 75
"""How the worker ends when another attempt may do what this one could not (``EX_TEMPFAIL``): it was
told to stop before its slice was done, or S3 was too busy."""

RETRY_RULES: Sequence[Mapping[str, str]] = (
    # The instance went away, of EC2 or of Fargate, with or without a word to the container before.
    *({"onStatusReason": f"{signature}*", "action": "RETRY"} for signature in SPOT_SIGNATURES),
    {"onExitCode": str(TRY_AGAIN_EXIT_CODE), "action": "RETRY"},
    # The container never ran: image pull, agent.
    {"onStatusReason": "Task failed to start*", "action": "RETRY"},
    # All else is the command's failure: Snakemake's own retries see to it.
    {"onReason": "*", "action": "EXIT"},
)
"""AWS takes five at most, with letters, digits, ``.``, ``:``, spaces and a final ``*``."""


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
    share, priority
        Share identifier, and priority within the share, on a queue with a fair-share policy; empty
        and None on others.
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
    share: str = ""
    priority: int | None = None


def submit_request(submission: Submission) -> dict[str, Any]:
    """Return a submission in the words of boto3."""
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
    if submission.share:
        request["shareIdentifier"] = submission.share
    if submission.priority is not None:
        request["schedulingPriorityOverride"] = submission.priority
    if submission.timeout_s is not None:
        request["timeout"] = {"attemptDurationSeconds": submission.timeout_s}
    return request
