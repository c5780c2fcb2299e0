"""The projector as a matrix and the methods in plain float64 numpy: what kernels are compared with.

The matrix is built pixel by pixel from the definition, not by the way the kernels go.
"""

import numpy as np

from tomobatch.arrays import Float64Array
from tomobatch.reconstruct.iterative.projector import Grid


def matrix(grid: Grid) -> Float64Array:
    """Return A, float64 (angle * sample, row * column); pixels outside the mask have no weight.

    A ray that stands steeper than 45 degrees meets each row of pixels once, and shares itself
    between the two pixels beside; a pixel off the ray by d along its row has the weight
    ``max(0, 1 - d)`` times the ray's way in the row. Flatter ones meet columns likewise.
    """
    whole = grid.geometry
    x, y = whole.x_px / whole.binning, whole.y_px / whole.binning
    offsets = np.arange(grid.n_samples) - grid.axis
    found = np.empty((whole.n_angles, grid.n_samples, len(y), len(x)))
    for at, angle in enumerate(whole.angles_rad):
        cosine, sine = np.cos(angle), np.sin(angle)
        longer = max(abs(cosine), abs(sine))
        from_ray = np.add.outer(y * sine, x * cosine) - offsets[:, None, None]
        found[at] = np.maximum(0, 1 - np.abs(from_ray) / longer) / longer
    if whole.mask_radius_px is not None:
        outside = np.add.outer(whole.y_px**2, whole.x_px**2) > whole.mask_radius_px**2
        found[..., outside] = 0
    return found.reshape(whole.n_angles * grid.n_samples, -1)


def sirt_twin(
    a: Float64Array, b: Float64Array, n_iterations: int, lowest: float = -np.inf
) -> Float64Array:
    """Return the image after so many iterations from zero; ``a`` of the seen rays alone."""
    rows, columns = _inverse(a.sum(axis=1)), _inverse(a.sum(axis=0))
    x = np.zeros(a.shape[1])
    for _ in range(n_iterations):
        x = np.maximum(x + columns * (a.T @ (rows * (b - a @ x))), lowest)
    return x


def cgls_twin(a: Float64Array, b: Float64Array, n_iterations: int) -> Float64Array:
    """Return the image after so many iterations from zero."""
    x, residual = np.zeros(a.shape[1]), b.copy()
    gradient = direction = a.T @ residual
    for _ in range(n_iterations):
        projected = a @ direction
        step = (gradient @ gradient) / (projected @ projected)
        x = x + step * direction
        residual = residual - step * projected
        last, gradient = gradient, a.T @ residual
        direction = gradient + (gradient @ gradient) / (last @ last) * direction
    return x


def tv_twin(
    a: Float64Array,
    b: Float64Array,
    n_iterations: int,
    strength: float,
    inside: Float64Array,
    lowest: float = -np.inf,
) -> Float64Array:
    """Return the image after so many iterations from zero.

    ``strength`` is lambda; ``inside`` tells the pixels that the mask lets through, (row, column),
    or the voxels of a volume.
    """
    share = 1 / (1 + a.sum(axis=1))
    columns, axes = a.sum(axis=0), range(inside.ndim)
    step = np.where(columns > 0, 1 / (columns + 2 * inside.ndim), 0).reshape(inside.shape)
    x = ahead = np.zeros(inside.shape)
    rays, gradient = np.zeros(len(b)), [np.zeros(inside.shape) for _ in axes]
    for _ in range(n_iterations):
        rays = rays + share * (b - a @ ahead.ravel() - rays)
        for axis, part in enumerate(gradient):
            part[_but_last(axis)] += 0.5 * np.diff(ahead, axis=axis) * _both(inside, axis)
        over = np.maximum(1, np.sqrt(sum(part**2 for part in gradient)) / strength)
        gradient = [part / over for part in gradient]
        pull = (a.T @ rays).reshape(inside.shape) + sum(gradient)
        for axis, part in enumerate(gradient):
            pull[_but_first(axis)] -= part[_but_last(axis)]
        now = np.maximum(x + step * pull, lowest)
        x, ahead = now, 2 * now - x
    return x.ravel()


def _but_last(axis: int) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, slice(None, -1))


def _but_first(axis: int) -> tuple[slice, ...]:
    return (*[slice(None)] * axis, slice(1, None))


def _both(inside: Float64Array, axis: int) -> Float64Array:
    """Return 1 where a pixel and the next one along an axis are inside."""
    return np.asarray(inside[_but_last(axis)] * inside[_but_first(axis)])


def _inverse(sums: Float64Array) -> Float64Array:
    return np.divide(1, sums, out=np.zeros_like(sums), where=sums > 1e-3)
