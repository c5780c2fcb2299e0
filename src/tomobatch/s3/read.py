"""Objects on S3, read by byte range through obstore (decision 42)."""

import functools
import io
import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tomobatch.errors import UserError
from tomobatch.s3.address import parse_address

_BLOCK_BYTES = 2**18
_BLOCKS_KEPT = 32
# Between pieces: fewer are read along, which takes less time than another request.
_COALESCED_BYTES = 2**12
_RETRIES = 10
_CONNECT = timedelta(seconds=15)
_SILENCE = timedelta(seconds=60)
_EVER = timedelta(days=30)
"""Of a request as a whole: a large object over a slow line takes hours, and is no fault."""


def open_store(url: object, *, max_retries: int = _RETRIES) -> S3Store:
    """Make a store whose root is an ``s3://bucket/prefix`` URL; nothing is asked of the server yet.

    The Region is that of all AWS clients, the end point AWS's own unless ``AWS_ENDPOINT_URL`` names
    another, which may be http. Credentials come from the environment, else from wherever boto3
    finds them: profile, single sign-on, container or instance role.

    Parameters
    ----------
    max_retries
        Of a request that S3 was too busy for, or whose line went dead, with growing pauses.

    Raises
    ------
    UserError
        If the URL names no bucket, or if no Region or no credentials are known.
    """
    place = parse_address(url)
    options: dict[str, Any] = {}
    if endpoint := os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL"):
        options["endpoint"] = endpoint
    allow_http = (endpoint or "").startswith("http://")
    provider = None
    if not {"AWS_ACCESS_KEY_ID", "AWS_SKIP_SIGNATURE"} & os.environ.keys():
        # boto3 takes a third of a second to import.
        from obstore.auth.boto3 import Boto3CredentialProvider

        try:
            provider = Boto3CredentialProvider()
        except ValueError as error:
            raise UserError(
                f"{url}: no AWS credentials found; set AWS_PROFILE or AWS_ACCESS_KEY_ID"
            ) from error
    return S3Store(
        place.bucket,
        prefix=place.key or None,
        region=_region(url),
        client_options={
            "allow_http": allow_http,
            "connect_timeout": _CONNECT,
            "read_timeout": _SILENCE,
            "timeout": _EVER,
        },
        retry_config={"max_retries": max_retries},
        credential_provider=provider,
        **options,
    )


def open_object(url: object) -> io.RawIOBase:
    """Open one object for reading.

    Raises
    ------
    UserError
        If there is no such object, or the server refuses.
    """
    return _ObjectFile(str(url))


def read_ranges(url: str, starts: Sequence[int], length: int) -> list[memoryview]:
    """Read pieces of one length of one object, several requests at a time.

    Raises
    ------
    OSError
        If the object ends before, or the server refuses.
    """
    folder, _, name = url.rpartition("/")
    lengths = [length] * len(starts)
    try:
        pieces = obstore.get_ranges(
            open_store(folder), name, starts=starts, lengths=lengths, coalesce=_COALESCED_BYTES
        )
    except (BaseError, FileNotFoundError) as error:
        raise OSError(f"{url}: {_first_line(error)}") from error
    return [memoryview(piece) for piece in pieces]


def object_exists(url: str) -> bool:
    """Tell whether an object of exactly this name exists.

    Raises
    ------
    UserError
        If the server cannot be asked.
    """
    folder, _, name = url.rpartition("/")
    try:
        obstore.head(open_store(folder), name)
    except FileNotFoundError:
        return False
    except BaseError as error:
        raise UserError(f"{url}: {_first_line(error)}") from error
    return True


class _ObjectFile(io.RawIOBase):
    """One object as a file that can be searched; libraries that show it show its URL.

    Small reads, as of a file's scattered headers, come from blocks that are kept; a read of a block
    or more is one request.
    """

    def __init__(self, url: str) -> None:
        folder, _, self._name = url.rpartition("/")
        self._url = url
        self._store = open_store(folder)
        self._position = 0
        self._block = functools.lru_cache(_BLOCKS_KEPT)(self._fetch_block)
        try:
            self._size = obstore.head(self._store, self._name)["size"]
        except FileNotFoundError as error:
            raise UserError(f"{url}: no such object") from error
        except BaseError as error:
            raise UserError(f"{url}: {_first_line(error)}") from error

    def __repr__(self) -> str:
        return self._url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = origin + offset
        return self._position

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401  collections.abc.Buffer is newer
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size - self._position))
        done = 0
        while done < count:
            piece = self._read_piece(self._position, count - done)
            view[done : done + len(piece)] = piece
            done += len(piece)
            self._position += len(piece)
        return count

    def _read_piece(self, start: int, count: int) -> memoryview:
        """Read all that is asked for if it is much, or what one block has of it."""
        if count >= _BLOCK_BYTES:
            return self._fetch(start, count)
        number, offset = divmod(start, _BLOCK_BYTES)
        return self._block(number)[offset : offset + count]

    def _fetch_block(self, number: int) -> memoryview:
        start = number * _BLOCK_BYTES
        return self._fetch(start, min(_BLOCK_BYTES, self._size - start))

    def _fetch(self, start: int, count: int) -> memoryview:
        try:
            return memoryview(obstore.get_range(self._store, self._name, start=start, length=count))
        except (BaseError, FileNotFoundError) as error:
            raise OSError(f"{self._url}: {_first_line(error)}") from error


def _region(url: object) -> str:
    # The executor brings Snakemake with it, which paths on this machine need not wait for.
    from snakemake_executor_plugin_aws_batch_array.errors import UserError as PluginUserError
    from snakemake_executor_plugin_aws_batch_array.region import find_region

    try:
        return find_region()
    except PluginUserError as error:
        raise UserError(f"{url}: {error}") from None


def _first_line(error: Exception) -> str:
    """Take what went wrong, without the debug output that obstore adds below it."""
    return str(error).partition("\n")[0]
