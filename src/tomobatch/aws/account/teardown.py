"""Remove all stacks in reverse order, but no data unless told to."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tomobatch.aws.account.changes import POLL_S, Tell, delete_stack
from tomobatch.aws.account.quotas import MakeClient
from tomobatch.aws.account.stacks import STACKS, find_stack
from tomobatch.errors import UserError
from tomobatch.s3.delete import delete_objects

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client

_LIVE = ("SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING")


def teardown(
    cloudformation: "CloudFormationClient",
    s3: "S3Client",
    iam: "IAMClient",
    prefix: str,
    *,
    tell: Tell,
    delete_data: bool = False,
    keep_data: bool = False,
    poll_s: float = POLL_S,
) -> None:
    """Delete every stack, last deployed first.

    Parameters
    ----------
    delete_data
        Delete every object of the bucket too.
    keep_data
        Leave the stack with the bucket as it is, and delete the others.

    Raises
    ------
    UserError
        If the bucket holds objects and neither was asked for, before anything is deleted; or if a
        deletion failed, with its reasons.
    """
    if delete_data and keep_data:
        raise UserError("--delete-data and --keep-data exclude each other.")
    bucket = _find_output(cloudformation, f"{prefix}-storage", "DataBucket")
    if bucket is not None and not (delete_data or keep_data) and _holds_objects(s3, bucket):
        raise UserError(
            f"Bucket {bucket} holds data: --delete-data deletes it for good, --keep-data removes "
            "everything but the bucket and the logs."
        )
    for stack in reversed(STACKS):
        full_name = stack.full_name(prefix)
        if stack.name == "storage" and keep_data:
            tell(f"{full_name}: kept")
            continue
        if stack.name == "storage" and delete_data and bucket is not None:
            tell(f"{full_name}: deleted {_empty_bucket(s3, bucket)} objects of {bucket}")
        if find_stack(cloudformation, full_name) is None:
            tell(f"{full_name}: not there")
            continue
        if stack.name == "iam":
            _detach_users(iam, _find_output(cloudformation, full_name, "UserPolicy"), tell)
        tell(f"{full_name} ({stack.title}): delete")
        delete_stack(cloudformation, full_name, tell, poll_s=poll_s)


def live_jobs(make_client: MakeClient, prefix: str) -> int:
    """Return how many jobs of the queues wait or run; a teardown ends them."""
    cloudformation, batch = make_client("cloudformation"), make_client("batch")
    names = (f"{kind}JobQueue" for kind in ("Cpu", "Gpu"))
    queues = [_find_output(cloudformation, f"{prefix}-batch", name) for name in names]
    return sum(
        len(page["jobSummaryList"])
        for queue in queues
        if queue is not None
        for status in _LIVE
        for page in batch.get_paginator("list_jobs").paginate(jobQueue=queue, jobStatus=status)
    )


def _find_output(cloudformation: "CloudFormationClient", full_name: str, name: str) -> str | None:
    found = find_stack(cloudformation, full_name)
    outputs = [] if found is None else found.get("Outputs", [])
    return next((o["OutputValue"] for o in outputs if o["OutputKey"] == name), None)


def _detach_users(iam: "IAMClient", policy: str | None, tell: Tell) -> None:
    """Take the policy of users from everyone who has it: AWS deletes none that is in use."""
    if policy is None:
        return
    for page in iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=policy):
        for user in page["PolicyUsers"]:
            iam.detach_user_policy(UserName=user["UserName"], PolicyArn=policy)
            tell(f"{policy}: taken from user {user['UserName']}")
        for group in page["PolicyGroups"]:
            iam.detach_group_policy(GroupName=group["GroupName"], PolicyArn=policy)
            tell(f"{policy}: taken from group {group['GroupName']}")
        for role in page["PolicyRoles"]:
            iam.detach_role_policy(RoleName=role["RoleName"], PolicyArn=policy)
            tell(f"{policy}: taken from role {role['RoleName']}")


def _holds_objects(s3: "S3Client", bucket: str) -> bool:
    try:
        return s3.list_objects_v2(Bucket=bucket, MaxKeys=1)["KeyCount"] > 0
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return False
        raise


def _empty_bucket(s3: "S3Client", bucket: str) -> int:
    """Delete all objects, and all their versions where someone has turned versions on."""
    n_deleted = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            delete_objects(
                s3, bucket, [{"Key": o["Key"], "VersionId": o["VersionId"]} for o in found]
            )
            n_deleted += len(found)
    return n_deleted
