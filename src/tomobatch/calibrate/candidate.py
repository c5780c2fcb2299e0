"""What one method says of one detector row."""

from typing import NamedTuple


class Candidate(NamedTuple):
    """A centre of rotation found by one method in one detector row.

    Attributes
    ----------
    cor_px
        Centre of rotation in pixels; pixel centres at whole numbers, the first at 0.
    sigma_px
        Its standard deviation by the method's own error model; calibrate rescales it by the
        scatter over rows.
    """

    cor_px: float
    sigma_px: float
