"""What a call needs: the actions that its caller must be allowed, each on a resource.

After the service authorization reference, which says for each service's actions the resources and
condition keys they know. An action that knows no resource is asked for on ``*``, and so is every
action of a service that is not told apart here: only a statement for all resources allows it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aws_batch_emulator.access.asked import Asked
from aws_batch_emulator.access.batch_needs import batch_needs
from aws_batch_emulator.access.policies import Request
from aws_batch_emulator.access.s3_needs import s3_needs

# Calls that everyone may make who has valid credentials.
FREE = {"sts:GetCallerIdentity", "sts:GetSessionToken"}
# Calls whose permission has another name.
_RENAMED = {
    "budgets:DescribeBudget": "budgets:ViewBudget",
    "budgets:DescribeBudgets": "budgets:ViewBudget",
    "budgets:CreateBudget": "budgets:ModifyBudget",
    "budgets:DeleteBudget": "budgets:ModifyBudget",
}


def needs_of(asked: Asked, stack_arn: Callable[[str], str | None]) -> list[Request]:
    """Return every request that the policies must allow for a call to be carried out.

    Parameters
    ----------
    asked
        The call.
    stack_arn
        Finds the ARN of a stack by its name, None where there is no such stack.
    """
    call = asked.call
    if str(call) in FREE:
        return []
    if call.service == "s3":
        return s3_needs(asked)
    if call.service == "batch":
        return batch_needs(asked)
    if call.service == "cloudformation":
        return [Request(str(call), _stack(asked, stack_arn))]
    find = _RESOURCES.get(call.service)
    action = _RENAMED.get(str(call), str(call))
    resources = find(asked) if find else []
    return [Request(action, resource) for resource in resources or ["*"]]


def _stack(asked: Asked, stack_arn: Callable[[str], str | None]) -> str:
    name = asked.form.get("StackName")
    if not name:
        return "*"
    if name.startswith("arn:"):
        return name
    return stack_arn(name) or asked.arn(f"stack/{name}/*")


def _log_resources(asked: Asked) -> list[str]:
    """Return the stream of a call; one of a whole group names a stream without a name."""
    arguments: Mapping[str, Any] = asked.json
    group = arguments.get("logGroupName") or arguments.get("logGroupIdentifier") or ""
    stream = arguments.get("logStreamName", "") if asked.call.action in _OF_STREAMS else ""
    group = group.partition(":log-group:")[2] or group
    return [asked.arn(f"log-group:{group}:log-stream:{stream}")]


_OF_STREAMS = {"GetLogEvents", "PutLogEvents", "DeleteLogStream"}


def _repositories(asked: Asked) -> list[str]:
    name = asked.json.get("repositoryName")
    return [asked.arn(f"repository/{name}")] if name else []


def _parameters(asked: Asked) -> list[str]:
    names = asked.json.get("Names") or [asked.json.get("Name")]
    return [asked.arn(f"parameter/{str(name).lstrip('/')}") for name in names if name]


def _roles(asked: Asked) -> list[str]:
    role = asked.form.get("RoleArn")
    return [role] if role else []


def _topics(asked: Asked) -> list[str]:
    topic = asked.form.get("TopicArn")
    return [topic] if topic else []


def _iam_resources(asked: Asked) -> list[str]:
    form = asked.form
    for field, kind in (("RoleName", "role"), ("UserName", "user"), ("GroupName", "group")):
        if field in form:
            return [asked.arn(f"{kind}/{form[field]}", regional=False)]
    return [form["PolicyArn"]] if "PolicyArn" in form else []


_RESOURCES: dict[str, Callable[[Asked], list[str]]] = {
    "logs": _log_resources,
    "ecr": _repositories,
    "ssm": _parameters,
    "sts": _roles,
    "iam": _iam_resources,
    "sns": _topics,
}
