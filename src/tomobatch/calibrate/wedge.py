"""Centre of rotation from the empty double wedge of the sinogram's Fourier transform.

A half turn and its mirror image about the cor make up a full turn. A full turn of an object of
radius R has no energy where ``|k| > R |omega|``, k being the angular and omega the spatial
frequency; a mirror image about a wrong cor puts some there. N. T. Vo et al., "Reliable method for
calculating the center of rotation in parallel-beam tomography", Opt. Express 22 (2014) 19078,
tries one cor after the other. Here the energy is written as a sum of squares, in which the cor is
a phase: the energies of all cors come from one transform of the sinogram and one of a vector.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from tomobatch.calibrate.candidate import Candidate
from tomobatch.calibrate.peak import parabola_vertex
from tomobatch.calibrate.rows import remove_slow_part

MARGIN_K = 6  # angular frequencies beyond the wedge that its soft edge still reaches
LOWEST_CYCLES = 3  # per detector width: below it, drift of the beam outweighs the object
UPSAMPLING = 16


def wedge_cor(
    half_turns: Sequence[NDArray[np.float32]], search_px: tuple[float, float]
) -> Candidate | None:
    """Find the cor that leaves the least energy outside the double wedge.

    Parameters
    ----------
    half_turns
        Sinograms of one detector row, each shape (angle, x), float32, on an even grid of angles
        over [start, start + pi). Several of them, from scans of more than half a turn, share
        the cor: their energies are added.
    search_px
        Lowest and highest cor looked at.

    Returns
    -------
    The cor; None without half turns, and when the least energy lies at the end of the search.
    """
    if not half_turns:
        return None
    n_x = half_turns[0].shape[1]
    length = fft.next_fast_len(2 * n_x, real=True)
    spectra = [_cross_spectrum(half, length) for half in half_turns]
    cross = np.sum([s[0] for s in spectra], axis=0)
    constant, n_cells = sum(s[1] for s in spectra), sum(s[2] for s in spectra)
    if n_cells == 0 or constant == 0:
        return None

    # energy(cor) = constant + Re sum_omega cross(omega) exp(2i omega cor)
    energy = constant + fft.fft(np.conj(cross), length * UPSAMPLING).real
    lowest = int(np.ceil(2 * search_px[0] * UPSAMPLING))
    highest = int(np.floor(2 * search_px[1] * UPSAMPLING))
    best = lowest + int(np.argmin(energy[lowest : highest + 1]))
    if best in (lowest, highest):
        return None
    offset, curvature = parabola_vertex(energy[best - 1], energy[best], energy[best + 1])
    curvature *= (2 * UPSAMPLING) ** 2
    # Zero padding makes neighbouring cells agree, hence fewer independent ones: n_x of `length`.
    variance_a_cell = energy[best] / n_cells * length / n_x
    return Candidate(
        cor_px=(best + offset) / (2 * UPSAMPLING),
        sigma_px=float(np.sqrt(2 * max(variance_a_cell, 0.0) / curvature)),
    )


def _cross_spectrum(
    half: NDArray[np.float32], length: int
) -> tuple[NDArray[np.complex128], float, int]:
    """Return the cross spectrum outside the wedge, its energy without the phase, and its cells.

    With P_k(omega) the transform of the half turn, the full turn's is
    ``S_k = P_k + (-1)^k exp(-2i omega cor) conj(P_-k)``, so that ``sum |S_k|^2`` depends on the
    cor only through ``2 Re sum (-1)^k exp(2i omega cor) P_k P_-k``.
    """
    n_angles, n_x = half.shape
    rows = fft.rfft(remove_slow_part(half), length, axis=1)
    omega = 2 * np.pi / length * np.arange(rows.shape[1])
    radius = n_x / 2
    used = np.flatnonzero(
        (omega >= 2 * np.pi * LOWEST_CYCLES / n_x)
        & (omega <= np.pi / 2)
        & (radius * omega + MARGIN_K < n_angles)
    )
    cross = np.zeros(len(omega), dtype=np.complex128)
    plane = fft.fft(rows[:, used], 2 * n_angles, axis=0)
    # k and -k give the same product: only 0 <= k < n is needed.
    k = np.arange(n_angles)
    outside = k[:, None] > radius * omega[used] + MARGIN_K
    positive = np.where(outside, plane[:n_angles], 0)
    negative = plane[-k]
    sign = np.where(k % 2 == 0, 1.0, -1.0).astype(np.float32)[:, None]
    cross[used] = 2 * np.sum(sign * positive * negative, axis=0)
    energy = np.sum(np.abs(positive) ** 2) + np.sum(np.abs(np.where(outside, negative, 0)) ** 2)
    return cross, float(energy), int(np.count_nonzero(outside))
