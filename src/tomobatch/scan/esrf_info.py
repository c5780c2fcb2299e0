"""The ``.info`` file that ESRF scans of EDF pictures leave beside them."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tomobatch.scan.angles import FoundAngles
from tomobatch.scan.units import Figure, energy_kev, pixel_um


@dataclass(frozen=True)
class EsrfInfo:
    """What the file says.

    Attributes
    ----------
    n_projections
        Pictures of the scan; those after them were taken to check the alignment.
    angles
        One a projection, the end of the range not included.
    pixel_size, energy
        Of the scan.
    """

    n_projections: int
    angles: FoundAngles
    pixel_size: Figure
    energy: Figure

    def left_out(self, n_pictures: int) -> list[str]:
        """Say how many of the pictures are no projections."""
        n_more = n_pictures - self.n_projections
        if n_more <= 0:
            return []
        return [
            f"{n_more} pictures after the {self.n_projections} projections of the scan are left"
            " out, as taken to check the alignment"
        ]


def read_info(folder: Path) -> EsrfInfo | None:
    """Read the file of the folder; None if there is none, or it does not say how many angles."""
    path = next(iter(sorted(folder.glob("*.info"))), None)
    if path is None:
        return None
    fields = {
        key.strip().lower(): float(value)
        for key, value in re.findall(r"^\s*([A-Za-z_0-9]+)\s*=\s*([-+.\deE]+)",
                                     path.read_text(errors="replace"), re.MULTILINE)
    }  # fmt: skip
    n_projections, span_deg = int(fields.get("tomo_n", 0)), fields.get("scanrange", 0.0)
    if n_projections < 1 or span_deg == 0:
        return None
    spread = np.deg2rad(np.linspace(0, span_deg, n_projections, endpoint=False))
    pixel, energy = fields.get("pixelsize", 0.0), fields.get("energy", 0.0)
    return EsrfInfo(
        n_projections,
        FoundAngles(path.name, spread),
        pixel_um(pixel, "um", "um") if pixel > 0 else Figure(),
        energy_kev(energy, "keV") if energy > 0 else Figure(),
    )


def esrf_position(name: str) -> int | None:
    """Return at which projection the flats of a file such as ``refHST0500`` were taken."""
    match = re.fullmatch(r"refhst(\d+)", name.lower())
    return None if match is None else int(match[1])
