"""What one listing tells about many objects of a bucket."""

from __future__ import annotations

import os.path
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OBJECTS_PER_PAGE = 100
"""A further page of up to 1,000 keys is asked for only as long as it serves that many objects."""


@dataclass(frozen=True)
class ObjectFact:
    """Size in bytes and time of the last change, seconds since 1970, of an object."""

    size: int
    mtime: float


def list_objects(client: S3Client, bucket: str, keys: Sequence[str]) -> dict[str, ObjectFact]:
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
