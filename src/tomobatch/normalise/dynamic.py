"""Flats whose pattern moves: principal components of the flats, weighted for each projection.

After V. Van Nieuwenhove et al., "Dynamic intensity normalization using eigen flat fields in X-ray
imaging", Optics Express 23 (2015) 27975, on logarithms, of which patterns that multiply are sums
(decision 39).
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from tomobatch.arrays import BoolArray, Float32Array
from tomobatch.normalise.repair import plan_repair
from tomobatch.normalise.robust_mean import RawArray
from tomobatch.spread import median

Floats = npt.NDArray[np.float64]

FEWEST_FLATS = 8
_MOST_MODES = 6
_SAMPLED_PIXELS = 1 << 16
_ANALYSED_PIXELS = 1 << 14
# Horn's parallel analysis: readings in random order have no pattern in common.
_SHUFFLES = 3
_ABOVE_SHUFFLED = 1.1
# Zingers in flats are no pattern.
_LARGEST_SIGMAS = 6.0
_SMOOTHING_PX = 1.0
_ITERATIONS = 8
_BLOCK_PX = 16
# Of a line integral: what is denser is trusted as little.
_DENSEST = 20.0


def find_modes(
    series: Sequence[RawArray], dark: Float32Array, bad: BoolArray
) -> Float32Array | None:
    """Return how the flats differ from each other beyond their noise and their level.

    Parameters
    ----------
    series
        Flats (n, y, x) in counts, series by series.
    dark
        (y, x), counts without beam.
    bad
        (y, x), pixels that do not count.

    Returns
    -------
    float32 (mode, y, x) or None
        Principal components of the logarithm of the beam, the strongest first, each as large as one
        flat differs on average; None without any, or with fewer than 8 flats.
    """
    frames = [frame for one in series for frame in one]
    if len(frames) < FEWEST_FLATS or bad.all():
        return None
    step = max(1, int(np.ceil(bad.size / _ANALYSED_PIXELS)))
    sampled = np.flatnonzero(~bad)[::step]
    logs = np.stack([_log_beam(frame, dark, bad).reshape(-1)[sampled] for frame in frames])
    logs -= logs.mean(axis=0)
    logs = _without_outliers(logs)
    scores = _scores(logs, min(_MOST_MODES, len(frames) // 3))
    if scores.shape[1] == 0:
        return None
    return _modes(frames, dark, bad, scores)


class Probe:
    """Where the pattern of the beam is looked for: differences of neighbours, of smooth pictures.

    Parameters
    ----------
    modes
        float32 (mode, y, x).
    cells
        bool (y, x), where to look; None for everywhere.
    """

    def __init__(self, modes: Float32Array, cells: BoolArray | None = None) -> None:
        shape = modes.shape[1:]
        self._places = [_places(shape, axis, cells) for axis in (0, 1) if shape[axis] > 1]
        self._of_modes = np.stack([self.slopes(mode)[0] for mode in modes])

    def weigh(self, line_integrals: Float32Array) -> Floats:
        """Return how much of each mode to add to a projection (y, x), float64 (mode,).

        The sum has the least total variation: the pattern of the beam is in every pixel, edges of
        the sample in few. Dense parts, which are noisy, count less.
        """
        return self.weights(*self.slopes(line_integrals))

    def weights(self, slopes: Floats, trust: Floats) -> Floats:
        """Return the same of the differences of a projection, as ``slopes`` gives them."""
        weights = np.zeros(len(self._of_modes))
        for _ in range(_ITERATIONS):
            left = np.abs(slopes + weights @ self._of_modes)
            scaled = self._of_modes * (trust / np.maximum(left, median(left) + 1e-9))
            weights = -np.linalg.lstsq(scaled @ self._of_modes.T, scaled @ slopes, rcond=1e-9)[0]
        return np.asarray(weights)

    def variation(self, slopes: Floats, trust: Floats, weights: Floats) -> float:
        """Return the total variation of a projection and so much of the modes."""
        return float((trust * np.abs(slopes + weights @ self._of_modes)).sum())

    def slopes(self, image: Float32Array) -> tuple[Floats, Floats]:
        """Return differences of neighbours at all places, and how far they are trusted."""
        smooth = ndimage.gaussian_filter(image, _SMOOTHING_PX, truncate=3).reshape(-1)
        first, last = np.concatenate(self._places, axis=1)
        trust = np.exp(-np.clip(smooth[last], 0, _DENSEST) / 2)
        return (smooth[last] - smooth[first]).astype(np.float64), trust.astype(np.float64)


def add_modes(line_integrals: Float32Array, modes: Float32Array) -> None:
    """Mend projections (n, y, x) in place by the modes (mode, y, x), each by itself."""
    probe = Probe(modes)
    for one in line_integrals:
        one += np.tensordot(probe.weigh(one).astype(np.float32), modes, 1)


def gains(line_integrals: Iterable[Float32Array], modes: Float32Array) -> Floats:
    """Return what the modes do for projections (y, x) where their weights were not found.

    Each of two halves of the pixels, blocks like the squares of a chessboard, is mended with the
    weights of the other.

    Returns
    -------
    float64 (n,), the share of the total variation of each projection that goes.
    """
    y, x = np.indices(modes.shape[1:]) // _BLOCK_PX
    halves = [Probe(modes, cells) for cells in ((y + x) % 2 == 0, (y + x) % 2 == 1)]
    unmended = np.zeros(len(modes))
    gained = []
    for one in line_integrals:
        seen = [half.slopes(one) for half in halves]
        weights = [half.weights(*slopes) for half, slopes in zip(halves, seen, strict=True)]
        before = after = 0.0
        for half, slopes, of_other in zip(halves, seen, weights[::-1], strict=True):
            before += half.variation(*slopes, unmended)
            after += half.variation(*slopes, of_other)
        gained.append(1 - after / before if before else 0.0)
    return np.asarray(gained)


def _log_beam(frame: RawArray, dark: Float32Array, bad: BoolArray) -> Float32Array:
    """Logarithm of a flat over its level, float32 (y, x); zero in bad pixels."""
    signal = np.asarray(frame, np.float32) - dark
    least = 1e-3 * float(np.median(signal[~bad]))
    logs = np.log(np.maximum(signal, max(least, 1e-6)))
    return np.where(bad, 0, logs - logs[~bad].mean()).astype(np.float32)


def _without_outliers(logs: Float32Array) -> Float32Array:
    limit = _LARGEST_SIGMAS * np.float32(np.std(logs))
    return np.clip(logs, -limit, limit)


def _scores(logs: Float32Array, most: int) -> Float32Array:
    """Return how much of each component is in each flat, float32 (flat, component).

    A component counts if it is stronger than the strongest one of the same readings in random
    order; those before it have been taken out.
    """
    rng = np.random.default_rng(0)
    scores: list[Float32Array] = []
    while len(scores) < most:
        variance, score = _strongest(logs)
        shuffled = [_strongest(rng.permuted(logs, axis=0))[0] for _ in range(_SHUFFLES)]
        if variance <= _ABOVE_SHUFFLED * max(shuffled):
            break
        scores.append(score)
        logs = logs - np.outer(score, score @ logs)
    return np.stack(scores, axis=1) if scores else np.zeros((len(logs), 0), np.float32)


def _strongest(logs: Float32Array) -> tuple[float, Float32Array]:
    """Return the variance of the strongest component, and how much of it is in each flat."""
    variances, scores = np.linalg.eigh(logs @ logs.T)
    return float(variances[-1]), scores[:, -1]


def _modes(
    frames: Sequence[RawArray], dark: Float32Array, bad: BoolArray, scores: npt.NDArray[np.float32]
) -> Float32Array:
    """Put the modes together frame by frame."""
    modes = np.zeros((scores.shape[1], *bad.shape), np.float32)
    scores = scores - scores.mean(axis=0)
    for frame, of_frame in zip(frames, scores, strict=True):
        logs = _log_beam(frame, dark, bad)
        for mode, score in zip(modes, of_frame, strict=True):
            mode += score * logs
    modes /= np.sqrt(len(frames))
    repair = plan_repair(bad)
    for mode in modes:
        mode.flat[repair.pixels] = np.sum(mode.flat[repair.neighbours] * repair.weights, axis=1)
    return modes


def _places(shape: tuple[int, ...], axis: int, cells: BoolArray | None) -> npt.NDArray[np.int64]:
    """Return the numbers of neighbouring pixels along an axis, int64 (2, pair), a sample of all."""
    pixels = np.arange(shape[0] * shape[1]).reshape(shape)
    first, last = np.delete(pixels, -1, axis).reshape(-1), np.delete(pixels, 0, axis).reshape(-1)
    if cells is not None:
        inside = cells.flat[first] & cells.flat[last]
        first, last = first[inside], last[inside]
    step = max(1, len(first) // _SAMPLED_PIXELS)
    return np.stack([first, last])[:, ::step]
