"""The controller as a job of its own, so that the user's machine can be off.

``python -m tomobatch.aws.runs.head ADDRESS SHA256 ARGUMENTS...`` fetches the workflow's sources and
runs ``snakemake ARGUMENTS...`` among them.
"""

import hashlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from snakemake_executor_plugin_aws_batch_array.aws import make_client
from snakemake_executor_plugin_aws_batch_array.store import S3Path
from snakemake_executor_plugin_aws_batch_array.submission import TRY_AGAIN_EXIT_CODE
from tomobatch.aws.runs.notice import tell_of_failure
from tomobatch.aws.runs.place import find_place
from tomobatch.aws.runs.record import note_finish
from tomobatch.aws.runs.seen import note_seen
from tomobatch.aws.runs.sources import unpack_sources

TOLD_EXIT_CODE = 3
"""Of a run that failed, and whose user has been told by mail; any other has the stacks tell."""


def main(arguments: Sequence[str]) -> int:
    """Run the workflow and return the exit code of this job.

    A signal to stop means that this machine goes away, or that `tomobatch stop` ends the jobs by
    itself. So Snakemake is killed and ends no job: the next controller takes them up.
    """
    address, checksum, *options = arguments
    path = S3Path.parse(address)
    body = make_client("s3").get_object(Bucket=path.bucket, Key=path.key)["Body"].read()
    if hashlib.sha256(body).hexdigest() != checksum:
        print(f"{address} has changed since this job was submitted", file=sys.stderr)  # noqa: T201
        return 1
    with tempfile.TemporaryDirectory(prefix="tomobatch-head-") as folder:
        unpack_sources(body, Path(folder))
        command = [sys.executable, "-u", "-m", "snakemake", *options]
        with subprocess.Popen(command, cwd=folder) as process:
            stopped = False

            def stop(_number: int, _frame: FrameType | None) -> None:
                nonlocal stopped
                stopped = True
                process.kill()

            signal.signal(signal.SIGTERM, stop)
            returncode = process.wait()
    if stopped:
        return TRY_AGAIN_EXIT_CODE
    run = path.key.split("/")[-2]
    if returncode == 0:
        place = find_place()
        note_finish(place, run)
        note_seen(place, run)
        return 0
    return TOLD_EXIT_CODE if tell_of_failure(find_place(), run) else returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
