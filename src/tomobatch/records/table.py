"""What came of all scans, a line each: one table beside their folders."""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from tomobatch.calibrate.calibration import Calibration
from tomobatch.records.findings import Findings
from tomobatch.results import CALIBRATION, FINDINGS, REPORT, TABLE

COLUMNS = (
    "scan",
    "verdict",
    "cor_px",
    "cor_sigma_px",
    "tilt_deg",
    "tilt_sigma_deg",
    "method",
    "not_green",
    "warnings",
    "report",
)
NOT_FINISHED = "not finished"
REFUSED = "refused"


def write_table(results: Path, scans: Iterable[str], refused: Mapping[str, str]) -> Path:
    """Write the table of some scans, and of all others that have results beside them.

    Parameters
    ----------
    results
        The folder that holds a folder a scan.
    scans
        Those that were asked for, which come first.
    refused
        Why some of them cannot be reconstructed.

    Returns
    -------
    Where it is.
    """
    others = sorted(path.parent.name for path in results.glob(f"*/{FINDINGS}"))
    names = list(dict.fromkeys([*scans, *others]))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    for name in names:
        if name in refused:
            writer.writerow({"scan": name, "verdict": REFUSED, "warnings": refused[name]})
        else:
            writer.writerow(row_of(results, name))
    path = results / TABLE
    path.parent.mkdir(parents=True, exist_ok=True)
    # With a byte order mark, without which Excel takes it for another encoding.
    path.write_text(text.getvalue(), encoding="utf-8-sig")
    return path


def row_of(results: Path, scan: str) -> dict[str, str]:
    """Return the row of one scan, as far as its results go."""
    folder = results / scan
    row = {"scan": scan, "verdict": NOT_FINISHED}
    if (folder / CALIBRATION).is_file():
        row |= _axis(Calibration.from_json((folder / CALIBRATION).read_text(encoding="utf-8")))
    if (folder / FINDINGS).is_file():
        findings = Findings.from_json((folder / FINDINGS).read_text(encoding="utf-8"))
        told = [f"{one.level} {one.line}" for one in findings.doubts]
        row |= {
            "verdict": findings.level,
            "not_green": " | ".join(told),
            "warnings": " | ".join(findings.warnings),
            "report": str(folder / REPORT),
        }
    return row


def _axis(found: Calibration) -> dict[str, str]:
    tilt_sigma = found.tilt_sigma_deg
    return {
        "cor_px": f"{found.line.mid_px:.3f}",
        "cor_sigma_px": f"{found.line.mid_sigma_px:.3f}" if found.cor_source == "found" else "",
        "tilt_deg": f"{found.tilt_deg:.4f}",
        "tilt_sigma_deg": "" if tilt_sigma is None else f"{tilt_sigma:.4f}",
        "method": "given" if found.cor_source == "given" else found.method or "",
    }
