"""Whole files to S3 and back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore

from tomobatch.remote import open_store

_AT_ONCE = 8


def upload_file(path: Path, url: str) -> bool:
    """Put a file at an s3:// address, in parts; return False if it is there already.

    An object counts as the same file when it is as long and not older.
    """
    folder, _, name = url.rpartition("/")
    store = open_store(folder)
    stat = path.stat()
    try:
        there = obstore.head(store, name)
        if there["size"] == stat.st_size and there["last_modified"].timestamp() >= stat.st_mtime:
            return False
    except FileNotFoundError:
        pass
    obstore.put(store, name, path)
    return True


def list_files(url: str) -> Iterator[str]:
    """Walk the names of all objects below an s3:// address."""
    for page in obstore.list(open_store(url)):
        for entry in page:
            yield entry["path"]


def fetch_files(url: str, folder: Path, names: Iterator[str] | list[str]) -> int:
    """Bring objects below an s3:// address into a folder; each appears once it is complete.

    Returns
    -------
    int
        How many files came.
    """
    store = open_store(url)

    def fetch(name: str) -> None:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with partial.open("wb") as file:
                for part in obstore.get(store, name):
                    file.write(part)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return len(list(pool.map(fetch, names)))
