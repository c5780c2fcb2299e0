"""Files on their way to S3 and back, with a bar to watch."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import typer

from tomobatch.errors import UserError
from tomobatch.s3.address import is_remote
from tomobatch.s3.transfer import size_of, upload_file, upload_folder

if TYPE_CHECKING:
    from tomobatch.scan.settings import DatasetSettings

_NAMED = 3


def upload_scan(path: str, folder: str, *, replace: bool) -> str:
    """Put a scan into a folder on S3 unless it lies there already; return its address."""
    if is_remote(path):
        return path
    local = Path(path)
    url = f"{folder}/{local.name}"
    upload = upload_folder if local.is_dir() else upload_file
    with transfer_bar(f"Uploading {path}", size_of(local)) as progress:
        sent = upload(local, url, replace=replace, progress=progress)
    typer.echo(f"{path} {'is now' if sent else 'was already'} at {url}")
    return url


def check_before_upload(path: str, datasets: "DatasetSettings") -> None:
    """Refuse a scan of this machine that jobs on AWS could not read, before anything is sent.

    Raises
    ------
    UserError
        If it is of no format that is read on S3, is spread over several files, or its flats, darks
        or angles lie where they are not found there.
    """
    from tomobatch.scan.addresses import files_named
    from tomobatch.scan.angle_files import refuse_on_s3
    from tomobatch.scan.hdf5_links import files_beside, is_hdf5
    from tomobatch.scan.zarr_array import is_zarr

    if datasets.angles is not None:
        refuse_on_s3(datasets.angles)
    if is_remote(path):
        return
    if not (is_hdf5(Path(path)) or is_zarr(path)):
        raise UserError(
            f"{path}: jobs on AWS read HDF5 and Zarr alone: write it as one of these, or run with"
            " --local"
        )
    elsewhere = files_beside(Path(path))
    if elsewhere:
        named = ", ".join(elsewhere[:_NAMED]) + (", ..." if len(elsewhere) > _NAMED else "")
        raise UserError(
            f"{path}: its pictures lie in other files, which are not followed on S3: write them"
            f" into one file, or run with --local ({named})"
        )
    for name in files_named(datasets.flats, datasets.darks):
        away = Path(name).is_absolute() or ".." in Path(name).parts
        if away and not is_remote(name):
            raise UserError(
                f"datasets: {name} does not lie beside {path}, where jobs on AWS look for it: put"
                " it there, or give its s3:// address"
            )


def upload_beside(path: str, datasets: "DatasetSettings", folder: str, *, replace: bool) -> None:
    """Put the files that a scan's flats and darks are read from beside where the scan goes on S3.

    Raises
    ------
    UserError
        If another file of that name is there.
    """
    from tomobatch.scan.addresses import files_named

    if is_remote(path):
        return
    for name in files_named(datasets.flats, datasets.darks):
        if not is_remote(name):
            inside = PurePosixPath(name).parent
            place = folder if inside == PurePosixPath() else f"{folder}/{inside}"
            upload_scan(str(Path(path).parent / name), place, replace=replace)


@contextmanager
def transfer_bar(title: str, total: int) -> Iterator[Callable[[int], object]]:
    """Show how many bytes have arrived, if somebody is there to watch."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task(title, total=total)
        yield lambda count: bars.advance(task, count)
