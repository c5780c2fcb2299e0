# ruff: noqa: ANN401
"""What moto's CloudFormation lacks to create, change and delete the stacks of a Batch user.

Seen in moto 5.2.5: a stack created by change set has no outputs, and an output whose condition is
false breaks the rest; a second change set to create a stack makes a second stack; a parameter kept
from before is its resolved value instead of what was given; the default of a list is not split; an
item of a list that is AWS::NoValue stays as null; tags of a stack never change; a compute
environment can't do without a service role; a job definition loses its timeout and platforms, and
is never updated; a VPC loses its DNS settings, a subnet its route table and public addresses; Batch
resources and route tables outlive their stack, and the outputs of a deleted one make it anew.
``mend_stacks`` mends these in the process that calls it.
"""

import json
import logging
import warnings
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

import moto.batch.models
import moto.cloudformation.models
import moto.cloudformation.parsing
import moto.cloudformation.responses
import moto.ec2.models.route_tables
import moto.ec2.models.subnets
import moto.ec2.models.vpcs
from moto.backends import get_backend

from aws_batch_emulator.moto_policies import mend_policies
from aws_batch_emulator.moto_refusals import mend_refusals
from aws_batch_emulator.moto_updates import mend_updates

# Typed as Any, because what is mended here is not for a type checker to follow.
batch: Any = moto.batch.models
models: Any = moto.cloudformation.models
parsing: Any = moto.cloudformation.parsing
responses: Any = moto.cloudformation.responses
route_tables: Any = moto.ec2.models.route_tables
subnets: Any = moto.ec2.models.subnets
vpcs: Any = moto.ec2.models.vpcs

SERVICE_ROLE = "AWSServiceRoleForBatch"


@cache
def mend_stacks() -> None:
    """Mend moto's CloudFormation in this process; a second call does nothing.

    What moto can't create it says no more: a Budget or a TopicPolicy is passed over in silence.
    """
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", "Tried to parse", module="moto.cloudformation")
    _mend_change_sets()
    _mend_parameters()
    _mend_lists()
    mend_updates()
    _mend_batch()
    _mend_network()
    _mend_deletion()
    mend_policies()
    mend_refusals()


def _mend_change_sets() -> None:
    execute = models.CloudFormationBackend.execute_change_set

    @wraps(execute)
    def execute_and_read_outputs(
        self: Any, change_set_name: str, stack_name: str | None = None
    ) -> None:
        known = self.change_sets.values()
        change_set = next(
            c for c in known if change_set_name in {c.change_set_name, c.change_set_id}
        )
        stack = self.stacks[change_set.stack_id]
        stack.resource_map.cross_stack_resources = self.exports
        execute(self, change_set_name, stack_name)
        stack.parameters = change_set.parameters
        stack.tags = {**stack.tags, **(change_set.tags or {})}
        stack._parse_template()
        stack.output_map = stack._create_output_map()
        holds = stack.resource_map.lazy_condition_map
        stack.output_map._output_json_map = {
            name: output
            for name, output in stack.template_dict.get("Outputs", {}).items()
            if "Condition" not in output or holds[output["Condition"]]
        }
        self.exports |= {export.name: export for export in stack.exports}

    create = models.CloudFormationBackend.create_change_set

    @wraps(create)
    def create_in_one_stack(self: Any, stack_name: str, **others: Any) -> tuple[str, str]:
        if others["change_set_type"] == "CREATE":
            for stack in list(self.stacks.values()):
                if stack.name == stack_name and stack.status == "REVIEW_IN_PROGRESS":
                    del self.stacks[stack.stack_id]
        created: tuple[str, str] = create(self, stack_name, **others)
        return created

    models.CloudFormationBackend.create_change_set = create_in_one_stack
    # An update without changes is a change set that failed, not a call that is refused.
    responses.CloudFormationResponse._validate_different_update = lambda *_: None
    models.CloudFormationBackend.execute_change_set = execute_and_read_outputs


def _mend_parameters() -> None:
    load = parsing.ResourceMap.load_parameters

    @wraps(load)
    def load_and_split_defaults(self: Any) -> None:
        load(self)
        for name, declared in self._template.get("Parameters", {}).items():
            value = self.resolved_parameters[name]
            if declared["Type"] == "CommaDelimitedList" and isinstance(value, str):
                self.resolved_parameters[name] = value.split(",")
        self._parsed_resources.update(self.resolved_parameters)

    def given(self: Any) -> dict[str, str]:
        declared = self.template_dict.get("Parameters", {})
        defaults = {name: str(d["Default"]) for name, d in declared.items() if "Default" in d}
        given_now: dict[str, str] = self.parameters
        return defaults | given_now

    def listed(self: Any) -> list[dict[str, str]]:
        return [{"ParameterKey": k, "ParameterValue": v} for k, v in given(self).items()]

    def has(self: Any, others: dict[str, str]) -> bool:
        return given(self) == given(self) | others

    parsing.ResourceMap.load_parameters = load_and_split_defaults
    models.Stack.stack_parameters = property(given)
    models.Stack.parameter_list = property(listed)
    models.Stack.has_parameters = has


def _mend_lists() -> None:
    clean = parsing.clean_json

    @wraps(clean)
    def clean_and_leave_out(resource_json: Any, resources_map: Any) -> Any:
        cleaned = clean(resource_json, resources_map)
        if isinstance(cleaned, list):
            return [item for item in cleaned if item is not None]
        return cleaned

    parsing.clean_json = clean_and_leave_out


