"""The noise of a slice is what was added to it, whatever else the slice shows."""

import numpy as np
import pytest

from tomobatch.calibrate.sharpness import sharpness
from tomobatch.report.quality import noise_level


def objects(size: int) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    discs = [(0.3, 0.4, 0.15), (0.6, 0.65, 0.2), (0.5, 0.2, 0.05)]
    return sum((np.hypot(y / size - v, x / size - u) < r) * (1.0 + r) for v, u, r in discs)


@pytest.mark.parametrize("sigma", [0.02, 0.3])
@pytest.mark.parametrize("size", [255, 256])
def test_noise_is_that_which_was_added(sigma, size):
    noise = np.random.default_rng(5).normal(0, sigma, (size, size))
    # The median of 20,000 differences is known to 1 %; edges add a little where noise is weak.
    assert noise_level(objects(size) + noise) == pytest.approx(sigma, rel=0.06)


def test_an_image_without_noise_has_none():
    assert noise_level(objects(128)) == 0


def test_doubled_edges_are_less_sharp():
    image = objects(256).astype(np.float32)
    counted = np.ones(image.shape, bool)
    doubled = (image + np.roll(image, 3, axis=1)) / 2
    assert sharpness(image, counted) > 1.2 * sharpness(doubled, counted)
    assert sharpness(np.zeros((16, 16), np.float32), np.ones((16, 16), bool)) == 1
