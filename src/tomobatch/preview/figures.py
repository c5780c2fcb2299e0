"""What a slice of a preview is judged by beside the eye."""

from dataclasses import dataclass

import numpy as np

from tomobatch.arrays import Float32Array
from tomobatch.calibrate.sharpness import sharpness
from tomobatch.report.quality import noise_level
from tomobatch.stripes.choice import NARROWEST_PX
from tomobatch.stripes.rings import ring_figure

# Of the radius: what lies further out is padding's, and the edge of the mask is no edge.
_LOOKED_AT = 0.92


@dataclass(frozen=True)
class Figures:
    """Figures of one slice, for comparing slices of one row.

    Attributes
    ----------
    sharpness
        How unevenly its gradient is spread; highest about the right centre of rotation.
    rings
        0 without rings, at most 1; None where the axis is not the middle of the image.
    noise
        Standard deviation, in the unit of the volume.
    """

    sharpness: float
    rings: float | None
    noise: float


def measure(image: Float32Array, *, is_whole: bool) -> Figures:
    """Measure a slice (y, x); a part of one has no rings about its middle."""
    y, x = (np.linspace(-1, 1, side) for side in image.shape)
    inside = np.hypot(y[:, None], x[None, :]) < _LOOKED_AT
    has_rings = is_whole and image.shape[0] == image.shape[1] >= NARROWEST_PX
    return Figures(
        sharpness=sharpness(image, inside),
        rings=ring_figure(image) if has_rings else None,
        noise=noise_level(image),
    )
