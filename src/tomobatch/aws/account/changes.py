"""One stack: what a new template would change, the change carried out, and why it failed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from tomobatch.aws.account.stacks import find_stack, is_ready
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import (
        DescribeChangeSetOutputTypeDef,
        ParameterTypeDef,
        StackEventTypeDef,
    )

Tell = Callable[[str], None]

POLL_S = 3.0
"""Seconds between two looks at a stack that is being changed."""

_IN_USE = "as it is in use by"
"""Of an export that another stack imports; no status tells it, a reason alone."""

NO_CHANGES = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Change:
    """What happens to one resource."""

    action: str
    resource: str
    kind: str
    replacement: str

    def __str__(self) -> str:
        sign = {"Add": "+", "Remove": "-"}.get(self.action, "~")
        how = {"True": ", replaced", "Conditional": ", perhaps replaced"}.get(self.replacement, "")
        return f"{sign} {self.resource} ({self.kind}{how})"

    @property
    def loses_something(self) -> bool:
        """Whether a resource that is there now may be gone afterwards."""
        return self.action == "Remove" or self.replacement in {"True", "Conditional"}


@dataclass(frozen=True)
class ChangeSet:
    """A change of one stack that AWS has worked out and not yet begun."""

    stack: str
    name: str
    creates: bool
    changes: tuple[Change, ...]


def prepare_changes(
    client: "CloudFormationClient",
    stack: str,
    template: str,
    parameters: "list[ParameterTypeDef]",
    *,
    tags: Mapping[str, str] = MappingProxyType({}),
    poll_s: float = POLL_S,
) -> ChangeSet | None:
    """Let AWS work out what a template and parameters would change.

    Parameters
    ----------
    tags
        Of the stack, which CloudFormation hands on to what it makes.

    Returns
    -------
    ChangeSet or None
        ``None`` if the stack is as the template says.

    Raises
    ------
    UserError
        If the stack is being changed already, or AWS refuses the template, with its reason.
    """
    found = find_stack(client, stack)
    status = "REVIEW_IN_PROGRESS" if found is None else found["StackStatus"]
    creates = status == "REVIEW_IN_PROGRESS"
    if not creates and (not is_ready(status) or status.endswith("_IN_PROGRESS")):
        raise UserError(
            f"Stack {stack} can not be changed in status {status}: wait until what is going on has "
            "ended, or mend it in the CloudFormation console, and try again."
        )
    kind: Literal["CREATE", "UPDATE"] = "CREATE" if creates else "UPDATE"
    name = f"deploy-{time.time_ns()}"
    client.create_change_set(
        StackName=stack,
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateBody=template,
        Parameters=parameters,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    answer = _wait_for_change_set(client, stack, name, poll_s)
    reason = answer.get("StatusReason", "")
    if answer["Status"] == "FAILED":
        client.delete_change_set(StackName=stack, ChangeSetName=name)
        if any(text in reason for text in NO_CHANGES):
            return None
        raise UserError(f"Stack {stack} can not be changed: {reason}")
    return ChangeSet(stack, name, creates, _read_changes(client, stack, name))


def _wait_for_change_set(
    client: "CloudFormationClient", stack: str, name: str, poll_s: float
) -> "DescribeChangeSetOutputTypeDef":
    while True:
        answer = client.describe_change_set(StackName=stack, ChangeSetName=name)
        if answer["Status"] in {"CREATE_COMPLETE", "FAILED"}:
            return answer
        time.sleep(poll_s)


def _read_changes(client: "CloudFormationClient", stack: str, name: str) -> tuple[Change, ...]:
    pages = client.get_paginator("describe_change_set").paginate(
        StackName=stack, ChangeSetName=name
    )
    return tuple(
        Change(
            action=item["Action"],
            resource=item["LogicalResourceId"],
            kind=item["ResourceType"],
            replacement=item.get("Replacement", "False"),
        )
        for page in pages
        for item in (change["ResourceChange"] for change in page["Changes"])
    )


def carry_out(
    client: "CloudFormationClient", change_set: ChangeSet, tell: Tell, *, poll_s: float = POLL_S
) -> None:
    """Begin a change and wait until it has ended, telling what happens.

    Raises
    ------
    UserError
        If it failed, with the reason of every resource that did.
    """
    seen = {event["EventId"] for event in _events(client, change_set.stack)}
    client.execute_change_set(StackName=change_set.stack, ChangeSetName=change_set.name)
    watch(client, change_set.stack, tell, seen=seen, poll_s=poll_s)


def delete_stack(
    client: "CloudFormationClient", stack: str, tell: Tell, *, poll_s: float = POLL_S
) -> None:
    """Delete a stack and wait until it is gone, telling what happens.

    Raises
    ------
    UserError
        If it failed, with the reason of every resource that did.
    """
    found = find_stack(client, stack)
    if found is None:
        return
    stack_id = found["StackId"]
    seen = {event["EventId"] for event in _events(client, stack_id)}
    client.delete_stack(StackName=stack)
    # A stack whose exports are in use is as it was before.
    watch(client, stack_id, tell, seen=seen, poll_s=poll_s, well=("DELETE_COMPLETE",))


def watch(
    client: "CloudFormationClient",
    stack: str,
    tell: Tell,
    *,
    seen: set[str],
    poll_s: float,
    well: tuple[str, ...] = ("CREATE_COMPLETE", "UPDATE_COMPLETE"),
) -> None:
    """Tell the events of a stack that are not in ``seen`` until its status is final.

    Raises
    ------
    UserError
        If that is none of those in ``well``, with the reasons.
    """
    failures: list[str] = []
    while True:
        found = find_stack(client, stack)
        status = "DELETE_COMPLETE" if found is None else found["StackStatus"]
        for event in reversed(_events(client, stack) if found is not None else []):
            if event["EventId"] in seen:
                continue
            seen.add(event["EventId"])
            outcome = event.get("ResourceStatus", "").lower()
            if not outcome.endswith("in_progress"):
                tell(f"  {event.get('LogicalResourceId', stack)}: {outcome.replace('_', ' ')}")
            if (failure := _failure(event)) is not None:
                failures.append(failure)
        if not status.endswith("_IN_PROGRESS"):
            break
        time.sleep(poll_s)
    if status not in well:
        reason = "" if found is None else found.get("StackStatusReason", "no reason given")
        why = "; ".join(failures) or reason
        # The ARN of a stack ends in its name and an id.
        name = stack.split("/")[1] if "/" in stack else stack
        raise UserError(f"Stack {name} ended in {status}: {why}")


def _events(client: "CloudFormationClient", stack: str) -> "list[StackEventTypeDef]":
    """Newest first."""
    pages = client.get_paginator("describe_stack_events").paginate(StackName=stack)
    return [event for page in pages for event in page["StackEvents"]]


def _failure(event: "StackEventTypeDef") -> str | None:
    """Reason of a resource that failed by itself, or of a stack that no resource let down."""
    reason = event.get("ResourceStatusReason", "no reason given")
    if _IN_USE in reason:
        return reason
    if not event.get("ResourceStatus", "").endswith("FAILED") or "cancelled" in reason:
        return None
    return f"{event.get('LogicalResourceId')}: {reason}"
