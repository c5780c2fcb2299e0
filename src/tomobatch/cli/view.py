"""``tomobatch view``: look at a volume in the browser."""

import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from tomobatch.cli.open import has_display
from tomobatch.errors import UserError
from tomobatch.results import VOLUME
from tomobatch.s3.address import is_remote


def run(
    volume: Annotated[
        str,
        typer.Argument(
            metavar="RUN|VOLUME",
            help="A volume or a folder of results, here or on S3; or the name of a run on AWS.",
        ),
    ],
    level: Annotated[int, typer.Option(min=0, help="The finest level to show; 0 is all.")] = 0,
    port: Annotated[int, typer.Option(min=0, help="Where to listen; 0 takes a free port.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page, where there is a display.")] = True,
) -> None:
    """Show three linked planes of a volume on a page of this machine, without downloading it.

    Slices come as they are looked at, from the coarsest level at once and then from the finest.
    Ctrl-C ends it.

    Example: `tomobatch view results/demo`
    """
    # Libraries that take seconds to import are left to the commands that need them.
    from tomobatch.view.server import ViewServer
    from tomobatch.view.volume import open_volume

    opened = open_volume(find_volume(volume))
    if level >= len(opened.levels):
        raise UserError(f"--level {level}: the volume has the levels 0 to {len(opened.levels) - 1}")
    try:
        server = ViewServer(opened, level, port)
    except OSError as error:
        raise UserError(f"--port {port}: {error.strerror}; 0 takes a free one") from None
    with server:
        typer.echo(f"{opened.address}: {server.url}  (Ctrl-C ends it)")
        if browser and has_display():
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo()


def find_volume(asked: str) -> str:
    """Return where the volume lies that a user names: itself, its results, or its run.

    Raises
    ------
    UserError
        If a run has several scans, or none is called so.
    """
    if is_remote(asked):
        return asked if asked.rstrip("/").endswith(".zarr") else f"{asked.rstrip('/')}/{VOLUME}"
    if Path(asked).exists():
        inside = Path(asked) / VOLUME
        return str(inside if inside.is_dir() else asked)
    return _of_run(asked)


def _of_run(asked: str) -> str:
    from tomobatch.cli.fetch import scan_results
    from tomobatch.cli.shared.deployed import observed

    name, _, scan = asked.partition("/")
    try:
        with observed(name) as observer:
            urls = scan_results(observer)
    except UserError as error:
        raise UserError(
            f"{asked}: there is no such folder; as the name of a run: {error}"
        ) from None
    if scan and scan not in urls:
        raise UserError(f"run {observer.run} has no scan {scan}; it has {', '.join(urls)}")
    if not scan and len(urls) > 1:
        raise UserError(f"run {observer.run} has {len(urls)} scans; say which, as in {name}/SCAN")
    return f"{urls[scan or next(iter(urls))]}/{VOLUME}"
