"""What was understood of a scan, and what is odd about it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tomobatch.errors import UserError
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.orientation import turns
from tomobatch.scan.angle_check import EffectiveAngles
from tomobatch.scan.beam_words import describe_beam, describe_whole_slices
from tomobatch.scan.header import ScanHeader
from tomobatch.scan.open import open_scan
from tomobatch.scan.parts import Scan
from tomobatch.scan.remarks import header_remarks, look_at
from tomobatch.scan.settings import DatasetSettings

_PIECE_MB = 64
_NAMED_FRAMES = 5


@dataclass(frozen=True)
class Inspection:
    """A scan at a glance.

    Attributes
    ----------
    facts
        What was understood, by name.
    problems
        What keeps it from being reconstructed, a line each.
    oddities
        What may spoil the result, a line each.
    """

    facts: dict[str, str]
    problems: tuple[str, ...]
    oddities: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def inspect(
    path: str | Path,
    datasets: DatasetSettings | None = None,
    normalise: NormaliseSettings | None = None,
) -> Inspection:
    """Look at a scan; of one with floating point counts, every projection is read.

    Parameters
    ----------
    path
        Anything that :func:`open_scan` takes.
    datasets
        What the config says about its parts.
    normalise
        How it will be corrected.

    Raises
    ------
    UserError
        If the scan cannot be opened at all.
    """
    with open_scan(path, datasets, strict=False) as scan:
        header = scan.header
        angles: EffectiveAngles | None = None
        problems = list(header.problems)
        oddities = list(header_remarks(header, normalise))
        if not problems:
            try:
                look = look_at(scan, scan.flats(), scan.darks(), normalise)
                angles, oddities = look.angles, list(look.warnings)
            except UserError as error:
                problems.append(f"{header.path}: {error}")
        oddities += _broken_frames(scan)
    return Inspection(_facts(header, angles), tuple(problems), tuple(oddities))


def render(inspection: Inspection) -> str:
    """Lay out an inspection as text."""
    width = max(map(len, inspection.facts))
    lines = [f"{name:<{width}}  {value}" for name, value in inspection.facts.items()]
    for title, remarks in (
        ("Cannot be reconstructed", inspection.problems),
        ("Odd", inspection.oddities),
    ):
        if remarks:
            lines += ["", f"{title}:", *(f"  - {remark}" for remark in remarks)]
    if not inspection.problems and not inspection.oddities:
        lines += ["", "Nothing odd was found."]
    return "\n".join(lines)


def _facts(header: ScanHeader, angles: EffectiveAngles | None) -> dict[str, str]:
    size_mb = header.n_projections * header.picture_mb * 1e6 / 2**20
    first, last = np.rad2deg(header.angles_rad[[0, -1]])
    facts = {
        "scan": header.path,
        "format": header.format,
        "projections": f"{header.n_projections} of {header.n_rows} rows x {header.n_cols} columns,"
        f" {header.dtype}, {size_mb:.0f} MB",
        "flats": header.flats_in_words,
        "darks": str(header.n_darks),
        "angles": angles.reason.removeprefix("angles ")
        if angles is not None
        else f"{first:.4g}..{last:.4g} degrees ({header.angle_source})",
        "rotation": turns(header.rotation, header.rotation_source).removeprefix("it turns "),
        "pixel size": "unknown" if header.pixel_size_um is None else f"{header.pixel_size_um:g} um",
        "energy": "unknown" if header.energy_kev is None else f"{header.energy_kev:g} keV",
    }
    if header.tube_kv is not None:
        facts["tube"] = (
            f"{header.tube_kv:g} kV; its hardening is straightened if tube.hardening asks"
        )
    if header.beam is not None:
        facts["beam"] = describe_beam(header)
        facts["seen whole"] = describe_whole_slices(header, header.beam)
    if header.known_axis is not None:
        facts["truth"] = (
            f"centre of rotation {header.known_axis.cor_px:.3f} px in the middle row,"
            f" tilt {header.known_axis.tilt_deg:.4f} degrees"
        )
    return facts


def _broken_frames(scan: Scan) -> Iterator[str]:
    """Remark on projections that hold NaN or infinity; whole numbers cannot."""
    header = scan.header
    if header.dtype.kind != "f":
        return
    piece = max(1, _PIECE_MB * 2**20 // (header.n_rows * header.n_cols * header.dtype.itemsize))
    broken: list[int] = []
    for start in range(0, header.n_projections, piece):
        counts = scan.read_projections(start, min(start + piece, header.n_projections))
        broken += (start + np.flatnonzero(~np.isfinite(counts).all(axis=(1, 2)))).tolist()
    if broken:
        named = ", ".join(map(str, broken[:_NAMED_FRAMES]))
        more = ", ..." if len(broken) > _NAMED_FRAMES else ""
        yield f"{len(broken)} projections hold NaN or infinity: {named}{more} (the first is 0)"
