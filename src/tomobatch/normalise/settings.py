"""What a user can choose about normalisation."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NormaliseSettings:
    """Choices of the preprocess step; the same names as the section of the configuration.

    Attributes
    ----------
    flats
        ``interpolate``: linearly in the projection index between the series of flats, constant
        before the first and after the last. ``mean``: the mean of all series for every projection.
    zinger_threshold
        Excess over its surroundings, as a share of them, from which a pixel of a projection counts
        as a zinger. None keeps zingers.
    flat_scale
        What the signal of the flats is multiplied by, for flats of another exposure.
    transmission_min, transmission_max
        Transmission is clipped to this range before the logarithm. Without a lowest value, it is
        what the counts allow: see :attr:`References.half_count`.
    saturation_counts
        Raw counts from which a pixel is counted as saturated; None takes the largest value of an
        integer type, and none for floats.
    """

    flats: Literal["interpolate", "mean"] = "interpolate"
    zinger_threshold: float | None = 0.3
    flat_scale: float = 1.0
    transmission_min: float | None = None
    transmission_max: float = 10.0
    saturation_counts: float | None = None
