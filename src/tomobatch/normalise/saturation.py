"""Where a camera's counts end, seen from the counts themselves."""

import numpy as np
import numpy.typing as npt

from tomobatch.normalise.robust_mean import RawArray

# Of all readings: fewer at the end may be hot pixels and zingers.
SATURATED_SHARE = 1e-3
# Readings pile up at the end: so many times more than at each of the counts below it.
_PILE = 20.0
_COUNTS_BELOW = 32
# And so many at least: the largest of few readings is no pile.
_FEWEST = 20
_SAMPLED_READINGS = 1 << 20


def sample_readings(frames: RawArray, dark: npt.NDArray[np.float32]) -> RawArray:
    """Return a sample of the readings of frames (n, y, x) in pixels that are not hot, (readings,).

    ``dark``, (y, x), is what they read without beam.
    """
    step = int(np.ceil(np.sqrt(max(1, frames.size / _SAMPLED_READINGS))))
    sample = frames[:, ::step, ::step]
    cold = dark[::step, ::step] < np.median(sample[0])
    return np.asarray(sample[:, cold].reshape(-1))


def find_saturation(readings: RawArray) -> float | None:
    """Return the count at which readings of the open beam pile up; None if they do not.

    A camera of 12 bits whose counts are stored in 16 saturates at 4095, or at 4095 times 16, and no
    file says so.
    """
    if readings.dtype.kind == "f":
        readings = readings[np.isfinite(readings)]
    if readings.size == 0:
        return None
    values, n_of_value = np.unique(readings, return_counts=True)
    if len(values) < 3 or n_of_value[-1] < max(_FEWEST, SATURATED_SHARE * readings.size):
        return None
    step = float(np.min(np.diff(values[-_COUNTS_BELOW:])))
    reach = float(values[-1] - values[max(0, len(values) - 1 - _COUNTS_BELOW)])
    below = n_of_value[-1 - _COUNTS_BELOW : -1].sum() / max(1.0, reach / step - 1)
    return float(values[-1]) if n_of_value[-1] > _PILE * below else None
