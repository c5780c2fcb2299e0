"""The workflow as one archive: what a controller needs that runs elsewhere."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from snakemake_executor_plugin_aws_batch_array.store import S3Path
from tomobatch.aws.runs.place import Place
from tomobatch.workflow import COPY, PARTS, files_of

_PARTS = (*PARTS, "config.yaml", "profiles", str(COPY))


def pack_sources(folder: Path, extra: Sequence[str] = ()) -> bytes:
    """Return the archive of a workflow's files; equal files give equal bytes.

    Parameters
    ----------
    folder
        The folder of the Snakefile.
    extra
        Further files, relative to it, such as the sheet of scans.
    """
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        for path in _files(folder, [*_PARTS, *extra]):
            content = path.read_bytes()
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size = len(content)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(tarred.getvalue(), mtime=0)


def put_sources(place: Place, run: str, archive: bytes) -> tuple[S3Path, str]:
    """Write the archive beside the results of a run; return where it lies, and its SHA-256."""
    path = place.runs / run / "sources.tar.gz"
    place.s3.put_object(Bucket=path.bucket, Key=path.key, Body=archive)
    return path, hashlib.sha256(archive).hexdigest()


def unpack_sources(archive: bytes, folder: Path) -> None:
    """Unpack an archive; refuses names that lead out of the folder."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        tar.extractall(folder, filter="data")


def _files(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    for part in parts:
        yield from files_of(folder / part)
