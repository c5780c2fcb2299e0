"""The plain numpy twin of the normalise kernel: the same steps, in float64, for one projection.

Decision 31.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tomobatch.normalise.repair import Repair
from tomobatch.normalise.settings import NormaliseSettings

# A zinger is brighter than this many of the pixels in its 5 x 5 window allow: the seventh largest
# value, so that up to six pixels can belong to one hit.
ZINGER_WINDOW_PX = 5
ZINGER_RANK = 7


@dataclass(frozen=True)
class TwinProjection:
    """Line integrals float64 (y, x) of one projection, and its counts."""

    line_integrals: npt.NDArray[np.float64]
    n_zingers: int
    n_clipped: int


def normalise_projection(
    raw: npt.NDArray[np.integer | np.floating],
    signal: npt.NDArray[np.float64],
    dark: npt.NDArray[np.float64],
    repair: Repair,
    settings: NormaliseSettings,
    noise: float,
    lowest: tuple[float, float],
) -> TwinProjection:
    """Turn the counts (y, x) of one projection into line integrals.

    ``signal`` is flat minus dark, in counts; ``noise`` is how far above transmission 1 photon noise
    can reach; ``lowest`` is what transmission is clipped to from below, and what is then added.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        transmission = (raw - dark) / signal
    pixels = transmission.reshape(-1)
    pixels[repair.pixels] = np.sum(pixels[repair.neighbours] * repair.weights, axis=1)
    n_zingers = 0
    if settings.zinger_threshold is not None:
        zingers, medians = _zingers(transmission, settings.zinger_threshold, noise)
        zingers &= transmission > lowest[0]
        transmission = np.where(zingers, medians, transmission)
        n_zingers = int(np.count_nonzero(zingers))
    clipped = np.clip(transmission, lowest[0], settings.transmission_max)
    n_clipped = int(np.count_nonzero(clipped != transmission))
    return TwinProjection(-np.log(clipped + lowest[1]), n_zingers, n_clipped)


def _zingers(
    transmission: npt.NDArray[np.float64], threshold: float, noise: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Return which pixels stand out from their window, and the median of every window.

    The limit above a transmission t is the larger of (1 + threshold) t and t + noise sqrt(t),
    photon noise growing as the root. It is compared by its inverse, as the kernel does.
    """
    half = ZINGER_WINDOW_PX // 2
    padded = np.pad(transmission, half, mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (ZINGER_WINDOW_PX,) * 2)
    ordered = np.sort(windows.reshape(*transmission.shape, -1), axis=-1)
    root = 0.5 * (np.sqrt(noise**2 + 4 * np.clip(transmission, 0, None)) - noise)
    needed = np.minimum(transmission / (1 + threshold), root**2)
    return ordered[..., -ZINGER_RANK] < needed, ordered[..., ordered.shape[-1] // 2]
