"""The plain numpy twin of the normalise kernel: the same steps, in float64, one frame at a time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tomobatch.normalise.bad_pixels import Repair

# A zinger is brighter than this many of the pixels in its 5 x 5 window allow: the seventh largest
# value, so that up to six pixels can belong to one hit.
ZINGER_WINDOW_PX = 5
ZINGER_RANK = 7


@dataclass(frozen=True)
class TwinFrame:
    """Line integrals float64 (y, x) of one projection, and its counts."""

    line_integrals: npt.NDArray[np.float64]
    n_zingers: int
    n_clipped: int


def normalise_frame(
    raw: npt.NDArray[np.integer | np.floating],
    flat: npt.NDArray[np.float64],
    dark: npt.NDArray[np.float64],
    repair: Repair,
    zinger_threshold: float | None,
    transmission_range: tuple[float, float],
) -> TwinFrame:
    """Turn the counts (y, x) of one projection into line integrals."""
    with np.errstate(divide="ignore", invalid="ignore"):
        transmission = (raw - dark) / (flat - dark)
    flat_view = transmission.reshape(-1)
    flat_view[repair.pixels] = np.sum(flat_view[repair.neighbours] * repair.weights, axis=1)
    n_zingers = 0
    if zinger_threshold is not None:
        transmission, n_zingers = _without_zingers(transmission, zinger_threshold)
    clipped = np.clip(transmission, *transmission_range)
    n_clipped = int(np.count_nonzero(clipped != transmission))
    return TwinFrame(-np.log(clipped), n_zingers, n_clipped)


def _without_zingers(
    transmission: npt.NDArray[np.float64], threshold: float
) -> tuple[npt.NDArray[np.float64], int]:
    """Replace zingers by the median of their window; return the image and their number."""
    half = ZINGER_WINDOW_PX // 2
    padded = np.pad(transmission, half, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (ZINGER_WINDOW_PX,) * 2)
    ordered = np.sort(windows.reshape(*transmission.shape, -1), axis=-1)
    zingers = transmission > (1 + threshold) * ordered[..., -ZINGER_RANK]
    median = ordered[..., ordered.shape[-1] // 2]
    return np.where(zingers, median, transmission), int(np.count_nonzero(zingers))
