"""Files on their way to S3 and back, with a bar to watch."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from tomobatch.s3.address import is_remote
from tomobatch.s3.transfer import size_of, upload_file, upload_folder


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
