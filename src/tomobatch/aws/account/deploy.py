"""Create or update all stacks in order, by change set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tomobatch.aws.account.changes import (
    NEVER_CREATED,
    POLL_S,
    ChangeSet,
    Tell,
    carry_out,
    delete_stack,
    prepare_changes,
)
from tomobatch.aws.account.stacks import (
    STACKS,
    check_settings,
    declared_parameters,
    find_stack,
    own_parameters,
    read_outputs,
)
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef

Confirm = Callable[[ChangeSet], bool]


def deploy(
    client: CloudFormationClient,
    prefix: str,
    settings: Mapping[str, str],
    *,
    tell: Tell,
    confirm: Confirm = lambda _: True,
    poll_s: float = POLL_S,
) -> dict[str, str]:
    """Make every stack what its template says, in order; what is so already is left alone.

    Parameters
    ----------
    prefix
        First part of the names of the stacks and of what they hold.
    settings
        Parameters of the templates; one that is not given keeps its present value, or takes the
        template's default in a new stack.
    tell
        Takes each line of progress.
    confirm
        Asked before a change is carried out.
    poll_s
        Seconds between two looks at a stack that is being changed.

    Returns
    -------
    dict
        The outputs of all stacks.

    Raises
    ------
    UserError
        If a setting is unknown, a change is not confirmed, or AWS refuses one, with its reasons.
    """
    templates = {stack: stack.template() for stack in STACKS}
    declared = {stack: declared_parameters(client, text) for stack, text in templates.items()}
    check_settings(settings, frozenset().union(*declared.values()), prefix)
    wanted = {**settings, **own_parameters(prefix)}
    for stack in STACKS:
        full_name = stack.full_name(prefix)
        _remove_failed_creation(client, full_name, tell, poll_s)
        change_set = prepare_changes(
            client,
            full_name,
            templates[stack],
            _choose_values(client, full_name, declared[stack], wanted),
            poll_s=poll_s,
        )
        if change_set is None:
            tell(f"{full_name} ({stack.title}): no changes")
            continue
        tell(f"{full_name} ({stack.title}): {'create' if change_set.creates else 'update'}")
        for change in change_set.changes:
            tell(f"  {change}")
        if not confirm(change_set):
            client.delete_change_set(StackName=full_name, ChangeSetName=change_set.name)
            raise UserError(f"Stopped before {full_name}: the change was not confirmed.")
        carry_out(client, change_set, tell, poll_s=poll_s)
    return read_outputs(client, prefix)


def _remove_failed_creation(
    client: CloudFormationClient, full_name: str, tell: Tell, poll_s: float
) -> None:
    """Delete what is left of a stack that never came to be, which AWS lets nobody update."""
    found = find_stack(client, full_name)
    if found is not None and found["StackStatus"] in NEVER_CREATED:
        tell(f"{full_name}: removing what is left of a creation that failed")
        delete_stack(client, full_name, tell, poll_s=poll_s)


def _choose_values(
    client: CloudFormationClient,
    full_name: str,
    declared: frozenset[str],
    wanted: Mapping[str, str],
) -> list[ParameterTypeDef]:
    """Parameters of a change set: what is wanted, else what the stack has, else the default."""
    found = find_stack(client, full_name)
    kept = [] if found is None else found.get("Parameters", [])
    present = {item["ParameterKey"] for item in kept}
    values: list[ParameterTypeDef] = []
    for name in sorted(declared):
        if name in wanted:
            values.append({"ParameterKey": name, "ParameterValue": wanted[name]})
        elif name in present:
            values.append({"ParameterKey": name, "UsePreviousValue": True})
    return values
