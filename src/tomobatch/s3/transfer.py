"""Whole files to S3: in parts, several at once, and on from where it broke off.

Decision 97.
"""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomobatch.errors import UserError
from tomobatch.s3.address import parse_address

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from snakemake_executor_plugin_aws_batch_array.store import S3Path

_AT_ONCE = 8
_MTIME = "mtime-ns"
_MOST_PARTS = 10_000
PART_BYTES = 16 * 2**20

Progress = Callable[[int], object]
"""Told how many more bytes have arrived."""


def ignore(_count: int) -> None:
    """Tell nobody."""


def upload_file(
    path: Path,
    url: str,
    *,
    replace: bool = True,
    progress: Progress = ignore,
    part_bytes: int = PART_BYTES,
) -> bool:
    """Put a file at an s3:// address, in parts; return False if it is there already.

    What an earlier call that broke off had sent is kept by S3, compared by checksum, and not sent
    again. The object appears when it is complete.

    Parameters
    ----------
    path
        The file.
    url
        Where it goes.
    replace
        Whether another file may be there, and is replaced.
    progress
        Told of bytes that are on S3, those of earlier calls included.
    part_bytes
        Size of a part, at least 5 MiB; larger where a file would have more than 10,000.

    Raises
    ------
    UserError
        If another file is there and may not be replaced, or the network fails.
    """
    from botocore.exceptions import ConnectionError as NoConnectionError
    from botocore.exceptions import HTTPClientError

    from snakemake_executor_plugin_aws_batch_array.aws import make_client

    # A few tries and then a word to the user, who can go on from there: not minutes of silence.
    client = make_client("s3", max_attempts=3)
    place = parse_address(url)
    stat = path.stat()
    found = _head(client, place)
    if found is not None and _is_same(found, stat):
        progress(stat.st_size)
        return False
    if found is not None and not replace:
        raise UserError(
            f"{url} holds another file ({found['ContentLength']} bytes of "
            f"{found['LastModified']:%Y-%m-%d %H:%M}) than {path} ({stat.st_size} bytes): "
            "rename yours, or add --replace to upload it anew"
        )
    sent = 0

    def count(more: int) -> None:
        nonlocal sent
        sent += more
        progress(more)

    try:
        if stat.st_size <= part_bytes:
            body, metadata = path.read_bytes(), _metadata(stat)
            client.put_object(Bucket=place.bucket, Key=place.key, Body=body, Metadata=metadata)
            count(len(body))
        else:
            _upload_parts(client, place, path, part_bytes, count)
    except (HTTPClientError, NoConnectionError) as error:
        share = 100 * sent // max(1, stat.st_size)
        raise UserError(
            f"the upload of {path} broke off at {share} % ({_reason(error)}): check the network "
            "and run the same command again, it goes on from there"
        ) from error
    return True


def upload_folder(
    folder: Path, url: str, *, replace: bool = True, progress: Progress = ignore
) -> bool:
    """Put every file of a folder below an s3:// address; return False if all are there already."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]

    def upload(path: Path) -> bool:
        name = path.relative_to(folder).as_posix()
        return upload_file(path, f"{url}/{name}", replace=replace, progress=progress)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return any(list(pool.map(upload, files)))


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size


def _upload_parts(
    client: "S3Client", place: "S3Path", path: Path, part_bytes: int, progress: Progress
) -> None:
    """Send the parts that S3 does not have yet, and join all of them."""
    stat = path.stat()
    part_bytes = max(part_bytes, -(-stat.st_size // _MOST_PARTS))
    upload_id, there = _earlier_upload(client, place, stat.st_mtime)
    if upload_id is None:
        upload_id = client.create_multipart_upload(
            Bucket=place.bucket, Key=place.key, Metadata=_metadata(stat)
        )["UploadId"]

    def send(number: int) -> Any:  # noqa: ANN401 - one element of boto3's list of parts
        with path.open("rb") as file:
            file.seek((number - 1) * part_bytes)
            body = file.read(part_bytes)
        tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        if there.get(number) != tag:
            reply = client.upload_part(
                Bucket=place.bucket, Key=place.key, UploadId=upload_id, PartNumber=number, Body=body
            )
            tag = reply["ETag"].strip('"')
        progress(len(body))
        return {"PartNumber": number, "ETag": f'"{tag}"'}

    n_parts = -(-stat.st_size // part_bytes)
    pool = ThreadPoolExecutor(_AT_ONCE)
    try:
        parts = list(pool.map(send, range(1, n_parts + 1)))
    finally:
        # After a failure, what waits would fail as well.
        pool.shutdown(cancel_futures=True)
    client.complete_multipart_upload(
        Bucket=place.bucket, Key=place.key, UploadId=upload_id, MultipartUpload={"Parts": parts}
    )
    if path.stat().st_mtime_ns != stat.st_mtime_ns:
        client.delete_object(Bucket=place.bucket, Key=place.key)
        raise UserError(f"{path} has changed while it was uploaded: upload it when it is complete")


def _earlier_upload(
    client: "S3Client", place: "S3Path", since_s: float
) -> tuple[str | None, dict[int, str]]:
    """Return an upload that broke off after a moment, and the MD5 of each part it has."""
    answer = client.list_multipart_uploads(Bucket=place.bucket, Prefix=place.key)
    uploads = [each for each in answer.get("Uploads", []) if each["Key"] == place.key]
    for upload_id in (each["UploadId"] for each in uploads):
        pages = client.get_paginator("list_parts").paginate(
            Bucket=place.bucket, Key=place.key, UploadId=upload_id
        )
        parts = [part for page in pages for part in page.get("Parts", [])]
        # S3 tells whole seconds.
        if parts and all(part["LastModified"].timestamp() + 1 > since_s for part in parts):
            return upload_id, {part["PartNumber"]: part["ETag"].strip('"') for part in parts}
    return None, {}


def _head(client: "S3Client", place: "S3Path") -> Any | None:  # noqa: ANN401
    from botocore.exceptions import ClientError

    try:
        return client.head_object(Bucket=place.bucket, Key=place.key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            return None
        raise


def _is_same(found: Any, stat: os.stat_result) -> bool:  # noqa: ANN401 - boto3's reply
    """Tell whether an object is this file: as long, and of the same moment or not older."""
    if found["ContentLength"] != stat.st_size:
        return False
    noted = found.get("Metadata", {}).get(_MTIME)
    if noted is not None:
        return bool(noted == str(stat.st_mtime_ns))
    return bool(found["LastModified"].timestamp() >= stat.st_mtime)


def _metadata(stat: os.stat_result) -> dict[str, str]:
    return {_MTIME: str(stat.st_mtime_ns)}


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0][:120]
