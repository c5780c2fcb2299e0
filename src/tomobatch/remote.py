"""Objects on S3, read by byte range through obstore."""

import io
import os
from datetime import timedelta
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tomobatch.errors import UserError

_SCHEME = "s3:/"
_READ_AHEAD_BYTES = 2**20
_TIMEOUT = timedelta(seconds=60)


def is_remote(path: object) -> bool:
    """Tell whether a path is an ``s3://`` URL; one that went through ``Path`` lost a slash."""
    return str(path).startswith(_SCHEME)


def open_store(url: object) -> S3Store:
    """Make a store whose root is an ``s3://bucket/prefix`` URL; nothing is asked of the server yet.

    Endpoint (``AWS_ENDPOINT_URL``, which may be http), region and credentials come from the
    environment as for any AWS tool; credentials else from wherever boto3 finds them: profile,
    single sign-on, container or instance role.

    Raises
    ------
    UserError
        If the URL names no bucket.
    """
    bucket, prefix = _split(url)
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
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
        bucket,
        prefix=prefix or None,
        region=region or "us-east-1",
        endpoint=endpoint,
        client_options={"allow_http": (endpoint or "").startswith("http://"), "timeout": _TIMEOUT},
        credential_provider=provider,
    )


def open_object(url: object) -> "ObjectFile":
    """Open one object for reading: small reads come from a buffer, large ones go out as they are.

    Raises
    ------
    UserError
        If there is no such object, or the server refuses.
    """
    return ObjectFile(str(url))


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


class ObjectFile(io.BufferedReader):
    """One object as a buffered file that can be searched; libraries that show it show its URL."""

    def __init__(self, url: str) -> None:
        super().__init__(_ObjectReader(url), _READ_AHEAD_BYTES)
        self._url = url

    def __repr__(self) -> str:
        return self._url


class _ObjectReader(io.RawIOBase):
    """One object as a file; each read is one range request."""

    def __init__(self, url: str) -> None:
        self._url = url
        folder, _, name = url.rpartition("/")
        self._store = open_store(folder)
        self._name = name
        self._position = 0
        try:
            self._size = obstore.head(self._store, name)["size"]
        except FileNotFoundError as error:
            raise UserError(f"{self._url}: no such object") from error
        except BaseError as error:
            raise UserError(f"{self._url}: {_first_line(error)}") from error

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
        if count:
            try:
                data = obstore.get_range(
                    self._store, self._name, start=self._position, length=count
                )
            except (BaseError, FileNotFoundError) as error:
                raise OSError(f"{self._url}: {_first_line(error)}") from error
            view[:count] = memoryview(data)
            self._position += count
        return count


def _split(url: object) -> tuple[str, str]:
    """Split an ``s3://bucket/prefix`` URL."""
    bucket, _, prefix = str(url).removeprefix(_SCHEME).lstrip("/").partition("/")
    if not bucket:
        raise UserError(f"{url}: names no bucket; an object is s3://bucket/key")
    return bucket, prefix.strip("/")


def _first_line(error: Exception) -> str:
    """Take what went wrong, without the debug output that obstore adds below it."""
    return str(error).partition("\n")[0]
