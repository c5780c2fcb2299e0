"""The beam and the detector of the demo scan: from line integrals to the counts of a camera."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FULL_SCALE = np.iinfo(np.uint16).max
"""Counts at which a pixel saturates."""

_DARK_COUNTS = 100.0
_READ_NOISE_COUNTS = 3.0
_ZINGERS_PER_PIXEL = 4e-5
_BAD_PIXELS_PER_PIXEL = 5e-4
_STRIPES_PER_COLUMN = 0.05


@dataclass(frozen=True)
class Detector:
    """A camera behind a scintillator, and the beam on it.

    Attributes
    ----------
    beam_before, beam_after
        Expected counts without a specimen at the start and at the end of the scan, (y, x); the beam
        drifts from one to the other at a constant pace.
    dark
        Mean counts without beam, (y, x).
    exponent
        Response of each pixel, (y, x): counts grow as intensity to this power. It is 1 but for
        stripes; correction by flats turns it into a factor on the line integral.
    sag
        Share of its sensitivity that each pixel has lost in the middle of the scan and regained at
        its end, (y, x): 0 but for stripes. No flat before or after shows it.
    stripes
        Where exponent or sag is set: (stripe, 3) of first row, stop row and column.
    hot, dead
        Pixels that read full scale or nothing, (pixel, 2) of row and column.
    """

    beam_before: NDArray[np.float64]
    beam_after: NDArray[np.float64]
    dark: NDArray[np.float64]
    exponent: NDArray[np.float64]
    sag: NDArray[np.float64]
    stripes: NDArray[np.int64]
    hot: NDArray[np.int64]
    dead: NDArray[np.int64]

    def expose(
        self,
        line_integrals: NDArray[np.float64] | float,
        elapsed: float,
        rng: np.random.Generator,
    ) -> NDArray[np.float64]:
        """Take one picture through the specimen, or of the bare beam if ``line_integrals`` is 0.

        Parameters
        ----------
        line_integrals
            Attenuation times path, (y, x).
        elapsed
            Time as a share of the scan, 0 to 1.
        rng
            Where photon noise and read noise are drawn from.

        Returns
        -------
        ndarray, shape (y, x), float64
            Counts, not yet cut off at full scale.
        """
        beam = (1 - elapsed) * self.beam_before + elapsed * self.beam_after
        photons = rng.poisson(beam * np.exp(-np.asarray(line_integrals)))
        sensitivity = 1 - self.sag * np.sin(np.pi * elapsed)
        signal = sensitivity * self.beam_before * (photons / self.beam_before) ** self.exponent
        return self._read_out(signal, rng)

    def expose_dark(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """Take one picture without beam, (y, x)."""
        return self._read_out(np.zeros_like(self.dark), rng)

    def _read_out(
        self, signal: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        counts = signal + self.dark + rng.normal(0.0, _READ_NOISE_COUNTS, signal.shape)
        counts[tuple(self.hot.T)] = FULL_SCALE
        counts[tuple(self.dead.T)] = 0
        return counts


def make_detector(
    n_rows: int, n_cols: int, counts: float, rng: np.random.Generator, *, has_stripes: bool = True
) -> Detector:
    """Draw a detector of the given size whose brightest pixels see about ``counts`` photons.

    Without stripes everything else is drawn as with them.
    """
    gain = rng.normal(1.0, 0.01, (n_rows, n_cols))
    bad = rng.choice(
        n_rows * n_cols,
        2 * max(1, round(_BAD_PIXELS_PER_PIXEL / 2 * n_rows * n_cols)),
        replace=False,
    )
    hot, dead = np.split(np.stack(np.divmod(bad, n_cols), axis=1), 2)
    exponent, sag = np.ones((n_rows, n_cols)), np.zeros((n_rows, n_cols))
    stripes = _draw_stripes(n_rows, n_cols, rng)
    for index, (first, stop, column) in enumerate(stripes):
        # Signs alternate so that stripes leave the mean of a projection alone.
        sign = 1 if index % 4 < 2 else -1
        if index % 2 == 0:
            exponent[first:stop, column] = 1 + sign * rng.uniform(0.02, 0.05)
        else:
            sag[first:stop, column] = sign * rng.uniform(0.015, 0.05)
    if not has_stripes:
        exponent, sag, stripes = np.ones_like(exponent), np.zeros_like(sag), stripes[:0]
    return Detector(
        beam_before=counts * gain * beam_profile(n_rows, n_cols, shift_rows=0.0),
        beam_after=0.96 * counts * gain * beam_profile(n_rows, n_cols, shift_rows=0.01 * n_rows),
        dark=_DARK_COUNTS + rng.normal(0.0, 2.0, (n_rows, n_cols)),
        exponent=exponent,
        sag=sag,
        stripes=stripes,
        hot=hot,
        dead=dead,
    )


def beam_profile(n_rows: int, n_cols: int, shift_rows: float) -> NDArray[np.float64]:
    """Intensity of the beam, at most 1, (y, x): a wide bell with a mirror's bands across it."""
    row = np.linspace(-1, 1, n_rows)[:, None] - 2 * shift_rows / n_rows
    column = np.linspace(-1, 1, n_cols)[None, :]
    bell = np.exp(-0.35 * row**2 - 0.2 * (column - 0.15) ** 2)
    bands = 0.04 * np.sin(9 * row + 0.8 * column) + 0.02 * np.sin(31 * row - 1.5 * column)
    return np.asarray(bell * (1 + bands) / 1.06)


def add_zingers(counts: NDArray[np.float64], rng: np.random.Generator) -> int:
    """Add stray X-ray hits to one picture in place, and return how many."""
    n_zingers = int(rng.poisson(_ZINGERS_PER_PIXEL * counts.size))
    spots = rng.choice(counts.size, n_zingers, replace=False)
    counts.flat[spots] += rng.uniform(0.3, 1.0, n_zingers) * FULL_SCALE
    return n_zingers


def to_counts(counts: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Round to whole counts and cut off at full scale."""
    return np.clip(np.rint(counts), 0, FULL_SCALE).astype(np.uint16)


def _draw_stripes(n_rows: int, n_cols: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw stretches of columns: (stripe, 3) of first row, stop row, column."""
    columns = rng.choice(n_cols, max(4, round(_STRIPES_PER_COLUMN * n_cols)), replace=False)
    length = rng.integers(max(2, n_rows // 4), n_rows, len(columns), endpoint=True)
    first = rng.integers(0, n_rows - length, endpoint=True)
    return np.stack([first, first + length, columns], axis=1)
