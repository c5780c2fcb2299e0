# ruff: noqa: ANN401
"""What CloudFormation refuses to change and to delete, where moto does everything.

An export that another stack imports can be neither deleted nor changed (user guide, "Get exported
outputs from a deployed stack"); Batch makes no compute environment of a type that its Region lacks
(API reference, ComputeResource, instanceTypes); a bucket that is gone is not changed; a
resource that can't be made or changed ends in a rollback (user guide, "Stack failure options").
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import moto.batch.models
import moto.cloudformation.models
import moto.cloudformation.parsing
import moto.s3.models
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS

from aws_batch_emulator import fargate

# Typed as Any, because what is mended here is not for a type checker to follow.
batch: Any = moto.batch.models
models: Any = moto.cloudformation.models
parsing: Any = moto.cloudformation.parsing
s3: Any = moto.s3.models


class RefusedError(Exception):
    """A resource that can't be made as it is asked for."""

    resource = ""
    kind = ""


def mend_refusals() -> None:
    """Let stacks fail as CloudFormation does, in this process."""
    _name_what_is_refused()
    _check_instance_types()
    _check_fargate()
    _check_buckets()
    _keep_exports()
    execute = models.CloudFormationBackend.execute_change_set

    @wraps(execute)
    def execute_or_roll_back(self: Any, change_set_name: str, stack_name: Any = None) -> None:
        stack = _stack_of(self, change_set_name)
        before = {export.name: export.value for export in stack.exports}
        was = stack.template, stack.parameters, stack.output_map
        try:
            execute(self, change_set_name, stack_name)
        except RefusedError as error:
            _roll_back(stack, error)
            return
        changed = {name for name, value in before.items() if _value(stack, name) != value}
        if in_use := _in_use(self, stack, changed):
            stack.template, stack.parameters, stack.output_map = was
            self.exports |= {export.name: export for export in stack.exports}
            stack._add_stack_event("UPDATE_ROLLBACK_IN_PROGRESS", in_use.format("updated"))
            stack._add_stack_event("UPDATE_ROLLBACK_COMPLETE")
            stack.status = "UPDATE_ROLLBACK_COMPLETE"

    models.CloudFormationBackend.execute_change_set = execute_or_roll_back


