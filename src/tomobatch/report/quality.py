"""Figures that judge a result, each a ratio within the scan: nothing absolute separates scans."""

import numpy as np
import numpy.typing as npt

from tomobatch.stripes.planting import part

FloatArray = npt.NDArray[np.floating]

# Of two halves that agree at random, the correlation a ring of many pixels reaches by chance and a
# little more: one seventh (P. B. Rosenthal, R. Henderson, J. Mol. Biol. 333, 2003, 721).
_CORRELATED = 1 / 7
_EDGE_SHARE = 50
_HIGHEST_PERCENTILE = 95
# Of the radius of a slice, which the detector sees from all sides.
_MIDDLE_SHARE = 0.9
_NORMAL_MEDIAN = 0.6745


def resolved_share(one: FloatArray, other: FloatArray) -> float:
    """Return how far two slices from half of the angles each agree, as a share of Nyquist.

    Fourier ring correlation (W. O. Saxton, W. Baumeister, J. Microsc. 127, 1982, 127) of the disc:
    the first ring below one seventh. Noise and too few angles lower it. It belongs to half of the
    angles; the slice of all is somewhat better.

    Parameters
    ----------
    one, other
        (y, x), square.
    """
    n = len(one)
    place = np.arange(n) - (n - 1) / 2
    radius = np.hypot(place[:, None], place[None, :]) / (n / 2)
    taper = np.where(radius < 1, np.cos(np.pi / 2 * np.minimum(radius, 1)) ** 2, 0)
    a, b = np.fft.fft2(one * taper), np.fft.fft2(other * taper)
    frequency = np.fft.fftfreq(n) * n
    ring = np.rint(np.hypot(frequency[:, None], frequency[None, :])).astype(int).ravel()

    def summed(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(np.bincount(ring, values.ravel())[: n // 2 + 1], np.float64)

    norm = np.sqrt(summed(np.abs(a) ** 2) * summed(np.abs(b) ** 2))
    correlation = summed((a * b.conj()).real) / np.where(norm > 0, norm, 1)
    # Rings of a few pixels are nothing to go by.
    below = np.flatnonzero(correlation[4:] < _CORRELATED)
    return float((below[0] + 4) / (n // 2)) if below.size else 1.0


def seam(sinogram: FloatArray, angles_rad: npt.NDArray[np.float64], cor_px: float) -> float | None:
    """Return how far the ends of a scan are from each other, in typical neighbours.

    Of half a turn the first projection and the mirrored last, of a full turn the first and the
    last; without stripes, and without what a beam makes of it that changes.

    Parameters
    ----------
    sinogram
        (angle, x), in any order of the angles.
    angles_rad
        Float64 (angle,).
    cor_px
        Centre of rotation.

    Returns
    -------
    float or None
        About 1 where the sample came back to where it was; None where the angles end neither half
        a turn nor a turn after they begin.
    """
    order = np.argsort(angles_rad)
    rows, angles = np.asarray(sinogram, np.float32)[order], angles_rad[order]
    if len(rows) < 3:
        return None
    step = float(np.median(np.diff(angles)))
    turned = angles[-1] + step - angles[0]
    # Stripes stand still, so that a mirrored projection has them elsewhere.
    rows = np.ascontiguousarray(part(np.ascontiguousarray(rows.T), cor_px).clean.T)
    columns = np.arange(rows.shape[1])
    if abs(turned - 2 * np.pi) < 1.5 * step:
        last, seen = rows[-1], np.ones(len(columns), dtype=np.bool_)
    elif abs(turned - np.pi) < 1.5 * step:
        opposite = 2 * cor_px - columns
        seen = (opposite >= 0) & (opposite <= len(columns) - 1)
        last = np.interp(opposite, columns, rows[-1]).astype(np.float32)
    else:
        return None
    apart = np.sqrt(np.mean(_without_trend((last - rows[0])[seen]) ** 2))
    usual = np.median(np.sqrt(np.mean(np.diff(rows, axis=0)[:, seen] ** 2, axis=1)))
    return float(apart / usual) if usual > 0 else None


def _without_trend(line: FloatArray) -> FloatArray:
    """Return a line (x,) without its parabola, which is what a beam makes that changes."""
    x = np.linspace(-1, 1, len(line))
    return np.asarray(line - np.polynomial.Polynomial.fit(x, line, 2)(x))


def level_at_the_edges(sinogram: FloatArray) -> float:
    """Return the mean of the outermost columns over a high value of the row: 0 is air beside."""
    n = max(2, sinogram.shape[1] // _EDGE_SHARE)
    high = float(np.percentile(sinogram, _HIGHEST_PERCENTILE))
    edges = max(float(np.mean(sinogram[:, :n])), float(np.mean(sinogram[:, -n:])))
    return max(0.0, edges / high) if high > 0 else 0.0


def noise_level(image: FloatArray) -> float:
    """Return the standard deviation of the noise of a slice (y, x), about its middle.

    By the median of the finest diagonal differences, in which structure hardly shows (D. L. Donoho,
    I. M. Johnstone, Biometrika 81, 1994, 425). Noise of a slice grows with frequency, so that it is
    for comparing slices of one row with each other.
    """
    height, width = (side - side % 2 for side in image.shape)
    even = np.asarray(image[:height, :width], np.float64)
    diagonal = (even[::2, ::2] - even[1::2, ::2] - even[::2, 1::2] + even[1::2, 1::2]) / 2
    y, x = (np.linspace(-1, 1, side) for side in diagonal.shape)
    inside = np.hypot(y[:, None], x[None, :]) < _MIDDLE_SHARE
    return float(np.median(np.abs(diagonal[inside]))) / _NORMAL_MEDIAN if inside.any() else 0.0
