"""What one listing tells about many objects of a bucket."""

import os.path
from bisect import bisect_left
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OBJECTS_PER_PAGE = 100
"""A further page of up to 1,000 keys is asked for only as long as it serves that many objects."""


MIN_NEIGHBOURS = 8
"""Fewer objects than this are asked for singly."""

_AT_ONCE = 32


@dataclass(frozen=True)
class ObjectFact:
    """Size in bytes and time of the last change, seconds since 1970, of an object.

    Of a folder: of all that is known to lie below it.
    """

    size: int
    mtime: float
    is_folder: bool = False


def find_objects(
    client: "S3Client", bucket: str, keys: Collection[str], *, whole_folders: bool = False
) -> dict[str, ObjectFact]:
    """Look objects and folders up: neighbours by listings, others singly.

    Parameters
    ----------
    keys
        Any number; best of objects that belong together.
    whole_folders
        Whether the facts of a folder count all that lies below it, rather than a page of it.

    Returns
    -------
    dict
        Key to fact. A key that is missing does not exist.
    """
    facts: dict[str, ObjectFact] = {}
    if len(keys) >= MIN_NEIGHBOURS:
        facts = list_objects(client, bucket, list(keys))
    rest = [key for key in keys if key not in facts]

    def find(key: str) -> ObjectFact | None:
        return _find_object(client, bucket, key, whole_folders=whole_folders)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = dict(zip(rest, pool.map(find, rest), strict=True))
    return facts | {key: fact for key, fact in found.items() if fact is not None}


def _find_object(
    client: "S3Client", bucket: str, key: str, *, whole_folders: bool
) -> ObjectFact | None:
    try:
        head = client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchKey", "NotFound"):
            raise
    else:
        return ObjectFact(head["ContentLength"], head["LastModified"].timestamp())
    pages = client.get_paginator("list_objects_v2").paginate(
        Bucket=bucket,
        Prefix=f"{key}/",
        PaginationConfig={} if whole_folders else {"MaxItems": 1000},
    )
    below = [item for page in pages for item in page.get("Contents", [])]
    if not below:
        return None
    newest_s = max(item["LastModified"].timestamp() for item in below)
    return ObjectFact(sum(item["Size"] for item in below), newest_s, is_folder=True)


def list_objects(client: "S3Client", bucket: str, keys: Sequence[str]) -> dict[str, ObjectFact]:
    """Look objects up that lie near each other, by listing what is between first and last.

    Parameters
    ----------
    client
        S3.
    bucket
        Where the objects are.
    keys
        One key or more, best of objects that belong together.

    Returns
    -------
    dict
        Key to fact, for plain objects that were found at this price. A key that is missing may
        exist nevertheless; one that is a folder too, with keys below it, is always missing.
    """
    wanted, first, last = set(keys), min(keys), max(keys)
    pages = client.get_paginator(
        "list_objects_v2"
    ).paginate(
        Bucket=bucket,
        Prefix=os.path.commonprefix([first, last]),  # noqa: RUF071 - keys have no components
        StartAfter=first[:-1],
        PaginationConfig={"MaxItems": 1000 * (1 + len(wanted) // OBJECTS_PER_PAGE)},
    )
    facts = {}
    for page in pages:
        found = {item["Key"]: item for item in page.get("Contents", [])}
        names = sorted(found)
        for key in wanted.intersection(found):
            below = bisect_left(names, f"{key}/")
            if below < len(names):
                is_plain = not names[below].startswith(f"{key}/")
            else:
                # What lies below this key would be on the next page.
                is_plain = not page["IsTruncated"]
            if is_plain:
                item = found[key]
                facts[key] = ObjectFact(item["Size"], item["LastModified"].timestamp())
        if names and names[-1] > last:
            break
    return facts
