"""A few pixels of a slice, reconstructed by filtered back-projection.

Each pixel is what the full reconstruction gives there, noise and all: grey values and sharpness
are measured on real ones, at a hundredth of the cost of the slice.
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from tomobatch.compiled import compiled

Floats32 = NDArray[np.float32]


def ramp_filter(sinogram: Floats32) -> Floats32:
    """Filter the rows, shape (angle, x), with the real-space ramp; the ends are continued.

    A. C. Kak and M. Slaney, Principles of Computerized Tomographic Imaging (1988), eq. 3.61.
    """
    n_x = sinogram.shape[1]
    length = fft.next_fast_len(2 * n_x, real=True)
    lag = np.arange(length)
    lag = np.minimum(lag, length - lag)
    kernel = np.where(lag % 2 == 1, -1 / (np.pi * np.maximum(lag, 1)) ** 2, 0.0)
    kernel[0] = 0.25
    before = (length - n_x) // 2
    padded = np.pad(sinogram, ((0, 0), (before, length - n_x - before)), mode="edge")
    response = fft.rfft(kernel).real.astype(np.float32)
    filtered = fft.irfft(fft.rfft(padded, axis=1) * response, length, axis=1)
    return np.asarray(filtered[:, before : before + n_x], dtype=np.float32)


def sample_points(radius_px: float, n_points: int) -> tuple[Floats32, Floats32]:
    """Return x and y of about `n_points` points on a square grid within the radius."""
    stride = max(1, round(np.sqrt(np.pi * radius_px**2 / n_points)))
    half = int(radius_px // stride)
    axis = np.arange(-half, half + 1, dtype=np.float32) * stride
    x, y = np.meshgrid(axis, axis)
    inside = x * x + y * y <= radius_px**2
    return x[inside], y[inside]


def back_project(
    filtered: Floats32,
    angles_rad: NDArray[np.float64],
    cors_px: NDArray[np.float64],
    points: tuple[Floats32, Floats32],
) -> Floats32:
    """Back-project filtered rows of half a turn onto points, once for each cor.

    Returns
    -------
    Attenuation in 1/pixel, shape (cor, point). Points whose ray misses the detector take its
    outermost pixel.
    """
    x, y = points
    out = np.zeros((len(cors_px), len(x)), dtype=np.float32)
    cosines, sines = (f(angles_rad).astype(np.float32) for f in (np.cos, np.sin))
    _add_up(np.ascontiguousarray(filtered), cosines, sines, cors_px.astype(np.float32), x, y, out)
    return out * np.float32(np.pi / len(angles_rad))


@partial(compiled, fastmath=True)
def _add_up(
    filtered: Floats32,
    cosines: Floats32,
    sines: Floats32,
    cors_px: Floats32,
    x: Floats32,
    y: Floats32,
    out: Floats32,
) -> None:
    """Add to each point, for each cor, what its rays meet; linear between two pixels."""
    last = np.float32(filtered.shape[1] - 1.001)
    for a in range(len(filtered)):
        projection, cosine, sine = filtered[a], cosines[a], sines[a]
        for c in range(len(cors_px)):
            for i in range(len(x)):
                t = x[i] * cosine + y[i] * sine + cors_px[c]
                t = min(max(t, np.float32(0)), last)
                low = int(t)
                out[c, i] += projection[low] + (t - low) * (projection[low + 1] - projection[low])
