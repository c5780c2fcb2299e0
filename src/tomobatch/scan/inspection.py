"""What was understood of a scan, and what is odd about it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomobatch.scan.angle_check import (
    AngleCheck,
    AngleVerdict,
    EffectiveAngles,
    check_angles,
    effective_angles,
)
from tomobatch.scan.header import AngleSource, ScanHeader
from tomobatch.scan.open import open_scan
from tomobatch.scan.parts import Scan
from tomobatch.scan.settings import DatasetSettings

_PIECE_MB = 64
_SAMPLED_PROJECTIONS = 8
_FEWEST_ANGLES_PER_COLUMN = 0.5
_LEAST_BEAM_TO_DARK = 0.2
_BRIGHTEST_AIR = 1.1
_DIMMEST_AIR = 0.8
_LARGEST_DRIFT = 0.1
_SATURATED_SHARE = 1e-3
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


@dataclass(frozen=True)
class _Sample:
    """A few projections, and the averaged references.

    Attributes
    ----------
    projections
        Counts (n, y, x), spread over the scan.
    flats
        Mean counts of each series, (series, y, x).
    dark
        Mean counts without beam, (y, x) or zero.
    saturated
        Share of the pixels at the largest count that their type holds, in flats and projections.
    """

    projections: NDArray[np.float64]
    flats: NDArray[np.float64]
    dark: NDArray[np.float64]
    saturated: float


def inspect(path: str | Path, datasets: DatasetSettings | None = None) -> Inspection:
    """Look at a scan; of one with floating point counts, every projection is read.

    Parameters
    ----------
    path
        Anything that :func:`open_scan` takes.
    datasets
        What the config says about its parts.

    Raises
    ------
    UserError
        If the scan cannot be opened at all.
    """
    with open_scan(path, datasets, strict=False) as scan:
        header = scan.header
        oddities = [*_header_oddities(header)]
        angles: EffectiveAngles | None = None
        if not header.problems:
            check = check_angles(scan)
            angles = effective_angles(scan, check)
            oddities += _angle_oddities(check)
            oddities += _count_oddities(header, _sample(scan))
        oddities += _broken_frames(scan)
    return Inspection(_facts(header, angles), header.problems, tuple(oddities))


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
    size_mb = header.n_projections * header.n_rows * header.n_cols * header.dtype.itemsize / 2**20
    first, last = np.rad2deg(header.angles_rad[[0, -1]])
    facts = {
        "scan": header.path,
        "format": header.format,
        "projections": f"{header.n_projections} of {header.n_rows} rows x {header.n_cols} columns,"
        f" {header.dtype}, {size_mb:.0f} MB",
        "flats": str(header.n_flats),
        "darks": str(header.n_darks),
        "angles": angles.reason.removeprefix("angles ")
        if angles is not None
        else f"{first:.4g}..{last:.4g} degrees ({header.angle_source})",
        "pixel size": "unknown" if header.pixel_size_um is None else f"{header.pixel_size_um:g} um",
        "energy": "unknown" if header.energy_kev is None else f"{header.energy_kev:g} keV",
    }
    if header.truth is not None:
        facts["truth"] = (
            f"centre of rotation {header.truth.cor_px:.3f} px in the middle row,"
            f" tilt {header.truth.tilt_deg:.4f} degrees"
        )
    return facts


def _header_oddities(header: ScanHeader) -> Iterator[str]:
    """Remark on what the header alone tells."""
    if header.angle_source is AngleSource.ASSUMED:
        yield "no angles: 0..180 degrees is assumed; give datasets.angle_range_deg"
    if header.n_darks == 0:
        yield "no darks: zero is taken, so the attenuation of dense parts comes out too low"
    if header.n_projections < _FEWEST_ANGLES_PER_COLUMN * header.n_cols:
        wanted = round(header.n_cols * np.pi / 2)
        yield (
            f"{header.n_projections} projections are few for {header.n_cols} columns"
            f" ({wanted} resolve them fully): expect streaks"
        )
    span_deg = np.rad2deg(np.ptp(header.angles_rad))
    if span_deg * header.n_projections < 179 * (header.n_projections - 1):
        yield f"the angles span {span_deg:.4g} degrees: less than half a turn leaves wedges unseen"


def _angle_oddities(check: AngleCheck) -> Iterator[str]:
    """Remark on an angle range that the projections contradict."""
    if check.verdict not in (AngleVerdict.FITS, AngleVerdict.UNCLEAR):
        yield f"the angle range {check.verdict}: {check.reason}"


def _sample(scan: Scan) -> _Sample:
    """Read the references, and a few projections spread over the scan."""
    header = scan.header
    count = min(_SAMPLED_PROJECTIONS, header.n_projections)
    indices = np.linspace(0, header.n_projections - 1, count).round().astype(int)
    counts = np.concatenate([scan.read_projections(int(i), int(i) + 1) for i in indices])
    series = [frames for frames, _ in scan.flat_series()]
    darks = scan.darks()
    saturated = 0.0
    if header.dtype.kind in "ui":
        full = np.iinfo(header.dtype).max
        saturated = max(float((frames == full).mean()) for frames in (counts, *series))
    return _Sample(
        projections=counts.astype(np.float64),
        flats=np.stack([frames.mean(axis=0, dtype=np.float64) for frames in series]),
        dark=np.zeros(()) if darks is None else darks.mean(axis=0, dtype=np.float64),
        saturated=saturated,
    )


def _count_oddities(header: ScanHeader, sample: _Sample) -> Iterator[str]:
    """Remark on counts that do not fit each other."""
    beam = sample.flats - sample.dark
    if not np.isfinite(beam).any(axis=(1, 2)).all():
        yield "a series of flats, or the darks, hold no number at all"
        return
    intensity = np.nanmedian(beam, axis=(1, 2))
    if sample.saturated > _SATURATED_SHARE:
        yield (
            f"{sample.saturated:.2%} of the pixels are saturated at {np.iinfo(header.dtype).max}:"
            " shorten the exposure"
        )
    if intensity.min() <= _LEAST_BEAM_TO_DARK * np.nanmedian(sample.dark):
        yield (
            f"the flats are only {intensity.min():.4g} counts brighter than the darks:"
            " are they exchanged, or was there no beam?"
        )
        return
    drift = float(np.ptp(intensity) / intensity.max())
    if drift > _LARGEST_DRIFT:
        yield f"the beam changed by {drift:.0%} between the series of flats"
    transmission = (sample.projections - sample.dark) / np.maximum(beam.mean(axis=0), 1)
    air = float(np.nanpercentile(transmission, 99))
    if air > _BRIGHTEST_AIR:
        yield (
            f"projections are up to {air:.2f} times as bright as the flats:"
            " the beam or the exposure was not the same"
        )
    elif air < _DIMMEST_AIR:
        yield (
            f"no part of the projections is brighter than {air:.2f} of the flats: the object fills"
            " the field of view, or the flats were taken with more beam"
        )


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
