"""What a run was asked to do and who controls it: one JSON object beside its results."""

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from botocore.exceptions import ClientError

from tomobatch.aws.runs.foretold import Foretold
from tomobatch.aws.runs.place import Place
from tomobatch.errors import UserError

VERSION = 1


@dataclass(frozen=True)
class Controller:
    """What runs Snakemake: a job of Batch, or a process on some machine."""

    job_id: str = ""
    host: str = ""
    pid: int = 0

    @property
    def is_job(self) -> bool:
        """Whether the run goes on when the user's machine is off."""
        return bool(self.job_id)


@dataclass(frozen=True)
class RunRecord:
    """A run as it was asked for.

    Attributes
    ----------
    name
        Its name, which is that of its folders.
    results
        The s3:// address that holds a folder of results for each scan.
    scans
        Name of each scan to its entry of the configuration: path, and settings of its own.
    jobs
        Rule to number of jobs.
    profile
        Folder of Snakemake's profile.
    user, started_ms
        Who started it, and when, in milliseconds since 1970.
    detached
        Whether its controller is a job rather than a process of some machine.
    controller
        None before it is started, and after it was stopped.
    stopped_ms, finished_ms
        When it was stopped, or Snakemake had nothing more to do; None if neither, or resumed.
    foretold
        What it was to take and cost; None if nobody asked.
    pilots
        How many children stay for the whole run; None for an array for every step.
    size, queue
        Most children of a step at once, and where slices are reconstructed; None as the profile
        says.
    made_by
        Version of tomobatch whose workflow lies beside it; 0.1.0 did not say.
    """

    name: str
    results: str
    scans: Mapping[str, Mapping[str, Any]]
    jobs: Mapping[str, int]
    profile: str
    user: str
    started_ms: int
    detached: bool = False
    controller: Controller | None = None
    stopped_ms: int | None = None
    finished_ms: int | None = None
    foretold: Foretold | None = None
    pilots: int | None = None
    size: int | None = None
    queue: str | None = None
    made_by: str = "0.1.0"
    version: int = field(default=VERSION, kw_only=True)

    def to_bytes(self) -> bytes:
        """Return the record as JSON."""
        return json.dumps(asdict(self), indent=1).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> "RunRecord":
        """Read a record.

        Raises
        ------
        UserError
            If another version wrote it.
        """
        document = json.loads(body)
        if document.get("version") != VERSION:
            raise UserError(
                f"run {document.get('name', '?')} was started by another version of tomobatch "
                f"(record {document.get('version')}, here {VERSION}); use that one"
            )
        controller, foretold = document.pop("controller"), document.pop("foretold", None)
        return cls(
            **document,
            controller=None if controller is None else Controller(**controller),
            foretold=None if foretold is None else Foretold.from_dict(foretold),
        )


def put_record(place: Place, record: RunRecord) -> None:
    """Write the record of a run."""
    path = place.runs / record.name / "run.json"
    place.s3.put_object(
        Bucket=path.bucket, Key=path.key, Body=record.to_bytes(), ContentType="application/json"
    )


def note_finish(place: Place, run: str) -> None:
    """Write into the record of a run that all of it is done."""
    record = get_record(place, run)
    if record is not None:
        put_record(place, replace(record, finished_ms=time.time_ns() // 1_000_000))


def get_record(place: Place, run: str) -> RunRecord | None:
    """Read the record of a run; None for one that plain Snakemake started."""
    path = place.runs / run / "run.json"
    try:
        body = place.s3.get_object(Bucket=path.bucket, Key=path.key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    return RunRecord.from_bytes(body)
