# ruff: noqa: ANN401
"""What moto's CloudFormation lacks to keep policies: of buckets, of queues, and managed ones.

Seen in moto 5.2.5: policies of buckets and queues are passed over in silence; a managed policy is
never changed and outlives its stack; a stack that can't be deleted is gone all the same.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

import moto.cloudformation.models
import moto.cloudformation.parsing
import moto.iam.access_control
import moto.iam.models
import moto.s3.models
from moto.backends import get_backend
from moto.core.common_models import CloudFormationModel

# Typed as Any, because what is mended here is not for a type checker to follow.
models: Any = moto.cloudformation.models
parsing: Any = moto.cloudformation.parsing
access_control: Any = moto.iam.access_control
iam: Any = moto.iam.models
s3: Any = moto.s3.models

_PRINCIPALS = ("Roles", "Users", "Groups")


class _Named:
    """A resource of a template, known by one name; moto lists direct heirs of its model alone."""

    type_name: str
    name_property = ""
    """The property that names the resource; empty: there is none."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def physical_resource_id(self) -> str:
        """What Ref gives."""
        return self._name

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """Return the property that names the resource."""
        return cls.name_property

    @classmethod
    def cloudformation_type(cls) -> str:
        """Return the type in a template."""
        return cls.type_name


class BucketPolicy(_Named, CloudFormationModel):
    """The policy of a bucket."""

    __module__ = "moto.s3.bucket_policy"  # moto sorts its models by the name of their module
    type_name = "AWS::S3::BucketPolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "BucketPolicy":
        """Give a bucket its policy."""
        properties = cloudformation_json["Properties"]
        text = json.dumps(properties["PolicyDocument"]).encode()
        get_backend("s3")[account_id]["aws"].put_bucket_policy(properties["Bucket"], text)
        return cls(properties["Bucket"])

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
    ) -> "BucketPolicy":
        """Replace a bucket's policy."""
        return cls.create_from_cloudformation_json(
            new_resource_name, cloudformation_json, account_id, region_name
        )

    def delete(self, account_id: str, region: str) -> None:
        """Take the policy away, if the bucket is still there."""
        bucket = get_backend("s3")[account_id]["aws"].buckets.get(self._name)
        if bucket is not None:
            bucket.policy = None


class SchedulingPolicy(_Named, CloudFormationModel):
    """How a queue shares its machines among users."""

    __module__ = "moto.batch.scheduling_policy"
    type_name = "AWS::Batch::SchedulingPolicy"
    name_property = "Name"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "SchedulingPolicy":
        """Create a policy."""
        batch: Any = get_backend("batch")[account_id][region_name]
        fair = cloudformation_json["Properties"].get("FairsharePolicy", {})
        return cls(batch.create_scheduling_policy(resource_name, fair, {}).arn)

    def delete(self, account_id: str, region: str) -> None:
        """Delete the policy."""
        get_backend("batch")[account_id][region].delete_scheduling_policy(self._name)


def mend_policies() -> None:
    """Mend moto's CloudFormation in this process."""
    for known in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        known.cache_clear()  # those above are new
    iam.ManagedPolicy.update_from_cloudformation_json = staticmethod(_change)
    iam.ManagedPolicy.delete = _delete
    # The emulator decides by itself, with conditions: moto does without them.
    s3.FakeBucket.get_permission = lambda *_: access_control.PermissionResult.NEUTRAL
    _mend_failed_deletions()


def _change(
    original_resource: Any,
    new_resource_name: str,
    cloudformation_json: Any,
    account_id: str,
    region_name: str,
) -> Any:
    """Change a managed policy's document, whoever it is attached to."""
    properties = cloudformation_json["Properties"]
    version = next(
        v
        for v in original_resource.versions
        if v.version_id == original_resource.default_version_id
    )
    version.document = json.dumps(properties["PolicyDocument"])
    return original_resource


def _delete(self: Any, account_id: str, region: str) -> None:
    """Delete a managed policy that is attached to nobody but what its own stack attached it to."""
    backend: Any = get_backend("iam")[account_id]["aws"]
    others = [*backend.users.values(), *backend.groups.values()]
    if any(self.arn in owner.managed_policies for owner in others):
        raise iam.DeleteConflictException("Cannot delete a policy attached to entities.")
    for role in backend.get_roles():
        role.managed_policies.pop(self.arn, None)
    backend.managed_policies.pop(self.arn, None)


def _mend_failed_deletions() -> None:
    delete: Callable[[Any, str], None] = models.CloudFormationBackend.delete_stack

    @wraps(delete)
    def delete_or_tell(self: Any, name_or_stack_id: str) -> None:
        before = dict(self.stacks)
        try:
            delete(self, name_or_stack_id)
        except Exception as error:
            for stack in before.values():
                if name_or_stack_id in (stack.name, stack.stack_id):
                    stack.status = "DELETE_FAILED"
                    stack.stack_status_reason = str(error)
                    stack._add_stack_event("DELETE_FAILED", resource_status_reason=str(error))
                    self.stacks[stack.stack_id] = stack

    models.CloudFormationBackend.delete_stack = delete_or_tell
