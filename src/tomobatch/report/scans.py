"""One page of many scans: a row each, with what a look at its report would tell first."""

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, select_autoescape
from pydantic import ValidationError

from tomobatch.calibrate.calibration import Calibration
from tomobatch.records.findings import Finding, Findings
from tomobatch.records.summary import read_records
from tomobatch.report.images import data_uri
from tomobatch.results import CALIBRATION, FINDINGS, PREVIEW, RECORDS, REPORT, VOLUME
from tomobatch.stores.anywhere import write_file
from tomobatch.stores.volume import VolumeFacts, read_volume_facts

PAGE = "scans.html"

_THUMBNAIL_PX = 112
_WORST_FIRST = {"red": 0, "amber": 1, "unfinished": 2, "unknown": 3, "green": 4}


@dataclass(frozen=True)
class ScanRow:
    """What the page shows of one scan; None and empty where its run has not come so far.

    Attributes
    ----------
    name, href
        The scan, and where its report lies, seen from the page.
    level
        The worst of its verdicts, or ``unfinished``.
    calibration, volume
        The axis, and the volume's size and voxel.
    doubts
        Verdicts that are not green.
    warnings
        What its steps remarked.
    busy_s
        Time of all its jobs together; 0 where their records are not here.
    cost_usd
        Its part of what its run has cost; None on a machine of one's own.
    thumbnail
        The middle slice, as the address of an image inside the page.
    """

    name: str
    href: str
    level: str
    calibration: Calibration | None = None
    volume: VolumeFacts | None = None
    doubts: tuple[Finding, ...] = ()
    warnings: tuple[str, ...] = ()
    busy_s: float = 0.0
    cost_usd: float | None = None
    thumbnail: str = ""

    @property
    def rank(self) -> int:
        """Where the level comes if the worst are first."""
        return _WORST_FIRST[self.level]

    @property
    def n_doubts(self) -> int:
        """How many lines of doubt there are."""
        return len(self.doubts) + len(self.warnings)


def scans_in(results: Path) -> list[str]:
    """Return the scans that have results, finished or not, in a folder."""
    found = results.iterdir() if results.is_dir() else ()
    return sorted(
        folder.name
        for folder in found
        if (folder / RECORDS).is_dir() or (folder / REPORT).is_file()
    )


def read_row(results: Path, cost_usd: float | None = None) -> ScanRow:
    """Read what the page shows of one scan from its folder of results."""
    judged, calibrated = results / FINDINGS, results / CALIBRATION
    findings = None
    if judged.is_file():
        findings = Findings.from_json(judged.read_text(encoding="utf-8"))
    finished = (results / REPORT).is_file()
    level = "unfinished" if not finished else "unknown" if findings is None else findings.level
    preview = results / PREVIEW / "xy.png"
    calibration = None
    if calibrated.is_file():
        # One of another version is not read by this one.
        with suppress(ValidationError):
            calibration = Calibration.from_json(calibrated.read_text(encoding="utf-8"))
    return ScanRow(
        name=results.name,
        href=f"{quote(results.name)}/{REPORT}" if finished else "",
        level=level,
        calibration=calibration,
        volume=read_volume_facts(results / VOLUME),
        doubts=() if findings is None else findings.doubts,
        warnings=() if findings is None else findings.warnings,
        busy_s=sum(float(record["wall_s"]) for record in read_records(results)),
        cost_usd=cost_usd,
        thumbnail=_thumbnail(preview) if preview.is_file() else "",
    )


def write_scans_page(results: Path, costs_usd: Mapping[str, float] | None = None) -> Path:
    """Write the page of all scans whose results lie in a folder, into that folder."""
    costs = costs_usd or {}
    rows = [read_row(results / scan, costs.get(scan)) for scan in scans_in(results)]
    page = results / PAGE
    write_file(str(page), render_scans(results.resolve().name, rows).encode())
    return page


def render_scans(title: str, rows: Sequence[ScanRow]) -> str:
    """Return the page, which needs no other file but the reports that it leads to."""
    environment = Environment(
        loader=PackageLoader("tomobatch.report", "."),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    levels = Counter(row.level for row in rows)
    return environment.get_template("scans.html").render(
        title=title,
        rows=sorted(rows, key=lambda row: (row.rank, row.name)),
        levels=[(level, levels[level]) for level in _WORST_FIRST if levels[level]],
        has_costs=any(row.cost_usd is not None for row in rows),
        cost_usd=sum(row.cost_usd or 0.0 for row in rows),
    )


def _thumbnail(preview: Path) -> str:
    from PIL import Image

    file = io.BytesIO()
    with Image.open(preview) as picture:
        picture.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX))
        picture.save(file, "PNG", optimize=True)
    return data_uri(file.getvalue())
