"""The last lines a job wrote to CloudWatch Logs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

DEFAULT_LOG_GROUP = "/aws/batch/job"
"""Where AWS Batch writes if the job definition names no group."""

LogTail = Callable[[str, str, "tuple[int, int] | None"], str]
"""Group, stream and time range in milliseconds to text."""


def log_tail(
    client: CloudWatchLogsClient,
    group: str,
    stream: str,
    between_ms: tuple[int, int] | None = None,
    n_lines: int = 40,
) -> str:
    """Return the last lines of a log stream.

    Parameters
    ----------
    client
        CloudWatch Logs.
    group, stream
        Where to look.
    between_ms
        First and last moment of interest, milliseconds since 1970.
    n_lines
        Most lines to return.

    Returns
    -------
    str
        The lines, or one line that says why there are none.
    """
    request: dict[str, object] = {}
    if between_ms is not None:
        # The end is exclusive.
        request = {"startTime": between_ms[0], "endTime": between_ms[1] + 1}
    try:
        reply = client.get_log_events(
            logGroupName=group,
            logStreamName=stream,
            limit=n_lines,
            startFromHead=False,
            **request,  # type: ignore[arg-type]
        )
    except (ClientError, BotoCoreError) as error:
        return f"(no log: {group} {stream}: {error})"
    lines = [event["message"].rstrip("\n") for event in reply["events"]]
    return "\n".join(lines) if lines else f"(the log is empty: {group} {stream})"
