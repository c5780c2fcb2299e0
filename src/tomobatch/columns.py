"""Which pixels of the detector the columns of a scan are: those of its pictures as they are taken.

What ``datasets`` says of pictures counts pixels of the detector; everything after it counts those
that are taken, after the turn, the crop and the binning.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """Where the columns of a scan lie on its detector.

    Attributes
    ----------
    first
        Where the middle of column 0 lies, in columns, from that of the detector's first; beyond
        whole numbers where columns are binned.
    binning
        How many columns of the detector are one.
    """

    first: float = 0.0
    binning: int = 1

    @property
    def are_the_detectors(self) -> bool:
        """Whether they are counted as the detector's."""
        return self.binning == 1 and self.first == 0

    def on_detector(self, column_px: float) -> float:
        """Return the column of the detector that a column of the scan is."""
        return self.binning * (column_px + self.first)

    def of_detector(self, column_px: float) -> float:
        """Return the column of the scan that a column of the detector is."""
        return column_px / self.binning - self.first


DETECTOR = Columns()
"""All columns of a detector, as they are."""
