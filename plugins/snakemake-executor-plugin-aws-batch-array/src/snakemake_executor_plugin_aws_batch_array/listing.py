"""Answers the S3 storage plugin's questions about fresh outputs from one listing.

For every finished job Snakemake asks the storage plugin whether each output exists, when it was
written and how large it is, later once more as input of the next job: six requests an output. The
outputs of a scatter are neighbours, so that one listing of 1,000 keys knows all of it. What is
not known is asked as before.
"""

from __future__ import annotations

import os.path
import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

MIN_NEIGHBOURS = 8
"""Fewer outputs than this are left to single requests."""

OUTPUTS_PER_PAGE = 100
"""A further page of a listing is asked for only as long as it serves that many outputs."""


@dataclass(frozen=True)
class _Fact:
    """What a listing told about an object, in the words of HeadObject."""

    head: Mapping[str, Any]
    is_folder: bool


class KnownObjects:
    """Facts about objects, and the client that is answered from them.

    Parameters
    ----------
    client
        The storage plugin's client.
    """

    def __init__(self, client: S3Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._facts: dict[tuple[str, str], _Fact] = {}
        # The type stubs do not know that a handler may answer.
        events: Any = client.meta.events
        for operation in ("HeadObject", "ListObjects", "PutObject", "DeleteObject"):
            events.register(f"before-parameter-build.s3.{operation}", _note_parameters)
        events.register("before-call.s3.HeadObject", self._answer_head)
        events.register("before-call.s3.ListObjects", self._answer_listing)
        events.register("before-call.s3.PutObject", self._forget_changed)
        events.register("before-call.s3.DeleteObject", self._forget_changed)

    def learn(self, bucket: str, keys: Sequence[str]) -> None:
        """List the neighbourhood of objects that were just written.

        Parameters
        ----------
        bucket
            Where they are.
        keys
            Keys of outputs that belong together, such as one output of all jobs of a rule.
        """
        if len(keys) < MIN_NEIGHBOURS:
            return
        wanted = set(keys)
        first, last = min(keys), max(keys)
        pages = self._client.get_paginator(
            "list_objects_v2"
        ).paginate(
            Bucket=bucket,
            Prefix=os.path.commonprefix([first, last]),  # noqa: RUF071 - keys have no components
            StartAfter=first[:-1],
            PaginationConfig={"MaxItems": 1000 * (1 + len(keys) // OUTPUTS_PER_PAGE)},
        )
        for page in pages:
            found = {item["Key"]: item for item in page.get("Contents", [])}
            names = sorted(found)
            for key in wanted.intersection(found):
                below = bisect_left(names, f"{key}/")
                if below == len(names) and page["IsTruncated"]:
                    # What lies below this key would be on the next page.
                    continue
                is_folder = below < len(names) and names[below].startswith(f"{key}/")
                with self._lock:
                    self._facts[bucket, key] = _Fact(_head(found[key]), is_folder)
            if names and names[-1] > last:
                return

    def forget(self, objects: Iterable[tuple[str, str]]) -> None:
        """Forget objects, given as bucket and key, that are about to change."""
        with self._lock:
            for name in objects:
                self._facts.pop(name, None)

    def _answer_head(self, context: dict[str, Any], **_: object) -> _Answer | None:
        fact = self._facts.get(context["listing_name"])
        return None if fact is None else _answer(fact.head)

    def _answer_listing(self, context: dict[str, Any], **_: object) -> _Answer | None:
        # The storage plugin lists `key/` to see whether `key` is a folder.
        bucket, prefix = context["listing_name"]
        fact = self._facts.get((bucket, prefix.removesuffix("/"))) if prefix[-1:] == "/" else None
        return None if fact is None or fact.is_folder else _answer({"IsTruncated": False})

    def _forget_changed(self, context: dict[str, Any], **_: object) -> None:
        self.forget([context["listing_name"]])


_Answer = tuple[SimpleNamespace, dict[str, Any]]
"""What botocore takes for a reply: the HTTP response and the parsed content."""


def _answer(content: Mapping[str, Any]) -> _Answer:
    reply = {**content, "ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}
    return SimpleNamespace(status_code=200, headers={}), reply


def _head(item: ObjectTypeDef) -> dict[str, Any]:
    """Return what HeadObject would say of a listed object."""
    return {
        "ContentLength": item["Size"],
        "LastModified": item["LastModified"],
        "ETag": item["ETag"],
    }


def _note_parameters(params: Mapping[str, str], context: dict[str, Any], **_: object) -> None:
    """Keep bucket and key of a call for the handlers that come after serialisation."""
    context["listing_name"] = (params["Bucket"], params.get("Key", params.get("Prefix", "")))
