"""Two opposite views compared about a trial axis: how they differ, and which way to move."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from tomobatch.calibrate.frames import Frames

Floats = NDArray[np.float64]

N_STRIPS = 12
NARROWEST_PX = 5
LIKELY_SLOPE = 0.03  # a tilt of 1.7 degrees: what is expected of a stage, before looking
LEAST_DETAIL = 0.02  # share of the gradients' power that both views have in common


@dataclass
class Comparison:
    """Sums over all pixels and pairs, for parameters (cor, slope) or (cor,).

    Attributes
    ----------
    alike_px
        Of the frames compared.
    hessian
        Of half the squared difference, by the product of the two views' gradients.
    score_power
        Sum of the squared gradients of the difference.
    scores
        Gradient of half the squared difference, a row for each strip at one distance from the
        axis: shape (strip, parameter). Stripes of the detector err alike on both sides of it.
    difference, power, product, n_pixels
        Sums of the squared difference, of both views' squares, of their product; and pixels.
    differences
        Weighted, a picture (y, x) for each pair of views.
    row_scores, row_hessians
        The same of the cor alone, by position of the row.
    """

    n_free: int
    alike_px: float
    hessian: Floats = field(init=False)
    score_power: Floats = field(init=False)
    scores: list[Floats] = field(default_factory=list)
    difference: float = 0.0
    power: float = 0.0
    product: float = 0.0
    n_pixels: float = 0.0
    differences: list[Floats] = field(default_factory=list)
    row_scores: dict[float, float] = field(default_factory=dict)
    row_hessians: dict[float, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.hessian = np.zeros((self.n_free, self.n_free))
        self.score_power = np.zeros((self.n_free, self.n_free))

    @property
    def likeness(self) -> float:
        """Correlation of the two views."""
        return 2 * self.product / max(self.power, 1e-300)

    @property
    def significance(self) -> float:
        """The likeness in standard deviations of that of unlike views (Fisher's z)."""
        n_independent = max(self.n_pixels / self.alike_px, 1.0)
        return float(np.arctanh(np.clip(self.likeness, -0.9999, 0.9999)) * np.sqrt(n_independent))

    @property
    def difference_px(self) -> float:
        """Mean squared difference at the best cor for this slope."""
        score, hessian = np.sum(self.scores, axis=0)[0], self.hessian[0, 0]
        gain = score**2 / hessian if hessian > 0 else 0.0
        return float(self.difference - gain) / max(self.n_pixels, 1.0)

    @property
    def n_independent(self) -> float:
        """Independent values of the difference, as alike as its neighbouring pixels are.

        What stands still on the detector differs alike on both sides of the axis, and counts half.
        """
        likeness = weight = 0.0
        for picture in self.differences:
            length = [2 * n for n in picture.shape]
            alike = fft.irfft2(np.abs(fft.rfft2(picture, length)) ** 2, length)
            likeness += float(np.sum(alike**2)) / max(float(alike[0, 0]), 1e-300)
            weight += float(alike[0, 0])
        # Of smoothed white noise, the squares of the correlations add up to half of their sum.
        wider = max(1.0, likeness / max(weight, 1e-300) / (self.alike_px / 2))
        return self.n_pixels / (2 * self.alike_px * wider)

    @property
    def tells_slope(self) -> bool:
        """Whether the views are alike enough in detail to tell the slope beside the cor."""
        scale = np.sqrt(np.diag(self.score_power))
        return (
            self.n_free == 2
            and bool(scale.all())
            and (np.linalg.eigvalsh(self.hessian / np.outer(scale, scale))[0] > LEAST_DETAIL)
        )

    @property
    def _prior(self) -> Floats:
        """What is known of the parameters beforehand, in units of the hessian."""
        known = np.zeros(self.n_free)
        known[1:] = self._noise / LIKELY_SLOPE**2
        return np.diag(known)

    @property
    def _noise(self) -> float:
        """Variance of the score, in units of `score_power`."""
        return self.difference / max(self.n_pixels, 1.0) * self.alike_px

    def step(self, line: Floats) -> Floats:
        """Return the Gauss-Newton step from the line (cor, slope).

        Far from the best place the product of the gradients is no measure of curvature; there the
        squares take its place, with which the steps are short but right.
        """
        is_near = self.tells_slope or (self.n_free == 1 and self.hessian[0, 0] > 0)
        curvature = self.hessian if is_near else self.score_power
        score = np.sum(self.scores, axis=0) + self._prior @ line[: self.n_free]
        return np.asarray(-np.linalg.lstsq(curvature + self._prior, score, rcond=None)[0])

    def covariance(self) -> Floats:
        """Return the covariance of the parameters: by white noise, and by the scatter of strips.

        Whichever is more, for each parameter. Means something only at the best place.
        """
        inverse, scores = np.linalg.pinv(self.hessian + self._prior), np.array(self.scores)
        by_noise = inverse @ (self._noise * (self.score_power + self._prior)) @ inverse
        by_strips = inverse @ (scores.T @ scores) @ inverse
        by_strips *= len(scores) / max(len(scores) - self.n_free, 1)
        if not np.diag(by_noise).all():
            return np.asarray(by_strips)  # alike to the last bit: there is no noise to scale
        more = np.sqrt(np.maximum(np.diag(by_strips) / np.diag(by_noise), 1.0))
        return np.asarray(by_noise * np.outer(more, more))

    def rows_px(self, line: Floats) -> dict[float, float]:
        """Return where each row alone would have its cor, by its position."""
        typical = float(np.median(list(self.row_hessians.values())))
        return {
            position: float(
                line[0]
                + line[1] * position
                + np.clip(-score / max(self.row_hessians[position], 0.2 * typical, 1e-300), -3, 3)
            )
            for position, score in self.row_scores.items()
        }


def compare(frames: Sequence[Frames], line: Floats, n_free: int) -> Comparison | None:
    """Compare views about the axis ``line[0] + line[1] * position``.

    Compared is a stretch about the axis that both views hold for every pixel of it, faded out at
    its ends: no part of the difference is then due to how much overlaps.

    Returns
    -------
    None where fewer than 11 columns overlap.
    """
    n_x = frames[0].one.shape[-1]
    farthest = max(float(np.abs(f.positions).max()) for f in frames)
    reach = int(min(line[0], n_x - 1 - line[0]) - 1 - abs(line[1]) * farthest)
    if reach < NARROWEST_PX:
        return None
    t = np.arange(-reach, reach + 1, dtype=np.float64)
    fade = np.clip((reach + 1 - np.abs(t)) / max(min(n_x / 16, reach / 3), 2), 0, 1)
    fade = fade * fade * (3 - 2 * fade)
    sums = Comparison(n_free, frames[0].alike_px)
    for frame in frames:
        rows, columns = np.meshgrid(np.arange(len(frame.positions)), t, indexing="ij")
        z = frame.positions[:, None]
        # In the picture of the leaning axis, (t, z) of one view is (-t, z) of the other.
        x, lift = line[0] + line[1] * z, columns * line[1]
        y_one, y_other = rows - lift, rows + lift
        inside = frame.is_good[:, None] & (np.minimum(y_one, y_other) >= 0)
        inside &= np.maximum(y_one, y_other) <= len(rows) - 1
        weight = fade * inside
        for one, other in zip(frame.one, frame.other, strict=True):
            _add(
                sums,
                _sampled(one, y_one, x + columns),
                _sampled(other, y_other, x - columns),
                z,
                t,
                weight,
            )
    return sums


def _sampled(view: NDArray[np.float32], y: Floats, x: Floats) -> Floats:
    return np.asarray(ndimage.map_coordinates(view, [y, x], order=3, mode="nearest"), np.float64)


def _add(
    sums: Comparison, one: Floats, other: Floats, z: Floats, t: Floats, weight: Floats
) -> None:
    """Add what one pair of views says; both given in the picture of the axis."""
    one_t, other_t = np.gradient(one, axis=1), np.gradient(other, axis=1)
    if len(one) > 1:
        one_z, other_z = np.gradient(one, axis=0), np.gradient(other, axis=0)
    else:
        one_z = other_z = np.zeros_like(one)
    # By the cor and by the slope: x of both grows; y of one falls with t, of the other grows.
    by_one = [one_t, z * one_t - t * one_z][: sums.n_free]
    by_other = [-other_t, -z * other_t + t * other_z][: sums.n_free]
    difference = one - other
    grown = [a - b for a, b in zip(by_one, by_other, strict=True)]
    for i in range(sums.n_free):
        for j in range(sums.n_free):
            sums.hessian[i, j] -= 2 * np.sum(
                weight * (by_one[i] * by_other[j] + by_one[j] * by_other[i])
            )
            sums.score_power[i, j] += np.sum(weight**2 * grown[i] * grown[j])
    strips = (np.abs(t) * N_STRIPS / (np.abs(t).max() + 1)).astype(np.intp)
    by_column = [np.sum(weight * gradient * difference, axis=0) for gradient in grown]
    sums.scores.extend(
        np.stack([np.bincount(strips, column, N_STRIPS) for column in by_column], axis=1)
    )
    sums.differences.append(weight * difference)
    sums.difference += float(np.sum(weight * difference**2))
    sums.power += float(np.sum(weight * (one**2 + other**2)))
    sums.product += float(np.sum(weight * one * other))
    sums.n_pixels += float(weight.sum())
    row_scores = np.sum(weight * grown[0] * difference, axis=1)
    row_hessians = -4 * np.sum(weight * by_one[0] * by_other[0], axis=1)
    for position, score, hessian, is_used in zip(
        z[:, 0], row_scores, row_hessians, np.any(weight > 0, axis=1).tolist(), strict=True
    ):
        if is_used:
            at = float(position)
            sums.row_scores[at] = sums.row_scores.get(at, 0.0) + float(score)
            sums.row_hessians[at] = sums.row_hessians.get(at, 0.0) + float(hessian)
