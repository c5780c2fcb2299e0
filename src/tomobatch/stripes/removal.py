"""Removal of the stripes in sinograms that make rings in slices, after Vo et al. (2018)."""

import numpy as np
import numpy.typing as npt
from algotom.prep import removal

from tomobatch.errors import UserError
from tomobatch.stripes.settings import StripeSettings

FloatArray = npt.NDArray[np.float32]
METHODS = ("none", "sorting", "filtering", "large", "dead", "all")


def remove_stripes(
    sinograms: FloatArray, method: str, settings: StripeSettings | None = None
) -> FloatArray:
    """Remove stripes from sinograms float32 (y, angle, x), each row by itself."""
    settings = StripeSettings() if settings is None else settings
    if method not in METHODS:
        raise UserError(f"stripes.method {method!r} is not one of {', '.join(METHODS)}")
    if method == "none":
        return sinograms.copy()
    return np.stack([_remove(row, method, settings) for row in sinograms])


def _remove(sinogram: FloatArray, method: str, settings: StripeSettings) -> FloatArray:
    snr, large, small = settings.snr, settings.large_window_px, settings.small_window_px
    if method == "sorting":
        return removal.remove_stripe_based_sorting(sinogram, small).astype(np.float32)
    if method == "filtering":
        return removal.remove_stripe_based_filtering(sinogram, size=small).astype(np.float32)
    transmission = np.exp(-sinogram)
    try:
        if method == "large":
            transmission = removal.remove_large_stripe(transmission, snr, large)
        elif method == "dead":
            transmission = removal.remove_dead_stripe(transmission, snr, large, residual=False)
        else:
            transmission = removal.remove_all_stripe(transmission, snr, large, small)
    except ValueError:
        return sinogram.copy()
    return -np.log(transmission).astype(np.float32)
