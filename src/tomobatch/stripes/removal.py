"""Removal of the stripes in sinograms that make rings in slices (decision 34)."""

from collections.abc import Callable
from typing import get_args

import numpy as np

from tomobatch.arrays import Float32Array
from tomobatch.cores import threads_on_cores
from tomobatch.errors import UserError
from tomobatch.stripes import vo
from tomobatch.stripes.bridging import bridge, find_odd_columns
from tomobatch.stripes.settings import Removal, StripeSettings, Tuning

Method = Callable[[Float32Array, Tuning], Float32Array]

ON_LINE_INTEGRALS: dict[Removal, Method] = {"sorting": vo.sorting, "filtering": vo.filtering}
ON_TRANSMISSION: dict[Removal, Method] = {
    "large": vo.large,
    "dead": vo.dead,
    "all": vo.everything,
}
METHODS: tuple[Removal, ...] = get_args(Removal)
"""The gentle ones first."""
_ANGLES_AT_ONCE = 64


def remove_stripes(
    sinograms: Float32Array,
    settings: StripeSettings,
    *,
    bridges_odd_columns: bool = False,
    out: Float32Array | None = None,
    n_threads: int | None = None,
) -> Float32Array:
    """Remove stripes from sinograms, each detector row by itself.

    Parameters
    ----------
    sinograms
        float32 (y, angle, x), line integrals, finite.
    settings
        The method, after Vo et al. (Optics Express 26, 28396, 2018) with the names of algotom, and
        what it is tuned by.
    bridges_odd_columns
        Whether dead and blocked columns are bridged before.
    out
        float32 (y, angle, x) to write to; may be ``sinograms`` itself.
    n_threads
        Rows worked on at a time; None for one a usable core. Each needs five rows' worth of memory.

    Returns
    -------
    ndarray
        float32 (y, angle, x), line integrals.

    Raises
    ------
    UserError
        For ``auto``, which ``choice`` settles for a whole scan.
    """
    method = settings.method
    if method == "auto":
        raise UserError(
            f"stripes.method: auto is for whole scans; name one of {', '.join(METHODS)}"
        )
    result = np.empty_like(sinograms) if out is None else out
    if method == "none" and not bridges_odd_columns:
        result[:] = sinograms
        return result
    tuning = settings.tuning(sinograms.shape[2])

    def remove(row: int) -> None:
        _remove_from_row(sinograms[row], method, tuning, bridges_odd_columns, result[row])

    with threads_on_cores(n_threads) as threads:
        list(threads.map(remove, range(len(sinograms))))
    return result


def _remove_from_row(
    sinogram: Float32Array,
    method: Removal,
    tuning: Tuning,
    bridges_odd_columns: bool,
    result: Float32Array,
) -> None:
    """Write to ``result`` the sinogram (angle, x) without stripes."""
    columns = np.empty(sinogram.shape[::-1], np.float32)
    _transpose(sinogram, columns.T)
    if bridges_odd_columns:
        odd = find_odd_columns(columns)
        columns = bridge(columns, odd) if odd.any() else columns
    if method == "none":
        pass
    elif method in ON_LINE_INTEGRALS:
        columns = ON_LINE_INTEGRALS[method](columns, tuning)
    else:
        transmission = np.exp(np.negative(columns, out=columns), out=columns)
        corrected = ON_TRANSMISSION[method](transmission, tuning)
        columns = np.negative(np.log(corrected, out=corrected), out=corrected)
    _transpose(columns.T, result)


def _transpose(source: Float32Array, target: Float32Array) -> None:
    """Copy between arrays (angle, x) of opposite memory order, in blocks that fit the caches."""
    for start in range(0, len(source), _ANGLES_AT_ONCE):
        target[start : start + _ANGLES_AT_ONCE] = source[start : start + _ANGLES_AT_ONCE]
