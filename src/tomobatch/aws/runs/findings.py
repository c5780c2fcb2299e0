"""What is known of the results of a run: the findings of its scans, which lie beside them on S3."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import ClientError

from snakemake_executor_plugin_aws_batch_array.store import S3Path
from tomobatch.aws.runs.place import Place
from tomobatch.aws.runs.record import RunRecord
from tomobatch.records.findings import Findings
from tomobatch.results import FINDINGS

_AT_ONCE = 16


def findings_of(place: Place, records: Iterable[RunRecord]) -> dict[str, dict[str, Findings]]:
    """Return what is known of every scan of some runs, by run and scan; nothing if it is not over.

    One request a scan.
    """
    asked = [(record, scan) for record in records for scan in record.scans]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = pool.map(lambda each: _read(place, f"{each[0].results}/{each[1]}"), asked)
        known: dict[str, dict[str, Findings]] = {}
        for (record, scan), findings in zip(asked, answers, strict=True):
            of_run = known.setdefault(record.name, {})
            if findings is not None:
                of_run[scan] = findings
    return known


def _read(place: Place, results: str) -> Findings | None:
    path = S3Path.parse(f"{results}/{FINDINGS}")
    try:
        body = place.s3.get_object(Bucket=path.bucket, Key=path.key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise
    return Findings.from_json(body.decode())
