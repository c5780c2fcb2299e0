"""Centre of rotation from the empty double wedge of the sinogram's Fourier transform.

A half turn and its mirror image about the cor make up a full turn. A full turn of an object of
radius R has no energy where ``|k| > R |omega|``, k being the angular and omega the spatial
frequency; a mirror image about a wrong cor puts some there. N. T. Vo et al., "Reliable method for
calculating the center of rotation in parallel-beam tomography", Opt. Express 22 (2014) 19078,
tries one cor after the other. Here the energy is written as a sum of squares, in which the cor is
a phase: the energies of all cors come from one transform of the sinogram and one of a vector.

Each spatial frequency is divided by its own power outside the wedge, so that all count alike, and
cells far above the others of their frequency are left out: an object that reaches beyond the
detector leaks through the wedge in a few cells, which would rule the answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from tomobatch.calibrate.packed import pack, unpack
from tomobatch.calibrate.rows import faded, remove_slow_part
from tomobatch.calibrate.stack import Stacked, best_line, finer

Floats = NDArray[np.float64]

MARGIN_K = 6  # angular frequencies beyond the wedge that its soft edge still reaches
LOWEST_CYCLES = 3  # per detector width: below it, drift of the beam outweighs the object
TRIM = 10.0  # medians; the power of noise is exponential: chance leaves out 1 cell of 1000
FINER = 8


@dataclass(frozen=True)
class WedgeCurve:
    """How empty the wedge of one row is, by cor.

    Attributes
    ----------
    emptiness
        Shape (cor,): what the energy lies below its constant part at cor 0, 1, 2, ... px; periodic.
    constant
        The part of the energy that does not depend on the cor.
    n_cells
        Independent cells outside the wedge.
    variance
        Of the emptiness where nothing agrees.
    """

    emptiness: Floats
    constant: float
    n_cells: float
    variance: float


@dataclass(frozen=True)
class PackedWedge:
    """A `WedgeCurve` as text and numbers."""

    emptiness: str
    constant: float
    n_cells: float
    variance: float

    @classmethod
    def of(cls, curve: WedgeCurve) -> "PackedWedge":
        """Pack a curve."""
        return cls(pack(curve.emptiness), curve.constant, curve.n_cells, curve.variance)

    def unpacked(self) -> WedgeCurve:
        """Return the curve."""
        emptiness = unpack(self.emptiness).astype(np.float64)
        return WedgeCurve(emptiness, self.constant, self.n_cells, self.variance)


def wedge_curve(half_turns: Sequence[NDArray[np.float32]]) -> WedgeCurve | None:
    """Return how empty the double wedge is about each cor.

    Parameters
    ----------
    half_turns
        Sinograms of one detector row, each shape (angle, x), float32, on an even grid of angles
        over [start, start + pi). Several of them, from scans of more than half a turn, share
        the cor: their energies are added.

    Returns
    -------
    None without half turns, and where nothing lies outside the wedge.
    """
    parts = [part for half in half_turns if (part := _cross_spectrum(half)) is not None]
    if not parts:
        return None
    cross, constant, n_cells, variance = (sum(values) for values in zip(*parts, strict=True))
    # energy(cor) = constant + Re sum_omega cross(omega) exp(2i omega cor): with omega up to pi / 2,
    # whole cors are close enough to hold all of it.
    n_cors = _length(half_turns[0].shape[1]) // 2
    energy = fft.irfft(cross[: n_cors // 2 + 1], n_cors) * (n_cors / 2)
    return WedgeCurve(-energy, float(constant), float(n_cells), float(variance))


@dataclass(frozen=True)
class WedgeFit:
    """The line of cors that leaves the wedges of many rows most empty.

    Attributes
    ----------
    place
        The best line to the nearest pixel, and how far it stands out.
    cor_px, slope
        The same between the pixels.
    cor_sigma_px, slope_sigma
        Standard deviations by what is left in the wedge, and by the scatter of groups of rows,
        whichever is more.
    row_cors_px
        Where each row alone has its best place near the line.
    """

    place: Stacked
    cor_px: float
    slope: float
    cor_sigma_px: float
    slope_sigma: float | None
    row_cors_px: Floats


def fit_wedge(
    curves: Sequence[WedgeCurve], positions: Floats, search_px: tuple[float, float]
) -> WedgeFit | None:
    """Find the line through all rows that leaves least energy outside their wedges.

    Parameters
    ----------
    curves
        Of each row, at least one.
    positions
        Shape (row,): rows from the middle one.
    search_px
        Lowest and highest cor looked at.

    Returns
    -------
    None when the best lies at the end of the search.
    """
    emptiness = np.stack([curve.emptiness for curve in curves])
    scatter = float(np.sqrt(sum(curve.variance for curve in curves)))
    place = best_line(emptiness, positions, 1.0, search_px, scatter)
    if place is None:
        return None
    fine = finer(emptiness, FINER)
    line = np.array([place.cor_px, place.slope])
    basis = np.stack([np.ones(len(positions)), positions], axis=1)
    n_free = 2 if len(positions) >= 5 else 1
    for _ in range(20):
        _, slopes, bends = _derivatives(fine, basis @ line)
        bend = np.minimum(bends, 0) if bends.sum() < 0 else -np.abs(bends)
        hessian = -(basis[:, :n_free].T * bend) @ basis[:, :n_free]
        step = np.linalg.solve(hessian, basis[:, :n_free].T @ slopes)
        line[:n_free] += step / max(1.0, float(np.abs(basis[:, :n_free] @ step).max()) / 0.3)
        if np.abs(step[0]) < 1e-4:
            break
    values, slopes, bends = _derivatives(fine, basis @ line)
    left = sum(curve.constant for curve in curves) - float(values.sum())
    noise = 2 * max(left, 0.0) / max(sum(curve.n_cells for curve in curves), 1.0)
    inverse = np.linalg.inv(hessian)
    groups = np.array_split(basis[:, :n_free] * slopes[:, None], min(12, len(positions)))
    scores = np.array([group.sum(axis=0) for group in groups])
    by_scatter = (
        inverse @ (scores.T @ scores) @ inverse * len(scores) / max(len(scores) - n_free, 1)
    )
    sigmas = np.sqrt(np.maximum(np.diag(inverse) * noise, np.diag(by_scatter)))
    row_shifts = np.clip(-slopes / np.minimum(bends, 1.5 * float(bends.mean())), -3, 3)
    return WedgeFit(
        place=place,
        cor_px=float(line[0]),
        slope=float(line[1]),
        cor_sigma_px=float(sigmas[0]),
        slope_sigma=float(sigmas[1]) if n_free == 2 else None,
        row_cors_px=basis @ line + row_shifts,
    )


def _derivatives(fine: Floats, cors_px: Floats) -> tuple[Floats, Floats, Floats]:
    """Return each row's curve at its cor, and its first and second derivative, 1/px."""
    places = cors_px * FINER
    low = np.floor(places).astype(np.intp)
    part = places - low
    rows = np.arange(len(fine))
    before, at, after, beyond = (fine[rows, (low + i) % fine.shape[1]] for i in (-1, 0, 1, 2))
    value = at + part * (after - at)
    slope = ((after - before) * (1 - part) + (beyond - at) * part) / 2
    bend = (before - 2 * at + after) * (1 - part) + (at - 2 * after + beyond) * part
    return value, slope * FINER, bend * FINER**2


