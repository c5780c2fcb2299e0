"""Where each projection lies, against where it should. Decision 118."""

import math
from dataclasses import dataclass

import numpy as np
from pydantic import TypeAdapter

from tomobatch.arrays import Float64Array

TAPS = 3
"""Rows on either side that a row between rows is interpolated from."""


@dataclass(frozen=True)
class Shifts:
    """How far projections lie off, as found from the projections themselves.

    Attributes
    ----------
    x_px, y_px
        Of every projection, in columns and rows; what should be at column u is at u + x. Empty
        where nothing moved.
    how
        By what they were found, or why not.
    """

    x_px: tuple[float, ...] = ()
    y_px: tuple[float, ...] = ()
    how: str = ""

    @property
    def is_still(self) -> bool:
        """Whether no projection is moved."""
        return not self.x_px

    @property
    def halo_rows(self) -> int:
        """Rows beyond a chunk that its rows are made of."""
        farthest = max(map(abs, self.y_px), default=0.0)
        return math.ceil(farthest) + TAPS if farthest else 0

    @property
    def arrays(self) -> tuple[Float64Array, Float64Array]:
        """Both as arrays (projection,)."""
        return np.array(self.x_px), np.array(self.y_px)

    @property
    def words(self) -> str:
        """What was moved, for people."""
        if self.is_still:
            return f"nothing moved: {self.how}"
        sizes = []
        for values, along in zip(self.arrays, ("rows", "columns"), strict=True):
            rms, most = float(np.sqrt(np.mean(values**2))), float(np.abs(values).max())
            sizes.append(f"{rms:.2f} px rms along {along}, {most:.1f} at most")
        return f"{'; '.join(sizes)}; by {self.how}"

    def to_json(self) -> str:
        """Return them as JSON text."""
        return TypeAdapter(Shifts).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> "Shifts":
        """Return what `to_json` wrote."""
        return TypeAdapter(cls).validate_json(text)


UNMOVED = Shifts()
"""Nothing was looked for."""
