"""``tomobatch preview``: a slice in seconds, and settings chosen by eye."""

import json
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tomobatch.cli.open import has_display
from tomobatch.cli.shared.new_file import refuse_existing
from tomobatch.cli.shared.one_thread import take_one_thread
from tomobatch.cli.shared.options import Force
from tomobatch.cli.shared.scans import find_scans, read_config
from tomobatch.errors import UserError

if TYPE_CHECKING:
    from tomobatch.config.schema import Config
    from tomobatch.plan import ScanPlan
    from tomobatch.preview.slices import Preview
    from tomobatch.preview.sweep import Changes

FOLDER = Path("previews")


def run(
    scan: Annotated[str, typer.Argument(help="Path, s3:// address, or name in config.yaml.")],
    rows: Annotated[
        str | None, typer.Option(help="Rows to look at, as 100,900; the middle one by default.")
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            help="Try values: cor=1020:1030:0.5, stripes=none,filtering,all, filter=ramp,hann,"
            " delta_beta=100,300, or any key as stripes.snr=2,3; several give every combination."
        ),
    ] = None,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page.")] = False,
    output: Annotated[
        Path | None, typer.Option(help="The page to write; by default previews/SCAN.html.")
    ] = None,
    apply: Annotated[
        int | None,
        typer.Option(min=0, help="Write this variant of the last preview to config.yaml."),
    ] = None,
    force: Force = False,
) -> None:
    """Reconstruct a few rows and show them side by side on a page, each with its figures.

    Only those rows are read, here or from S3. They go through what a run does; after a run, with
    the axis and the choice against stripes that it found. With --apply alone nothing is computed.

    Example: `tomobatch preview scans/demo.h5 --sweep cor=128:134:0.5`
    """
    take_one_thread()
    config = read_config()
    name, entry = next(iter(find_scans([scan], config).items()))
    page = output or FOLDER / f"{name}.html"
    if page.suffix != ".html":
        raise UserError(f"--output {page}: a page ends in .html")
    if apply is None or sweep or rows:
        if output is not None:
            refuse_existing(page, _variants(page), force=force)
        _make(name, entry, config, rows, sweep or [], page)
        if open_page and has_display():
            webbrowser.open(page.resolve().as_uri())
    if apply is not None:
        _apply(name, config, _variants(page), apply)


def _variants(page: Path) -> Path:
    """Return where the variants of a page are kept for --apply."""
    return page.with_suffix(".json")


def _make(
    name: str,
    entry: Mapping[str, Any],
    config: Mapping[str, Any],
    rows: str | None,
    sweeps: Sequence[str],
    page: Path,
) -> None:
    """Compute the slices, and write the page and, for --apply, the variants beside it."""
    # Libraries that take seconds to import are left to the commands that need them.
    from tomobatch.config.schema import load_config
    from tomobatch.preview.known import read_known
    from tomobatch.preview.page import found_in_words, render_page
    from tomobatch.preview.slices import make_preview
    from tomobatch.preview.sweep import combinations, read_sweep, with_implied
    from tomobatch.scan.open import open_scan

    checked = load_config({**config, "scans": {name: entry}})
    changes = [
        with_implied(one, checked.scans[name].model_dump(mode="json"))
        for one in combinations([read_sweep(text) for text in sweeps])
    ]
    with open_scan(checked.scans[name].path, checked.scans[name].datasets) as opened:
        base = _plan(checked, name, opened.header)
        preview = make_preview(
            opened,
            base,
            _rows(rows, base),
            changes,
            lambda one: _plan(_changed(config, name, entry, one), name, opened.header),
            read_known(Path(checked.results) / name, base.settings),
        )
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(render_page(preview, name, f"tomobatch preview {name} --apply"), "utf-8")
    variants = [variant.changes for variant in preview.variants]
    _variants(page).write_text(json.dumps({"scan": name, "variants": variants}), "utf-8")
    for line in preview.warnings:
        typer.echo(f"warning: {line}", err=True)
    typer.echo(found_in_words(preview))
    typer.echo(_read_line(preview))
    typer.echo(page)


def _plan(config: "Config", name: str, header: Any) -> "ScanPlan":  # noqa: ANN401 - a ScanHeader
    from tomobatch.plan_scan import plan_scan

    return plan_scan(config, name, header)


def _changed(
    config: Mapping[str, Any], name: str, entry: Mapping[str, Any], changes: "Changes"
) -> "Config":
    """Return the configuration with a variant's changes of one scan."""
    from tomobatch.config.schema import load_config

    own = dict(entry)
    for key, value in changes.items():
        section, _, setting = key.partition(".")
        own[section] = {**(own.get(section) or {}), setting: value}
    return load_config({**config, "scans": {name: own}})


def _rows(text: str | None, plan: "ScanPlan") -> list[int]:
    """Return the rows to show, each once."""
    if text is None:
        return [plan.header.n_rows // 2]
    try:
        return list(dict.fromkeys(int(row) for row in text.split(",")))
    except ValueError:
        raise UserError(f"--rows {text}: write numbers as 100,900") from None


def _read_line(preview: "Preview") -> str:
    from tomobatch.preview.band import share_read

    share = share_read(preview.plan, preview.bands)
    count = len(preview.tiles)
    return f"{count} slice{'s' * (count != 1)}, of {share:.1%} of the detector's rows"


def _apply(name: str, config: Mapping[str, Any], variants: Path, number: int) -> None:
    """Write a variant of the last preview to config.yaml."""
    from tomobatch.cli.shared.config_edit import change_scan

    if not variants.is_file():
        raise UserError(f"{variants}: no preview of {name} yet; make one with --sweep first")
    found = json.loads(variants.read_text(encoding="utf-8"))["variants"]
    if number >= len(found):
        raise UserError(f"--apply {number}: the preview has the variants 0 to {len(found) - 1}")
    if not found[number]:
        raise UserError(f"--apply {number}: it is what the configuration asks for already")
    for line in change_scan(name, config, found[number]):
        typer.echo(line)
