"""Objects deleted, and what S3 refuses to delete said."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tomobatch.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

MOST_AT_ONCE = 1000
"""Objects in one DeleteObjects call."""


def delete_objects(
    s3: "S3Client", bucket: str, objects: Sequence["ObjectIdentifierTypeDef"]
) -> None:
    """Delete objects, or versions of them, of a bucket, in their order.

    Raises
    ------
    UserError
        If one stays; those after it may too.
    """
    for start in range(0, len(objects), MOST_AT_ONCE):
        answer = s3.delete_objects(
            Bucket=bucket,
            Delete={"Objects": list(objects[start : start + MOST_AT_ONCE]), "Quiet": True},
        )
        if errors := answer.get("Errors", []):
            raise UserError(
                f"Object {errors[0]['Key']} of {bucket} was not deleted: {errors[0]['Message']}"
            )
