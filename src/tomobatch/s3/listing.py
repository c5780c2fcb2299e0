"""What lies below an address on S3."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import obstore

from tomobatch.s3.read import open_store

if TYPE_CHECKING:
    from obstore import ObjectMeta


@dataclass(frozen=True)
class RemoteFile:
    """An object below some address; its tag changes with its content."""

    name: str
    size: int
    modified_s: float
    tag: str

    @classmethod
    def of(cls, entry: "ObjectMeta") -> "RemoteFile":
        """Read what obstore tells of an object."""
        modified_s = entry["last_modified"].timestamp()
        return cls(entry["path"], entry["size"], modified_s, entry["e_tag"] or "")


def list_files(url: str) -> Iterator[str]:
    """Walk the names of all objects below an s3:// address."""
    return (file.name for file in list_sizes(url))


def list_sizes(url: str) -> Iterator[RemoteFile]:
    """Walk all objects below an s3:// address."""
    for page in obstore.list(open_store(url)):
        for entry in page:
            yield RemoteFile.of(entry)


def size_of(url: str) -> int:
    """Return the bytes of an object, or of all objects below a folder."""
    folder, _, name = url.rstrip("/").rpartition("/")
    try:
        return int(obstore.head(open_store(folder), name)["size"])
    except FileNotFoundError:
        return sum(file.size for file in list_sizes(url))