def _length(n_x: int) -> int:
    """Return the length of the transform: twice the row, rounded up, and divisible by four."""
    return 4 * fft.next_fast_len(-(-n_x // 2), real=True)


def _cross_spectrum(
    half: NDArray[np.float32],
) -> tuple[NDArray[np.complex128], float, float, float] | None:
    """Return the cross spectrum outside the wedge, the energy without it, cells and variance.

    With P_k(omega) the transform of the half turn, the full turn's is
    ``S_k = P_k + (-1)^k exp(-2i omega cor) conj(P_-k)``, so that ``sum |S_k|^2`` depends on the
    cor only through ``2 Re sum (-1)^k exp(2i omega cor) P_k P_-k``.
    """
    n_angles, n_x = half.shape
    length = _length(n_x)
    rows = fft.rfft(faded(remove_slow_part(half)), length, axis=1)
    omega = 2 * np.pi / length * np.arange(rows.shape[1])
    radius = n_x / 2
    used = np.flatnonzero(
        (omega >= 2 * np.pi * LOWEST_CYCLES / n_x)
        & (omega <= np.pi / 2)
        & (radius * omega + MARGIN_K < n_angles - 1)
    )
    if len(used) == 0:
        return None
    plane = fft.fft(rows[:, used], 2 * n_angles, axis=0)
    # k and -k give the same product: only 0 <= k < n is needed.
    k = np.arange(n_angles)
    positive, negative = plane[:n_angles], plane[-k]
    outside = k[:, None] > radius * omega[used] + MARGIN_K
    power = np.where(outside, np.abs(positive) ** 2 + np.abs(negative) ** 2, np.inf)
    outside &= power <= TRIM * _least_median(power, outside.sum(axis=0))
    counts = outside.sum(axis=0)
    power = np.where(outside, power, 0)
    mean = power.sum(axis=0) / np.maximum(counts, 1)
    weight = np.divide(1.0, mean, out=np.zeros_like(mean), where=mean > 0)
    if not weight.any():
        return None
    sign = np.where(k % 2 == 0, 1.0, -1.0).astype(np.float32)[:, None]
    products = np.where(outside, sign * positive * negative, 0)
    cross = np.zeros(len(omega), dtype=np.complex128)
    cross[used] = 2 * np.sum(products, axis=0) * weight
    variance = 2 * float(np.sum(np.sum(np.abs(products) ** 2, axis=0) * weight**2))
    # Zero padding makes neighbouring cells agree, hence fewer independent ones: n_x of `length`.
    n_cells = float(counts[weight > 0].sum()) * n_x / length
    return cross, float(np.sum(power.sum(axis=0) * weight)), n_cells, variance


def _least_median(power: NDArray[np.float32], counts: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the median of so many least values of each column, at least one."""
    ranked, column = np.sort(power, axis=0), np.arange(len(counts))
    return np.asarray((ranked[(counts - 1) // 2, column] + ranked[counts // 2, column]) / 2)
