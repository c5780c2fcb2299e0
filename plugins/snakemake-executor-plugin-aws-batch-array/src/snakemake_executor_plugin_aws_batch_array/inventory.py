"""What lies on S3, learnt from one listing a folder while Snakemake builds its graph of jobs.

Of a missing output the S3 storage plugin asks three times (the object, its bucket, what lies below
it), since it lists the folder of the first file alone, and never tells Snakemake that a listing was
whole. Called at the top of a Snakefile, this answers for all that lies below some folders, objects
and folders alike; what lies elsewhere is asked for as ever. Snakemake forgets all of it when its
graph stands, so that nothing which changes during the run is answered from memory.

Decision 67.
"""

from collections.abc import Sequence
from posixpath import dirname
from typing import TYPE_CHECKING

from snakemake_interface_storage_plugins.io import IOCacheStorageInterface, Mtime
from snakemake_storage_plugin_s3 import StorageObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def list_ahead(folders: Sequence[str]) -> None:
    """Answer for objects below folders by one listing each, in this process.

    Parameters
    ----------
    folders
        As ``s3://bucket/folder``; one below another may be among them. Best small ones, as a
        folder a sample: a listing brings every object, 1,000 a request.
    """
    roots = sorted({f"{folder.removeprefix('s3://').rstrip('/')}/" for folder in folders}, key=len)
    if roots:
        _ListedObject.roots = tuple(reversed(roots))
        for name in ("inventory", "get_inventory_parent"):
            setattr(StorageObject, name, getattr(_ListedObject, name))


class _ListedObject(StorageObject):
    """The two methods of a storage object that learn and tell what was listed."""

    roots: tuple[str, ...] = ()
    _list_as_ever = StorageObject.inventory
    _parent_as_ever = StorageObject.get_inventory_parent

    def get_inventory_parent(self) -> str | None:
        """Return the key of the listing that tells of this object."""
        root = _root_of(self.local_suffix())
        if root is None:
            as_ever: str | None = _ListedObject._parent_as_ever(self)
            return as_ever
        return str(self.cache_key(root))

    async def inventory(self, cache: IOCacheStorageInterface) -> None:
        """List the folder of this object, once, into Snakemake's cache."""
        root = _root_of(self.local_suffix())
        if root is None:
            await _ListedObject._list_as_ever(self, cache)
        elif self.get_inventory_parent() not in cache.exists_in_storage.has_inventory:
            _list_into(cache, self, root)
            cache.exists_in_storage.has_inventory.add(self.get_inventory_parent())


def _root_of(place: str) -> str | None:
    """Return the innermost of the listed folders that holds ``bucket/key``, if one does."""
    return next((root for root in _ListedObject.roots if place.startswith(root)), None)


def _list_into(cache: IOCacheStorageInterface, asked: StorageObject, root: str) -> None:
    bucket, _, prefix = root.partition("/")
    client: S3Client = asked.provider.s3c.meta.client
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for item in (item for page in pages for item in page.get("Contents", [])):
        place, changed_s = f"{bucket}/{item['Key']}", item["LastModified"].timestamp()
        _learn(cache, asked.cache_key(place), item["Size"], changed_s)
        folder = dirname(place)
        while folder.startswith(root):
            _add_to_folder(cache, asked.cache_key(folder), item["Size"], changed_s)
            folder = dirname(folder)


def _learn(cache: IOCacheStorageInterface, key: str, size: int, changed_s: float) -> None:
    cache.exists_in_storage[key] = True
    cache.size[key] = size
    cache.mtime[key] = Mtime(storage=changed_s)


def _add_to_folder(cache: IOCacheStorageInterface, key: str, size: int, changed_s: float) -> None:
    """Let a folder be as large as all that it holds, and as new as the newest of it."""
    if key in cache.size:
        size += cache.size[key]
        changed_s = max(changed_s, cache.mtime[key].storage())
    _learn(cache, key, size, changed_s)
