"""Files that laboratory scanners, whose beam is a cone, leave beside their pictures.

Decision 46.
"""

import re
from pathlib import Path

from tomobatch.scan.beam_geometry import BeamGeometry

_SCANNERS = {
    ".xtekct": ("Nikon", r"^SrcToObject\s*=\s*([\d.]+)", r"^SrcToDetector\s*=\s*([\d.]+)"),
    ".pca": ("phoenix", r"^FOD\s*=\s*([\d.]+)", r"^FDD\s*=\s*([\d.]+)"),
    ".log": (
        "SkyScan",
        r"^Object to Source \(mm\)\s*=\s*([\d.]+)",
        r"^Camera to Source \(mm\)\s*=\s*([\d.]+)",
    ),
}


def lab_beam(folder: Path) -> BeamGeometry:
    """Return what a scanner's own file says of the beam; nothing if there is none."""
    for path in sorted(folder.iterdir()):
        scanner = _SCANNERS.get(path.suffix.lower())
        if scanner is None or path.name.startswith(".") or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        name, *patterns = scanner
        found = [re.search(pattern, text, re.MULTILINE) for pattern in patterns]
        if path.suffix.lower() == ".log" and not any(found):
            continue
        source, detector = (None if match is None else float(match[1]) for match in found)
        return BeamGeometry(
            source_mm=source,
            detector_mm=None if source is None or detector is None else detector - source,
            kind=f"cone beam of a {name} scanner ({path.name})",
        )
    return BeamGeometry()