def _name_what_is_refused() -> None:
    """Tell of a refusal which resource it is about."""

    def named(parse: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(parse)
        def parse_and_name(logical_id: str, resource: Any, *others: Any, **more: Any) -> Any:
            try:
                return parse(logical_id, resource, *others, **more)
            except RefusedError as error:
                error.resource, error.kind = logical_id, resource["Type"]
                raise

        return parse_and_name

    parsing.parse_and_create_resource = named(parsing.parse_and_create_resource)
    parsing.parse_and_update_resource = named(parsing.parse_and_update_resource)


def _check_instance_types() -> None:
    create = batch.ComputeEnvironment.create_from_cloudformation_json

    def create_of_offered(
        name: str, template: dict[str, Any], account_id: str, region: str, **others: Any
    ) -> Any:
        resources = template["Properties"].get("ComputeResources", {})
        if refusal := unknown_types(region, resources.get("InstanceTypes", [])):
            raise RefusedError(
                "Resource handler returned message: "
                f'"{refusal} (Service: Batch, Status Code: 400)" (HandlerErrorCode: InvalidRequest)'
            )
        return create(name, template, account_id, region, **others)

    batch.ComputeEnvironment.create_from_cloudformation_json = staticmethod(create_of_offered)


def _check_fargate() -> None:
    """Refuse what Batch refuses for Fargate, in definitions, compute environments and queues."""
    _refuse_before(
        batch.JobDefinition,
        lambda told, *_: fargate.refuse_container(
            told.get("containerProperties", {}), told.get("platformCapabilities", ["EC2"])
        ),
    )
    _refuse_before(
        batch.ComputeEnvironment,
        lambda told, *_: fargate.refuse_environment(told.get("computeResources", {})),
    )
    _refuse_before(batch.JobQueue, _refuse_order)


def _refuse_order(told: dict[str, Any], account_id: str, region: str) -> str | None:
    known = get_backend("batch")[account_id][region]
    ordered = [
        known.get_compute_environment(each["computeEnvironment"])
        for each in told.get("computeEnvironmentOrder", [])
    ]
    return fargate.refuse_order(each.compute_resources["type"] for each in ordered if each)


def _refuse_before(model: Any, refuse: Callable[..., str | None]) -> None:
    create = model.create_from_cloudformation_json

    def create_or_refuse(
        name: str, template: dict[str, Any], account_id: str, region: str, **others: Any
    ) -> Any:
        told = as_called(template["Properties"])
        if refusal := refuse(told, account_id, region):
            raise RefusedError(
                "Resource handler returned message: "
                f'"{refusal} (Service: Batch, Status Code: 400)" (HandlerErrorCode: InvalidRequest)'
            )
        return create(name, template, account_id, region, **others)

    model.create_from_cloudformation_json = staticmethod(create_or_refuse)


def as_called(node: Any) -> Any:
    """Name the fields of a template's properties as a call names them."""
    if isinstance(node, dict):
        return {f"{name[:1].lower()}{name[1:]}": as_called(value) for name, value in node.items()}
    return [as_called(each) for each in node] if isinstance(node, list) else node


def unknown_types(region: str, wanted: list[str]) -> str | None:
    """Return why Batch refuses instance types or families; None if the Region has them all."""
    offered = [each["InstanceType"] for each in INSTANCE_TYPE_OFFERINGS["region"].get(region, [])]
    known = {*offered, *(each.partition(".")[0] for each in offered), "optimal"}
    if known.issuperset(wanted):
        return None
    names = ", ".join(sorted(known))
    return f"Error executing request, Exception : Instance type can only be one of [{names}]"


def _check_buckets() -> None:
    update = s3.FakeBucket.update_from_cloudformation_json
    delete = s3.FakeBucket.delete_from_cloudformation_json

    def is_there(name: str) -> bool:
        return name in get_backend("s3")[DEFAULT_ACCOUNT_ID]["aws"].buckets

    def update_if_there(original_resource: Any, **others: Any) -> Any:
        if not is_there(original_resource.name):
            raise RefusedError(
                'Resource handler returned message: "The specified bucket does not exist '
                '(Service: S3, Status Code: 404)" (HandlerErrorCode: NotFound)'
            )
        return update(original_resource=original_resource, **others)

    def delete_if_there(resource_name: str, *others: Any, **more: Any) -> None:
        if is_there(resource_name):
            delete(resource_name, *others, **more)

    s3.FakeBucket.update_from_cloudformation_json = staticmethod(update_if_there)
    s3.FakeBucket.delete_from_cloudformation_json = staticmethod(delete_if_there)


def _keep_exports() -> None:
    delete = models.CloudFormationBackend.delete_stack

    @wraps(delete)
    def delete_unless_in_use(self: Any, name_or_stack_id: str) -> None:
        for stack in list(self.stacks.values()):
            if name_or_stack_id not in (stack.name, stack.stack_id):
                continue
            if in_use := _in_use(self, stack, {export.name for export in stack.exports}):
                # It is as it was, and only the reason tells.
                stack._add_stack_event(stack.status, in_use.format("deleted"))
                return
        delete(self, name_or_stack_id)

    models.CloudFormationBackend.delete_stack = delete_unless_in_use


def _in_use(backend: Any, stack: Any, names: set[str]) -> str:
    """Return why exports of a stack stay as they are; empty if nothing imports them."""
    for other in backend.stacks.values():
        if other is not stack and (used := names & set(_imports(other))):
            return f"Export {min(used)} cannot be {{}} as it is in use by {other.name}"
    return ""


def _imports(stack: Any) -> Iterator[str]:
    """Walk the names of what a stack imports."""
    for resource in stack.template_dict.get("Resources", {}).values():
        condition = resource.get("Condition")
        if condition is None or stack.resource_map.lazy_condition_map[condition]:
            for name in _imported(resource):
                yield str(parsing.clean_json(name, stack.resource_map))


def _imported(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        if "Fn::ImportValue" in node:
            yield node["Fn::ImportValue"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from _imported(item)


def _value(stack: Any, name: str) -> Any:
    return next((export.value for export in stack.exports if export.name == name), None)


def _stack_of(backend: Any, change_set_name: str) -> Any:
    for change_set in backend.change_sets.values():
        if change_set_name in (change_set.change_set_name, change_set.change_set_id):
            return backend.stacks[change_set.stack_id]
    return None


def _roll_back(stack: Any, error: RefusedError) -> None:
    """End a change in which a resource could not be made; of a new stack nothing stays."""
    creates = stack.status == "REVIEW_IN_PROGRESS"
    if creates:
        stack.resource_map.delete()
    kind, ended = ("CREATE", "ROLLBACK") if creates else ("UPDATE", "UPDATE_ROLLBACK")
    stack.events.append(
        models.Event(
            stack_id=stack.stack_id,
            stack_name=stack.name,
            logical_resource_id=error.resource,
            physical_resource_id="",
            resource_type=error.kind,
            resource_status=f"{kind}_FAILED",
            resource_status_reason=str(error),
            resource_properties=None,
        )
    )
    failed = f"The following resource(s) failed to {kind.lower()}: [{error.resource}]. "
    stack._add_stack_event(f"{ended}_IN_PROGRESS", failed)
    stack._add_stack_event(f"{ended}_COMPLETE")
    stack.status = f"{ended}_COMPLETE"
