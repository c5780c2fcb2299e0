"""Small files and whole folders, alike on this machine and on S3."""

import shutil
from pathlib import Path

from tomobatch.s3.address import is_remote
from tomobatch.stores.files import write_bytes


def read_file(address: str) -> bytes:
    """Read a small file at a path or s3:// address.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if not is_remote(address):
        return Path(address).read_bytes()
    # The client of S3 is not needed for what lies on this machine.
    import obstore

    from tomobatch.s3.read import open_store

    folder, _, name = address.rpartition("/")
    return bytes(obstore.get(open_store(folder), name).bytes())


def write_file(address: str, content: bytes) -> None:
    """Write a small file to a path or s3:// address."""
    if not is_remote(address):
        write_bytes(Path(address), content)
        return
    import obstore

    from tomobatch.s3.read import open_store

    folder, _, name = address.rpartition("/")
    obstore.put(open_store(folder), name, content)


def file_exists(address: str) -> bool:
    """Tell whether there is a file at a path or s3:// address."""
    if not is_remote(address):
        return Path(address).is_file()
    from tomobatch.s3.read import object_exists

    return object_exists(address)


def remove_folder(address: str) -> int:
    """Remove a folder and all below it; nothing where there is none.

    Returns
    -------
    The bytes that its files had.
    """
    if not is_remote(address):
        sizes = [file.stat().st_size for file in Path(address).rglob("*") if file.is_file()]
        if Path(address).is_dir():
            shutil.rmtree(address)
        return sum(sizes)
    import obstore

    from tomobatch.s3.listing import list_sizes
    from tomobatch.s3.read import open_store

    files = list(list_sizes(address))
    if files:
        obstore.delete(open_store(address), [file.name for file in files])
    return sum(file.size for file in files)
