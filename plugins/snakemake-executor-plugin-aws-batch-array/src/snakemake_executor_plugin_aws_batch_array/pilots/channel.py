"""The channel between a controller and its pilots as it is on S3.

::

    <prefix>/<run>/pilots/<array>/control.json   what the controller says, written over itself
    <prefix>/<run>/claims/<list>/<command>       who has begun a command

Both are written on a condition, which S3 checks at the moment of writing.
"""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array.pilots.control import Claim, Control, Seen
from snakemake_executor_plugin_aws_batch_array.pilots.crew import UnconditionalStoreError
from snakemake_executor_plugin_aws_batch_array.store import RunStore, S3Path

_NOT_CHANGED, _NOT_THERE, _CONFLICT, _REFUSED, _UNKNOWN = 304, 404, 409, 412, 501

_TRIES = 6
"""While somebody else writes the same object just now, S3 asks to try again."""

_PAUSE_S = 0.2


class StoreChannel:
    """Control objects and claims of one run.

    Parameters
    ----------
    store
        Where lists and outcomes are as well.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._written_s: dict[str, float] = {}

    def look(self, pilots: str, tag: str = "") -> Seen | None:
        """Read the control object of an array, if it is newer than a tag; None without one."""
        path = self._control_path(pilots)
        condition = {"IfNoneMatch": tag} if tag else {}
        try:
            reply = self._store.s3.get_object(
                Bucket=path.bucket,
                Key=path.key,
                **condition,  # type: ignore[arg-type]
            )
        except ClientError as error:
            status = _status(error)
            if status == _NOT_THERE:
                return None
            if status != _NOT_CHANGED:
                raise
            now_s = _date_s(error.response["ResponseMetadata"]["HTTPHeaders"])
            return Seen(None, tag, now_s - self._written_s.get(tag, now_s))
        found = reply["ETag"]
        written_s = reply["LastModified"].timestamp()
        self._written_s = {found: written_s}
        now_s = _date_s(reply["ResponseMetadata"]["HTTPHeaders"])
        return Seen(Control.from_bytes(reply["Body"].read()), found, now_s - written_s)

    def write(self, pilots: str, control: Control, over: str) -> str | None:
        """Write it over the version with a tag, or anew; return its tag, None if refused.

        Raises
        ------
        UnconditionalStoreError
            If the storage refuses conditions as such.
        """
        return self._put(self._control_path(pilots), control.to_bytes(), over)

    def take_claim(self, name: str, command: int, claim: Claim, over: str) -> bool:
        """Write a claim over the one with a tag, or anew; tell whether that was done."""
        return self._put(self._claim_path(name, command), claim.to_bytes(), over) is not None

    def read_claim(self, name: str, command: int) -> Claim | None:
        """Read the claim of a command."""
        path = self._claim_path(name, command)
        try:
            reply = self._store.s3.get_object(Bucket=path.bucket, Key=path.key)
        except ClientError as error:
            if _status(error) == _NOT_THERE:
                return None
            raise
        return Claim.from_bytes(reply["Body"].read(), reply["ETag"])

    def claim_tags(self, name: str) -> dict[int, str]:
        """List the claims of a list: command to tag."""
        return {int(key): tag for key, tag in self._store.tags(f"claims/{name}").items()}

    def _control_path(self, pilots: str) -> S3Path:
        return self._store.root / "pilots" / pilots / "control.json"

    def _claim_path(self, name: str, command: int) -> S3Path:
        return self._store.root / "claims" / name / str(command)

    def _put(self, path: S3Path, body: bytes, over: str) -> str | None:
        condition = {"IfMatch": over} if over else {"IfNoneMatch": "*"}
        for _ in range(_TRIES):
            try:
                reply = self._store.s3.put_object(
                    Bucket=path.bucket,
                    Key=path.key,
                    Body=body,
                    ContentType="application/json",
                    **condition,  # type: ignore[arg-type]
                )
            except ClientError as error:
                status = _status(error)
                if status in (_REFUSED, _NOT_THERE):
                    return None
                if status == _UNKNOWN:
                    raise UnconditionalStoreError(str(path)) from error
                if status != _CONFLICT:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return reply["ETag"]
        return None


def _status(error: ClientError) -> int:
    return int(error.response["ResponseMetadata"]["HTTPStatusCode"])


def _date_s(headers: Mapping[str, str]) -> float:
    """Return the time by the clock of S3."""
    try:
        return parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError):
        return time.time()
