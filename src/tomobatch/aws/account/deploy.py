"""Create or update all stacks in order, by change set (decision 93)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tomobatch.aws.account.changes import (
    POLL_S,
    ChangeSet,
    Tell,
    carry_out,
    delete_stack,
    prepare_changes,
)
from tomobatch.aws.account.offers import fit_region
from tomobatch.aws.account.quotas import MakeClient
from tomobatch.aws.account.settings import check_changes, check_prefix, check_settings
from tomobatch.aws.account.stacks import (
    NEVER_CREATED,
    STACKS,
    Stack,
    declared_parameters,
    find_stack,
    own_parameters,
    present_parameters,
    read_outputs,
    refuse_lost_bucket,
)
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef

Confirm = Callable[[ChangeSet], bool]


def deploy(
    client: "CloudFormationClient",
    prefix: str,
    settings: "Mapping[str, str]",
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
        If a setting is unknown or can't be changed any more, a change is not confirmed, or AWS
        refuses one, with its reasons.
    """
    check_prefix(prefix)
    templates = {stack: stack.template() for stack in STACKS}
    declared = {stack: declared_parameters(client, text) for stack, text in templates.items()}
    check_settings(settings, frozenset().union(*declared.values()), prefix)
    check_changes(settings, _all_present(client, prefix))
    wanted = {**settings, **own_parameters(prefix)}
    for stack in STACKS:
        full_name = stack.full_name(prefix)
        _remove_failed_creation(client, full_name, tell, poll_s)
        change_set = prepare_changes(
            client,
            full_name,
            templates[stack],
            _choose_values(client, full_name, declared[stack], wanted),
            tags=_tags(client, stack, prefix),
            poll_s=poll_s,
        )
        if change_set is None:
            tell(f"{full_name} ({stack.title}): no changes")
            continue
        tell(f"{full_name} ({stack.title}): {'create' if change_set.creates else 'update'}")
        for change in change_set.changes:
            tell(f"  {change}")
        for name, value in _kept(client, full_name, declared[stack], wanted).items():
            tell(f"  {name} stays {value} (the default is {declared[stack][name] or 'empty'})")
        if not confirm(change_set):
            client.delete_change_set(StackName=full_name, ChangeSetName=change_set.name)
            raise UserError(f"Stopped before {full_name}: the change was not confirmed.")
        carry_out(client, change_set, tell, poll_s=poll_s)
    return read_outputs(client, prefix)


def choose_settings(
    make_client: MakeClient, prefix: str, settings: "Mapping[str, str]", tell: Tell
) -> dict[str, str]:
    """Return the settings, completed by what the Region has; everything is checked beforehand.

    Parameters
    ----------
    make_client
        Makes a boto3 client of a service.

    Raises
    ------
    UserError
        As for `deploy`, and if the Region lacks what the stacks need, or their bucket is gone.
    """
    check_prefix(prefix)
    client = make_client("cloudformation")
    defaults: dict[str, str] = {}
    for stack in STACKS:
        defaults |= declared_parameters(client, stack.template())
    check_settings(settings, defaults, prefix)
    present = _all_present(client, prefix)
    check_changes(settings, present)
    refuse_lost_bucket(make_client, prefix)
    return fit_region(make_client, settings, present, defaults, tell)


def _all_present(client: "CloudFormationClient", prefix: str) -> dict[str, str]:
    """Return the parameters that the stacks have, all of them together."""
    parameters: dict[str, str] = {}
    for stack in STACKS:
        parameters |= present_parameters(client, stack.full_name(prefix))
    return parameters


def _kept(
    client: "CloudFormationClient",
    full_name: str,
    declared: "Mapping[str, str]",
    wanted: "Mapping[str, str]",
) -> dict[str, str]:
    """Return what a stack keeps although the template has another default, and nobody sets it."""
    return {
        name: value
        for name, value in present_parameters(client, full_name).items()
        if name in declared and name not in wanted and value != declared[name]
    }


def _tags(client: "CloudFormationClient", stack: Stack, prefix: str) -> dict[str, str]:
    """Return the tags by which costs are told apart."""
    found = find_stack(client, stack.full_name(prefix))
    if stack.tags_change or found is None or found["StackStatus"] == "REVIEW_IN_PROGRESS":
        return {"Project": prefix}
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}


def _remove_failed_creation(
    client: "CloudFormationClient", full_name: str, tell: Tell, poll_s: float
) -> None:
    """Delete what is left of a stack that never came to be, which AWS lets nobody update."""
    found = find_stack(client, full_name)
    if found is not None and found["StackStatus"] in NEVER_CREATED:
        tell(f"{full_name}: removing what is left of a creation that failed")
        delete_stack(client, full_name, tell, poll_s=poll_s)


def _choose_values(
    client: "CloudFormationClient",
    full_name: str,
    declared: "Iterable[str]",
    wanted: "Mapping[str, str]",
) -> "list[ParameterTypeDef]":
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
