"""What a user can choose about the removal of stripes, and what the methods take from it.

Decision 5.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from tomobatch.config.section import OddPx, Section

Removal = Literal["none", "filtering", "sorting", "large", "dead", "all"]
StripeMethod = Literal["auto", Removal]


class StripeSettings(Section):
    """Step 2: removal of the sinogram stripes that make rings."""

    method: StripeMethod = Field(
        "auto",
        description="what the scan's own stripes ask for, or one of Vo's methods (2018); `all` is"
        " their combination",
    )
    snr: float = Field(3.0, gt=0, description="how strong a stripe must be; lower removes more")
    large_window_px: OddPx | None = Field(
        None, description="median window for large stripes; null: a fortieth of the width"
    )
    small_window_px: OddPx | None = Field(
        None, description="median window for small stripes; null: a hundredth of the width"
    )

    def tuning(self, n_cols: int) -> "Tuning":
        """Return what the methods take for a detector of so many columns.

        Windows that are not given grow with its width: those that suit 2048 columns would take in
        whole objects on a narrow detector, and smear them over the air beside.
        """
        return Tuning(
            self.snr,
            self.large_window_px or _odd_share(n_cols, 40, 11),
            self.small_window_px or _odd_share(n_cols, 98, 5),
        )


@dataclass(frozen=True)
class Tuning:
    """What Vo's methods are tuned by; the defaults are those of the paper, for 2048 columns.

    Attributes
    ----------
    snr
        How far a column must stand out, in units of the spread of the ordinary columns, to count
        as a stripe.
    large_window_px, small_window_px
        Columns in the median window against large and dead stripes, and in that of sorting and
        filtering; odd.
    """

    snr: float = 3.0
    large_window_px: int = 51
    small_window_px: int = 21


def _odd_share(n_cols: int, share: int, least_px: int) -> int:
    """Return the odd number nearest to a share of the columns from above, at least ``least_px``."""
    return max(least_px, n_cols // share | 1)
