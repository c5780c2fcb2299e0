"""The few images that a report shows, read by range from the arrays of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import zarr

from tomobatch.normalise.missing import MISSING
from tomobatch.normalise.references import References
from tomobatch.report.content import Corrections, Image
from tomobatch.report.retrieval import before_and_after
from tomobatch.scan.parts import Scan
from tomobatch.stores.grey_codes import read_grey

STACK_PX = 400
"""Two dozen pictures of that size take less room in a page than the three planes."""
_MOST_SLICES = 24


def planes(volume: "zarr.Array[Any]", coarse_volume: "zarr.Array[Any]") -> dict[str, Image]:
    """Read the three planes through the middle of a volume.

    Parameters
    ----------
    volume
        The finest level (z, y, x), for the plane that is one chunk of the array.
    coarse_volume
        The coarsest level, for the planes that cut through every chunk.
    """
    middle_z = volume.shape[0] // 2
    _, middle_y, middle_x = (size // 2 for size in coarse_volume.shape)
    return {
        "xy": read_grey(volume, middle_z),
        "xz": read_grey(coarse_volume, (slice(None), middle_y)),
        "yz": read_grey(coarse_volume, (slice(None), slice(None), middle_x)),
    }


def stack(levels: "Sequence[zarr.Array[Any]]") -> list[tuple[int, Image]]:
    """Read some slices through a volume, the first and the last among them.

    Parameters
    ----------
    levels
        All levels (z, y, x), the finest first; the coarsest that still fills a picture is read.

    Returns
    -------
    list
        The number of each slice at the finest level, and its image (y, x).
    """
    level = next((one for one in reversed(levels) if max(one.shape[1:]) >= STACK_PX), levels[0])
    n_slices = level.shape[0]
    factor = levels[0].shape[0] / n_slices
    chosen = np.unique(np.linspace(0, n_slices - 1, min(n_slices, _MOST_SLICES)).astype(int))
    return [(int((number + 0.5) * factor), read_grey(level, int(number))) for number in chosen]


def corrections(
    scan: Scan,
    projections: "zarr.Array[Any]",
    sinograms: "zarr.Array[Any]",
    references: References,
    settings: Mapping[str, Any],
) -> Corrections:
    """Read a projection and a sinogram, each before and after its correction.

    Parameters
    ----------
    settings
        The scan's, section by section.
    """
    middle_projection, middle_row = projections.shape[0] // 2, sinograms.shape[0] // 2
    line_integrals = np.asarray(projections[middle_projection])
    return Corrections(
        raw=scan.read_projections(middle_projection, middle_projection + 1)[0],
        line_integrals=_there(line_integrals),
        sinogram_before=_there(projections[:, middle_row]),
        sinogram_after=np.asarray(sinograms[middle_row]),
        retrieval=before_and_after(scan, middle_projection, line_integrals, references, settings),
    )


def _there(line_integrals: Any) -> Image:  # noqa: ANN401  what zarr gives
    """Return line integrals with zero where a projection is missing."""
    image = np.asarray(line_integrals)
    return np.where(image == MISSING, np.float32(0), image)
