"""What a user can choose about the removal of stripes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StripeSettings:
    """Choices of the process step; the same names as the section of the configuration.

    Attributes
    ----------
    snr
        How far a column must stand out, in units of the spread of the ordinary columns, to count
        as a stripe; lower removes more.
    large_window_px, small_window_px
        Columns in the median window against large and dead stripes, and in that of sorting and
        filtering; odd.
    """

    snr: float = 3.0
    large_window_px: int = 51
    small_window_px: int = 21
