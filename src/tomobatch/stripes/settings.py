"""What a user can choose about the removal of stripes."""

from dataclasses import dataclass

from tomobatch.errors import UserError


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

    Raises
    ------
    UserError
        When a window is even: it would have no middle column.
    """

    snr: float = 3.0
    large_window_px: int = 51
    small_window_px: int = 21

    def __post_init__(self) -> None:
        for name in ("large_window_px", "small_window_px"):
            width = getattr(self, name)
            if width % 2 == 0:
                raise UserError(f"stripes.{name}: {width} has no middle; give an odd number")

    @classmethod
    def for_width(
        cls, n_cols: int, snr: float, large_window_px: int | None, small_window_px: int | None
    ) -> "StripeSettings":
        """Return settings whose windows, where not given, grow with the width of the detector.

        The defaults suit 2048 columns; on a narrow detector they would take in whole objects, and
        the removal would smear those over the air beside them.
        """
        return cls(
            snr,
            _odd_share(n_cols, 40, 11) if large_window_px is None else large_window_px,
            _odd_share(n_cols, 98, 5) if small_window_px is None else small_window_px,
        )


def _odd_share(n_cols: int, share: int, least_px: int) -> int:
    """Return the odd number nearest to a share of the columns from above, at least ``least_px``."""
    return max(least_px, n_cols // share | 1)
