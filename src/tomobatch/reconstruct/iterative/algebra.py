"""Sums, steps and shrinkage of interleaved images and rays: the host side of ``algebra.cl``."""

from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.arrays import Float64Array
from tomobatch.opencl.buffers import Shared, uploaded
from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import load_kernel
from tomobatch.reconstruct.iterative.cut import Cut
from tomobatch.reconstruct.iterative.projector import PACKAGE

_NAMES = (
    *("sum_squares", "add_scaled", "invert", "step_along", "pull_rays", "shrink_gradient"),
    *("step_ahead", "cut_slices"),
)


class Algebra:
    """What methods do with images and rays beside projecting them.

    Arrays are float32 (row, place, lane); numbers that differ from slice to slice are given as one
    a lane.

    Attributes
    ----------
    n_directions
        In which the gradient of an image looks: within the slice, so that slices are apart.
    """

    n_directions: ClassVar[int] = 2

    def __init__(self, device: Device, queue: cl.CommandQueue, cut: Cut) -> None:
        program = load_kernel(device, "algebra", cut.algebra, package=PACKAGE)
        self._kernels = {name: cl.Kernel(program, name) for name in _NAMES}
        self._device, self._queue, self._cut = device, queue, cut

    def sum_squares(self, values: Shared, scales: cl.Buffer | None = None) -> Float64Array:
        """Return each slice's sum of the squares of its values, of which the scales are factors.

        Parts are summed on the host, in an order that no block and no device changes.
        """
        n_rows, length, lanes = values.shape
        n_runs = -(-length // self._cut.run)
        parts = np.empty((n_rows, n_runs, lanes), dtype=np.float32)
        out = cl.Buffer(self._device.context, cl.mem_flags.WRITE_ONLY, parts.nbytes)
        scaled = (values.buffer if scales is None else scales, np.int32(scales is not None))
        self._call(
            "sum_squares", values, values.buffer, out, *scaled, np.int32(length), np.int32(n_runs)
        )
        cl.enqueue_copy(self._queue, parts, out)
        total: Float64Array = parts.sum(axis=(0, 1), dtype=np.float64)
        return total

    def add_scaled(self, out: Shared, base: Shared, factor: npt.ArrayLike, values: Shared) -> None:
        """Enqueue ``out = base + factor * values``; out may be either of them."""
        self._call(
            *("add_scaled", out, out.buffer, base.buffer, self._of_lanes(factor), values.buffer),
            np.int32(out.shape[1]),
        )

    def invert(self, values: Shared, *, offset: float, least: float) -> None:
        """Enqueue ``values = 1 / (values + offset)``, or 0 where they are not above ``least``."""
        self._call(
            *("invert", values, values.buffer, np.float32(offset), np.float32(least)),
            np.int32(values.shape[1]),
        )

    def step_along(
        self,
        image: Shared,
        gradient: Shared,
        steps: Shared,
        active: npt.ArrayLike,
        lowest: float,
    ) -> None:
        """Enqueue ``image += active * steps * gradient``, not below ``lowest``."""
        self._call(
            *("step_along", image, image.buffer, gradient.buffer, steps.buffer),
            *(self._of_lanes(active), np.float32(lowest), np.int32(image.shape[1])),
        )

    def pull_rays(self, dual: Shared, residual: Shared, shares: cl.Buffer) -> None:
        """Enqueue ``dual = (1 - share) * dual + share * residual``, shares (angle, sample)."""
        length = np.int32(dual.shape[1])
        self._call("pull_rays", dual, dual.buffer, residual.buffer, shares, length)

    def shrink_gradient(
        self,
        gradient: tuple[Shared, ...],
        image: Shared,
        chords: cl.Buffer,
        bound: npt.ArrayLike,
    ) -> None:
        """Enqueue a dual step of the gradient's norm: half the gradient on, then into a disc."""
        side, length, _ = image.shape
        across, down = gradient
        self._call(
            *("shrink_gradient", image, across.buffer, down.buffer, image.buffer, chords),
            *(self._of_lanes(bound), np.int32(side), np.int32(self._cut.pad_px), np.int32(length)),
        )

    def step_ahead(
        self,
        image: Shared,
        ahead: Shared,
        steps: Shared,
        gradient: tuple[Shared, ...],
        active: npt.ArrayLike,
        lowest: float,
    ) -> None:
        """Enqueue a primal step along ``ahead``, which becomes the point beyond the new image."""
        across, down = gradient
        self._call(
            *("step_ahead", image, image.buffer, ahead.buffer, steps.buffer),
            *(across.buffer, down.buffer, self._of_lanes(active)),
            *(np.float32(lowest), np.int32(image.shape[1])),
        )

    def cut_slices(
        self,
        image: Shared,
        slices: cl.Buffer,
        shape: tuple[int, int, int],
        corner: tuple[int, int],
        scale: float,
    ) -> None:
        """Enqueue the region of a shape (slice, row, column) at a corner, times ``scale``."""
        n_slices, height, width = shape
        stride = image.shape[1]
        first = corner[0] * stride + self._cut.pad_px + corner[1]
        group = self._cut.group
        self._kernels["cut_slices"](
            *(self._queue, (-(-width // group) * group, height), (group, 1)),
            *(image.buffer, slices, np.int32(n_slices), np.int32(width), np.int32(height)),
            *(np.int32(first), np.int32(stride), np.float32(scale)),
        )

    def _call(self, name: str, like: Shared, *arguments: cl.Buffer | np.generic) -> None:
        """Enqueue a kernel over all values of an array."""
        n_rows, length, _ = like.shape
        cut = self._cut
        across = -(-length // cut.run) * (cut.lanes // cut.width)
        size = (-(-across // cut.group) * cut.group, n_rows)
        kernel = self._kernels[name]
        kernel(self._queue, size, (cut.group, 1), *arguments)

    def _of_lanes(self, numbers: npt.ArrayLike) -> cl.Buffer:
        every = np.broadcast_to(np.asarray(numbers, dtype=np.float32), (self._cut.lanes,))
        return uploaded(self._device.context, every)
