"""Flats as they come: series, each with its time and its exposure."""

from dataclasses import dataclass

from tomobatch.normalise.robust_mean import RawArray


@dataclass(frozen=True)
class ReferenceSeries:
    """Flats taken in one go.

    Attributes
    ----------
    frames
        (n, y, x) of any numeric type, in counts.
    position
        Projection index at which they were taken: 0 before the first projection, the number of
        projections after the last.
    scale
        What their signal is multiplied by to be that of the projections' exposure.
    """

    frames: RawArray
    position: float
    scale: float = 1.0

    @property
    def when(self) -> str:
        """When they were taken, in words."""
        return "before the scan" if self.position == 0 else f"after projection {self.position:g}"
