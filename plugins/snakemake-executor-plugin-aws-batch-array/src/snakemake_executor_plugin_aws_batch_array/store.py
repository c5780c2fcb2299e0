"""Where lists and outcomes lie on S3.

::

    <prefix>/<run>/lists/<name>.json             the list of commands, written before SubmitJob
    <prefix>/<run>/sources/<SHA-256>.tar.xz      the workflow's sources, kept as long as the lists
    <prefix>/<run>/outcomes/<name>/<child>.json  what the child's commands came to
    <prefix>/<run>/attempts/<name>/<child>_...   empty; its name says when and where an attempt
                                                 started, and that of a second one how it ended
    <prefix>/<run>/closed/<name>                 every outcome of the list has reached Snakemake

What pilots need besides is in ``pilots.channel``.

A list without its ``closed`` marker may still be running: that is the whole registry by which a
controller finds what an earlier one left behind.

Decision 62.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array.command_list import (
    Attempt,
    ChildOutcomes,
    CommandList,
    checksum,
)
from snakemake_executor_plugin_aws_batch_array.errors import UserError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


_SCHEME = "s3://"


@dataclass(frozen=True)
class S3Path:
    """A bucket and a key."""

    bucket: str
    key: str

    @classmethod
    def parse(cls, url: str) -> "S3Path":
        """Read ``s3://bucket/key``.

        Raises
        ------
        UserError
            If it is not such a URL.
        """
        bucket, _, key = url.removeprefix(_SCHEME).partition("/")
        if not url.startswith(_SCHEME) or not bucket:
            raise UserError(f"{url!r} is not an S3 address: expected s3://bucket/prefix.")
        return cls(bucket, key.strip("/"))

    def __truediv__(self, name: str) -> "S3Path":
        return S3Path(self.bucket, f"{self.key}/{name}" if self.key else name)

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.key}"


class ChangedListError(Exception):
    """A list or an archive on S3 is not the one that was submitted."""


@dataclass(frozen=True)
class RunStore:
    """Lists and outcomes of one run."""

    s3: "S3Client"
    root: S3Path

    def list_path(self, name: str) -> S3Path:
        """Return where the list of one submission lies."""
        return self.root / "lists" / f"{name}.json"

    def put_list(self, command_list: CommandList) -> str:
        """Write a list and return its checksum."""
        body = command_list.to_bytes()
        self._put(self.list_path(command_list.name), body, "application/json")
        return checksum(body)

    def get_list(self, name: str, expected_checksum: str | None = None) -> CommandList:
        """Read a list.

        Raises
        ------
        ChangedListError
            If its checksum is not the expected one.
        """
        path = self.list_path(name)
        body = self.s3.get_object(Bucket=path.bucket, Key=path.key)["Body"].read()
        if expected_checksum is not None and checksum(body) != expected_checksum:
            raise ChangedListError(
                f"{path} has changed since it was submitted: expected SHA-256 "
                f"{expected_checksum}, found {checksum(body)}"
            )
        return CommandList.from_bytes(body)

    def look_at_list(self, name: str) -> CommandList:
        """Read a list that is neither run nor taken up, of an earlier version too."""
        path = self.list_path(name)
        body = self.s3.get_object(Bucket=path.bucket, Key=path.key)["Body"].read()
        return CommandList.from_bytes(body, to_look=True)

    def put_sources(self, archive: bytes) -> str:
        """Write the archive of the workflow's sources and return its checksum."""
        archive_checksum = checksum(archive)
        self._put(self._sources_path(archive_checksum), archive, "application/x-xz")
        return archive_checksum

    def get_sources(self, archive_checksum: str) -> bytes:
        """Read an archive of sources.

        Raises
        ------
        ChangedListError
            If its checksum is another one.
        """
        path = self._sources_path(archive_checksum)
        body = self.s3.get_object(Bucket=path.bucket, Key=path.key)["Body"].read()
        if checksum(body) != archive_checksum:
            raise ChangedListError(f"{path} has changed since it was written")
        return body

    def _sources_path(self, archive_checksum: str) -> S3Path:
        return self.root / "sources" / f"{archive_checksum}.tar.xz"

    def list_names(self) -> list[str]:
        """Return the names of all lists, done with or not."""
        return self._names("lists")

    def open_names(self) -> list[str]:
        """Return the names of the lists whose outcomes have not all reached Snakemake."""
        closed = self.closed_names()
        return [name for name in self.list_names() if name not in closed]

    def closed_names(self) -> set[str]:
        """Return the names of the lists whose outcomes have all reached Snakemake."""
        return set(self._names("closed"))

    def close(self, name: str) -> None:
        """Record that every outcome of a list has reached Snakemake."""
        self._put(self.root / "closed" / name, b"", "text/plain")

    def put_attempt(self, name: str, child: int, attempt: Attempt) -> None:
        """Record that an attempt has started, whatever becomes of it, or that it ends."""
        key = self.root / "attempts" / name / f"{child}_{attempt.to_key()}"
        self._put(key, b"", "text/plain")

    def attempts(self) -> dict[str, dict[int, list[Attempt]]]:
        """Return the attempts of each list's children, in order, at a call for a thousand names."""
        found: dict[str, dict[int, dict[int, Attempt]]] = {}
        for name in self._names("attempts"):
            list_name, _, entry = name.partition("/")
            child, _, key = entry.partition("_")
            attempt = Attempt.from_key(key)
            by_number = found.setdefault(list_name, {}).setdefault(int(child), {})
            if attempt.number not in by_number or attempt.stopped_ms is not None:
                by_number[attempt.number] = attempt
        return {
            list_name: {
                child: [by_number[number] for number in sorted(by_number)]
                for child, by_number in children.items()
            }
            for list_name, children in found.items()
        }

    def put_outcomes(self, name: str, outcomes: ChildOutcomes) -> None:
        """Write the outcomes of one child."""
        self._put(
            self._outcomes_path(name, outcomes.child), outcomes.to_bytes(), "application/json"
        )

    def get_outcomes(self, name: str, child: int) -> ChildOutcomes:
        """Read the outcomes of one child; empty if it has reported none."""
        path = self._outcomes_path(name, child)
        try:
            body = self.s3.get_object(Bucket=path.bucket, Key=path.key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return ChildOutcomes(child)
            raise
        return ChildOutcomes.from_bytes(body)

    def outcome_tags(self, name: str) -> dict[int, str]:
        """Return the entity tag of each child's outcomes, to read only those that changed."""
        tags = self.tags(f"outcomes/{name}")
        return {int(key.removesuffix(".json")): tag for key, tag in tags.items()}

    def tags(self, folder: str) -> dict[str, str]:
        """List a folder of the run: the entity tag of each object, by its name below it."""
        prefix = (self.root / folder).key + "/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.root.bucket, Prefix=prefix
        )
        return {
            item["Key"].removeprefix(prefix): item["ETag"]
            for page in pages
            for item in page.get("Contents", [])
        }

    def _outcomes_path(self, name: str, child: int) -> S3Path:
        return self.root / "outcomes" / name / f"{child}.json"

    def _names(self, folder: str) -> list[str]:
        prefix = (self.root / folder).key + "/"
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.root.bucket, Prefix=prefix
        )
        return [
            item["Key"].removeprefix(prefix).removesuffix(".json")
            for page in pages
            for item in page.get("Contents", [])
        ]

    def _put(self, path: S3Path, body: bytes, content_type: str) -> None:
        self.s3.put_object(Bucket=path.bucket, Key=path.key, Body=body, ContentType=content_type)
