"""The last lines a job wrote to CloudWatch Logs."""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

DEFAULT_LOG_GROUP = "/aws/batch/job"
"""Where AWS Batch writes if the job definition names no group."""

_PAUSES_S = (1.0, 3.0)
_MOST_PAGES = 5

LogTail = Callable[[str, str, "tuple[int, int] | None"], str]
"""Group, stream and time range in milliseconds to text."""


def log_tail(
    client: "CloudWatchLogsClient",
    group: str,
    stream: str,
    between_ms: tuple[int, int] | None = None,
    n_lines: int = 40,
    sleep: Callable[[float], object] = time.sleep,
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
    sleep
        Called with the seconds to wait for lines, which arrive some time after they were written.

    Returns
    -------
    str
        The lines, or one line that says why there are none.
    """
    request: dict[str, Any] = {}
    if between_ms is not None:
        # The end is exclusive.
        request = {"startTime": between_ms[0], "endTime": between_ms[1] + 1}
    request |= {"logGroupName": group, "logStreamName": stream, "limit": n_lines}
    try:
        for pause_s in (*_PAUSES_S, 0.0):
            lines = _last_lines(client, request)
            if lines:
                return "\n".join(lines)
            sleep(pause_s)
    except (ClientError, BotoCoreError) as error:
        return f"(no log: {group} {stream}: {error})"
    return f"(the log is empty, or late: {group} {stream})"


def _last_lines(client: "CloudWatchLogsClient", request: Mapping[str, Any]) -> list[str]:
    """Return the last lines of a stream; a page may be empty though another has some."""
    token: dict[str, Any] = {}
    for _ in range(_MOST_PAGES):
        reply = client.get_log_events(**request, startFromHead=False, **token)
        if reply["events"]:
            return [event["message"].rstrip("\n") for event in reply["events"]]
        if token.get("nextToken") == reply["nextBackwardToken"]:
            break
        token = {"nextToken": reply["nextBackwardToken"]}
    return []
