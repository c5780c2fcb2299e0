"""Addresses on S3, ``s3://bucket/key``, told from paths and taken apart."""

from typing import TYPE_CHECKING

from tomobatch.errors import UserError

if TYPE_CHECKING:
    from snakemake_executor_plugin_aws_batch_array.store import S3Path

_SCHEME = "s3:/"
"""What is left of ``s3://`` in an address that went through ``Path``."""


def is_remote(path: object) -> bool:
    """Tell whether a path is an ``s3://`` address; one that went through ``Path`` lost a slash."""
    return str(path).startswith(_SCHEME)


def parse_address(address: object) -> "S3Path":
    """Return the bucket and the key of an ``s3://bucket/key`` address; the key may be empty.

    Raises
    ------
    UserError
        If it names no bucket.
    """
    # The executor brings Snakemake with it, which paths on this machine need not wait for.
    from snakemake_executor_plugin_aws_batch_array.errors import UserError as PluginUserError
    from snakemake_executor_plugin_aws_batch_array.store import S3Path

    try:
        return S3Path.parse("s3://" + str(address).removeprefix(_SCHEME).lstrip("/"))
    except PluginUserError:
        raise UserError(f"{address}: names no bucket; an object is s3://bucket/key") from None
