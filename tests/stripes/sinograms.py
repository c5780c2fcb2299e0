"""Sinograms with known stripes, for the tests of this folder."""

import numpy as np


def transmission(n_angles, n_columns, seed, stripes=True):
    """Return the transmission float32 (angle, x) of three discs, with stripes of every kind.

    Noise is continuous: no two values of a column are equal, so that there is one sorted order.
    """
    rng = np.random.default_rng(seed)
    x = np.arange(n_columns) - (n_columns - 1) / 2
    theta = np.linspace(0, np.pi, n_angles, endpoint=False)[:, None]
    paths = np.zeros((n_angles, n_columns))
    for radius, x_0, y_0, density in ((0.38, 0, 0, 2), (0.1, 0.1, 0.1, 1), (0.05, -0.2, 0.05, 3)):
        middle = n_columns * (x_0 * np.cos(theta) + y_0 * np.sin(theta))
        inside = np.clip((radius * n_columns) ** 2 - (x - middle) ** 2, 0, None)
        paths += 2 * density / n_columns * np.sqrt(inside)
    measured = np.exp(-paths) * rng.normal(1, 0.01, paths.shape)
    if stripes:
        measured *= rng.normal(1, 0.01, n_columns)
        third, half = n_columns // 3, n_columns // 2
        measured[:, third : third + 3] *= 1.3
        measured[:, half] = 0.6
        measured[:, n_columns // 4] = rng.uniform(0.3, 1.0, n_angles)
    return measured.astype(np.float32)
