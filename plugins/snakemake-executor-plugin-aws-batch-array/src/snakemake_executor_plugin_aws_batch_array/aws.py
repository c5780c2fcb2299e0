"""The one place that makes boto3 clients.

The Region is that of ``region``, credentials come from boto3's usual chain, the end point from
``AWS_ENDPOINT_URL`` (or ``AWS_ENDPOINT_URL_<SERVICE>``) where it is set, so that everything runs
unchanged against an emulator.
"""

from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from snakemake_executor_plugin_aws_batch_array.region import find_region

if TYPE_CHECKING:
    from mypy_boto3_batch import BatchClient
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client

_THROTTLED = {"TooManyRequestsException", "ThrottlingException", "Throttling", "SlowDown"}

MAX_ATTEMPTS = 8
"""Tries of one call, with growing, jittered pauses between them (boto3's standard mode)."""


@overload
def make_client(
    service: Literal["batch"], region: str | None = ..., *, max_attempts: int = ...
) -> "BatchClient": ...
@overload
def make_client(
    service: Literal["s3"], region: str | None = ..., *, max_attempts: int = ...
) -> "S3Client": ...
@overload
def make_client(
    service: Literal["logs"], region: str | None = ..., *, max_attempts: int = ...
) -> "CloudWatchLogsClient": ...
@overload
def make_client(
    service: Literal["cloudformation"], region: str | None = ..., *, max_attempts: int = ...
) -> "CloudFormationClient": ...
@overload
def make_client(service: str, region: str | None = ..., *, max_attempts: int = ...) -> Any: ...  # noqa: ANN401


def make_client(
    service: str, region: str | None = None, *, max_attempts: int = MAX_ATTEMPTS
) -> Any:
    """Return a boto3 client.

    Parameters
    ----------
    service
        Name of the service, as boto3 spells it.
    region
        AWS Region; by default that of `find_region`.
    max_attempts
        Tries of one call in all. 1 turns boto3's own retries off, for calls that must not be
        repeated blindly.

    Raises
    ------
    UserError
        If no region is known.
    """
    config = Config(
        retries={"total_max_attempts": max_attempts, "mode": "standard"},
        connect_timeout=10,
        read_timeout=30,
        max_pool_connections=32,
    )
    return boto3.client(  # type: ignore[call-overload]
        service, region_name=find_region(region), config=config
    )


def may_pass(error: Exception) -> bool:
    """Tell whether a call that failed may succeed when it is made again later."""
    if isinstance(error, ClientError):
        return is_throttled(error) or _http_status(error) >= 500
    return isinstance(error, HTTPClientError | NoConnectionError)


def is_throttled(error: ClientError) -> bool:
    """Tell whether AWS refused a call only because there were too many."""
    return error.response["Error"]["Code"] in _THROTTLED or _http_status(error) == 429


def _http_status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