def _mend_batch() -> None:
    _before_creation(batch.ComputeEnvironment, _add_service_role)
    _before_creation(batch.JobDefinition, _spell_as_read)
    _share_queues()
    _keep_platforms()
    define = batch.JobDefinition.create_from_cloudformation_json

    def define_anew(
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> Any:
        return define(new_resource_name, cloudformation_json, account_id, region_name)

    batch.JobDefinition.update_from_cloudformation_json = staticmethod(define_anew)


def _keep_platforms() -> None:
    create = batch.JobDefinition.create_from_cloudformation_json

    def create_for(name: str, template: dict[str, Any], *where: Any, **others: Any) -> Any:
        made = create(name, template, *where, **others)
        made.platform_capabilities = template["Properties"].get("PlatformCapabilities", ["EC2"])
        return made

    batch.JobDefinition.create_from_cloudformation_json = staticmethod(create_for)


def _share_queues() -> None:
    """Let a queue of a template keep its scheduling policy and its limits of waiting."""
    create = batch.JobQueue.create_from_cloudformation_json

    def create_shared(name: str, template: dict[str, Any], *where: Any, **others: Any) -> Any:
        queue = create(name, template, *where, **others)
        properties = template["Properties"]
        queue.schedule_policy = properties.get("SchedulingPolicyArn")
        queue.time_limits = properties.get("JobStateTimeLimitActions", [])
        return queue

    batch.JobQueue.create_from_cloudformation_json = staticmethod(create_shared)


def _before_creation(
    model: Any,
    change: Callable[[dict[str, Any], str, str], dict[str, Any]],
) -> None:
    """Let ``change(properties, account_id, region)`` see a resource's properties first."""
    create = model.create_from_cloudformation_json

    def create_changed(
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **others: Any,
    ) -> Any:
        properties = change(cloudformation_json["Properties"], account_id, region_name)
        changed = {**cloudformation_json, "Properties": properties}
        return create(resource_name, changed, account_id, region_name, **others)

    model.create_from_cloudformation_json = staticmethod(create_changed)


def _add_service_role(properties: dict[str, Any], account_id: str, region: str) -> dict[str, Any]:
    """Give a compute environment without a role Batch's service-linked one, as AWS does."""
    if "ServiceRole" in properties:
        return properties
    iam = get_backend("iam")[account_id]["aws"]
    roles = {role.name: role for role in iam.get_roles()}
    role = roles.get(SERVICE_ROLE) or iam.create_role(
        role_name=SERVICE_ROLE,
        assume_role_policy_document=json.dumps({}),
        path="/aws-service-role/batch.amazonaws.com/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )
    return {**properties, "ServiceRole": role.arn}


def _spell_as_read(properties: dict[str, Any], account_id: str, region: str) -> dict[str, Any]:
    """Spell a timeout as moto reads it, and add the retry strategy it can't do without."""
    return {
        **properties,
        "timeout": properties.get("Timeout", {}),
        "RetryStrategy": properties.get("RetryStrategy", {"Attempts": 1}),
    }


def _mend_network() -> None:
    associate = subnets.SubnetBackend.create_subnet_association

    @wraps(associate)
    def associate_in_table(self: Any, route_table_id: str, subnet_id: str) -> Any:
        self.associate_route_table(route_table_id, subnet_id=subnet_id)
        return associate(self, route_table_id, subnet_id)

    subnets.SubnetBackend.create_subnet_association = associate_in_table
    _keep_settings(
        vpcs.VPC,
        EnableDnsSupport="enable_dns_support",
        EnableDnsHostnames="enable_dns_hostnames",
    )
    _keep_settings(subnets.Subnet, MapPublicIpOnLaunch="map_public_ip_on_launch")


def _keep_settings(model: Any, **names: str) -> None:
    """Set what a template says, where moto takes its own default."""
    create = model.create_from_cloudformation_json

    @wraps(create)
    def create_as_written(name: str, template: Any, *where: Any, **kwargs: Any) -> Any:
        made = create(name, template, *where, **kwargs)
        for written, kept in names.items():
            if written in template["Properties"]:
                setattr(made, kept, template["Properties"][written])
        return made

    model.create_from_cloudformation_json = staticmethod(create_as_written)


def _mend_deletion() -> None:
    def delete_queue(self: Any, account_id: str, region: str) -> None:
        get_backend("batch")[account_id][region].delete_job_queue(self.arn)

    def delete_environment(self: Any, account_id: str, region: str) -> None:
        get_backend("batch")[account_id][region].delete_compute_environment(self.name)

    def deregister(self: Any, account_id: str, region: str) -> None:
        get_backend("batch")[account_id][region].deregister_job_definition(self.arn)

    def delete_route_table(self: Any, account_id: str, region: str) -> None:
        self._associations.clear()
        get_backend("ec2")[account_id][region].delete_route_table(self.id)

    delete = models.Stack.delete

    @wraps(delete)
    def delete_with_outputs(self: Any) -> None:
        delete(self)
        self.output_map._output_json_map = {}

    models.Stack.delete = delete_with_outputs
    batch.JobQueue.delete = delete_queue
    batch.ComputeEnvironment.delete = delete_environment
    batch.JobDefinition.delete = deregister
    route_tables.RouteTable.delete = delete_route_table
