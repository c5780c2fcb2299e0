"""What a report shows, as plain values and arrays."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tomobatch.calibrate.calibration import Calibration
from tomobatch.normalise.references import References
from tomobatch.orientation import AS_IT_IS, Orientation
from tomobatch.records.findings import Finding, Findings
from tomobatch.records.summary import warnings_of
from tomobatch.scan.header import ScanHeader
from tomobatch.units import grey_unit, to_grey

Image = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Corrections:
    """A projection (y, x) and a sinogram (angle, x), before and after their corrections.

    Attributes
    ----------
    raw, line_integrals
        The middle projection in counts and in line integrals.
    sinogram_before, sinogram_after
        The middle row before and after stripe removal.
    retrieval
        The middle of the same projection before and after phase retrieval; None if there was none.
    """

    raw: Image
    line_integrals: Image
    sinogram_before: Image
    sinogram_after: Image
    retrieval: tuple[Image, Image] | None = None


@dataclass(frozen=True)
class ReportContent:
    """The content of one scan's report.

    Attributes
    ----------
    name
        The scan's name in the configuration.
    header, references, calibration
        What the scan is and what was found in it.
    angles_reason
        One line that says which angles were used, and why.
    planes
        Slices through the middle of the volume by name: ``xy``, ``xz``, ``yz``.
    corrections
        What the first two steps did to a projection and to a sinogram.
    records
        The records of all jobs.
    settings
        The scan's settings, section by section.
    verdicts
        How good the result is, by its figures.
    orientation
        What the volume shows of the sample.
    stack
        Slices from the first to the last, each with its number, to slide through.
    """

    name: str
    header: ScanHeader
    references: References
    calibration: Calibration
    angles_reason: str
    planes: dict[str, Image]
    corrections: Corrections
    records: list[dict[str, Any]]
    settings: dict[str, Any]
    verdicts: tuple[Finding, ...] = ()
    orientation: Orientation = AS_IT_IS
    stack: tuple[tuple[int, Image], ...] = ()

    @property
    def findings(self) -> Findings:
        """Everything that is known of the result."""
        return Findings(self.name, self.verdicts, tuple(self.warnings))

    @property
    def grey_unit(self) -> str:
        """Unit of the volume's grey values."""
        return grey_unit(self.header.pixel_size_um)

    @property
    def grey_window(self) -> tuple[float, float]:
        """Lowest and highest grey value to show, in the unit of the volume."""
        low, high = (
            to_grey(end, self.header.pixel_size_um) for end in self.calibration.grey_window
        )
        return low, high

    @property
    def warnings(self) -> list[str]:
        """What the user should know, one line each."""
        of_jobs = warnings_of(self.records)
        return [*self.references.warnings, *of_jobs, *self.calibration.warnings]

    def total(self, count: str) -> int:
        """Sum one count over the records of all jobs."""
        return sum(int(record.get("counts", {}).get(count, 0)) for record in self.records)
