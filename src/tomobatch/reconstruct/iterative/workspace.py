"""What a method that iterates works with, and what it has to offer."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.arrays import BoolArray, Float32Array, Float64Array
from tomobatch.opencl.buffers import Shared, mapped, uploaded
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.iterative.algebra import Algebra

# Shorter ways of a ray through the slice, in pixels, are left out: to divide by them is noise.
LEAST_LENGTH_PX = 1e-3


class Projects(Protocol):
    """A projector and its exact adjoint; see ``iterative.projector`` and ``cone.projector``."""

    chords: cl.Buffer

    def project(
        self,
        queue: cl.CommandQueue,
        image: cl.Buffer,
        scratch: cl.Buffer,
        rows: cl.Buffer,
        weights: cl.Buffer,
        seen: cl.Buffer,
        target: cl.Buffer | None = None,
    ) -> None:
        """Enqueue ``rows = weight * (target - integral)``."""
        ...

    def back_project(self, queue: cl.CommandQueue, rows: cl.Buffer, image: cl.Buffer) -> None:
        """Enqueue the adjoint."""
        ...


@dataclass(frozen=True, eq=False)
class Workspace:
    """What a method works with, on one device.

    Attributes
    ----------
    device, queue, projector, algebra
        Where and by what it computes.
    image, scratch
        The slices, and a buffer of their size: what is in it is lost when a projection is made.
    rays, residual
        What was measured, and a buffer of its size, (angle, sample, lane).
    lengths_px
        Ways of the rays through the slice, float32 (angle, sample); 0 for those left out.
    crossing
        1 for rays that cross the slice, else 0, (angle, sample).
    lowest
        Least value of a pixel; minus infinity for no constraint.
    strength
        Of the regularisation, in its own terms.
    """

    device: Device
    queue: cl.CommandQueue
    projector: Projects
    algebra: Algebra
    image: Shared
    scratch: Shared
    rays: Shared
    residual: Shared
    lengths_px: Float32Array
    crossing: cl.Buffer
    lowest: float
    strength: float

    def like_image(self) -> Shared:
        """Return a further buffer for an image, of zeros."""
        return self._zeros(self.image.shape)

    def like_rays(self) -> Shared:
        """Return a further buffer for rays, of zeros."""
        return self._zeros(self.rays.shape)

    def fill_steps(self, steps: Shared, seen: Float32Array, offset: float) -> None:
        """Fill an image with 1 / (column sums + offset), 0 where no ray passes.

        Rays (sample, lane) that are not seen count in none. The residual is lost.
        """
        write = cl.map_flags.WRITE_INVALIDATE_REGION
        with mapped(self.queue, self.residual.buffer, self.residual.shape, write) as rays:
            np.multiply((self.lengths_px > 0)[:, :, None], seen, out=rays)
        self.projector.back_project(self.queue, self.residual.buffer, steps.buffer)
        self.algebra.invert(steps, offset=offset, least=LEAST_LENGTH_PX)

    def fill_zeros(self, array: Shared) -> None:
        """Enqueue zeros."""
        zero = np.zeros(1, dtype=np.float32)
        cl.enqueue_fill_buffer(self.queue, array.buffer, zero, 0, array.buffer.size)

    def upload(self, array: npt.NDArray[np.float32]) -> cl.Buffer:
        """Return a buffer with a copy of a table."""
        return uploaded(self.device.context, array)

    def _zeros(self, shape: tuple[int, ...]) -> Shared:
        made = Shared(self.queue, shape)
        self.fill_zeros(made)
        return made


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured of a block.

    Attributes
    ----------
    seen : float32 (sample, lane)
        1 where the detector has a sample of a slice, else 0.
    n_rays, sigma, norm : float64 (lane,)
        Of the rays that cross a slice: how many are seen, their noise, and their norm.
    """

    seen: Float32Array
    n_rays: Float64Array
    sigma: Float64Array
    norm: Float64Array

    @property
    def rms(self) -> Float64Array:
        """Root mean square of the rays."""
        return self.norm / np.sqrt(np.maximum(self.n_rays, 1))

    @property
    def noise(self) -> Float64Array:
        """Norm of what noise alone makes of the rays."""
        return self.sigma * np.sqrt(self.n_rays)


class Iteration(ABC):
    """A method that iterates; see ``sirt``, ``cgls`` and ``tv``.

    Attributes
    ----------
    n_images, n_gradients, n_rays
        Buffers of an image's size that it takes, of a gradient, which is as many images as it has
        directions, and of the rays' size; those of the workspace included.
    """

    n_images: ClassVar[int]
    n_gradients: ClassVar[int] = 0
    n_rays: ClassVar[int]

    @classmethod
    def images_of(cls, algebra: type[Algebra]) -> int:
        """Return the buffers of an image's size that it takes, those of gradients among them."""
        return cls.n_images + cls.n_gradients * algebra.n_directions

    def __init__(self, workspace: Workspace) -> None:
        self.at = workspace

    @abstractmethod
    def begin(self, measured: Measured) -> None:
        """Prepare for a block, whose rays and first image are in the workspace."""

    @abstractmethod
    def measure(self) -> Float64Array:
        """Return the sum of the squared residuals of each slice."""

    @abstractmethod
    def advance(self, active: BoolArray) -> None:
        """Make one iteration, by which the slices that are not active stay as they are."""
