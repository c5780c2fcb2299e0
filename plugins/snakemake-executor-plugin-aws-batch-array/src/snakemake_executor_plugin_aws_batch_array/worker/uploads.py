"""Outputs go to S3 in large parts: each part is a request, and is billed like a small object."""

from contextlib import suppress
from functools import partial
from typing import Any

PART_BYTES = 64 * 2**20
"""Ten of them are under way at once, so that the connections of a job are busy as before."""


def upload_in_large_parts() -> None:
    """Let the S3 storage plugin write in parts of ``PART_BYTES``.

    It has no setting for it, and boto3's own parts of 8 MiB are eight times as many requests: $0.06
    for 100 GB.
    """
    from boto3.s3.transfer import TransferConfig

    with suppress(ModuleNotFoundError):
        from snakemake_storage_plugin_s3 import StorageObject

        find = StorageObject.s3obj
        config = TransferConfig(multipart_threshold=PART_BYTES, multipart_chunksize=PART_BYTES)

        def s3obj(self: Any, subkey: str | None = "") -> Any:  # noqa: ANN401 - boto3's and the plugin's
            found = find(self, subkey)
            found.upload_file = partial(found.upload_file, Config=config)
            return found

        StorageObject.s3obj = s3obj
