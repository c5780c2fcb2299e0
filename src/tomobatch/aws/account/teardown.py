"""Remove all stacks in reverse order, but no data unless told to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tomobatch.aws.account.changes import POLL_S, Tell, delete_stack
from tomobatch.aws.account.stacks import STACKS, find_stack
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client


def teardown(
    cloudformation: CloudFormationClient,
    s3: S3Client,
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
    bucket = _find_bucket(cloudformation, prefix)
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
        tell(f"{full_name} ({stack.title}): delete")
        delete_stack(cloudformation, full_name, tell, poll_s=poll_s)


def _find_bucket(cloudformation: CloudFormationClient, prefix: str) -> str | None:
    found = find_stack(cloudformation, f"{prefix}-storage")
    outputs = [] if found is None else found.get("Outputs", [])
    return next((o["OutputValue"] for o in outputs if o["OutputKey"] == "DataBucket"), None)


def _holds_objects(s3: S3Client, bucket: str) -> bool:
    try:
        return s3.list_objects_v2(Bucket=bucket, MaxKeys=1)["KeyCount"] > 0
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchBucket":
            return False
        raise


def _empty_bucket(s3: S3Client, bucket: str) -> int:
    """Delete all objects, and all their versions where someone has turned versions on."""
    n_deleted = 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            answer = s3.delete_objects(
                Bucket=bucket,
                Delete={
                    "Objects": [{"Key": o["Key"], "VersionId": o["VersionId"]} for o in found],
                    "Quiet": True,
                },
            )
            if errors := answer.get("Errors", []):
                raise UserError(
                    f"Object {errors[0]['Key']} of {bucket} was not deleted: {errors[0]['Message']}"
                )
            n_deleted += len(found)
    return n_deleted
