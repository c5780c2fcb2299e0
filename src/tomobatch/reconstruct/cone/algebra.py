"""What iterations do with a whole volume beside projecting it: the host side of ``gradient.cl``."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.opencl.buffers import Shared
from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import load_kernel
from tomobatch.reconstruct.cone.projector import PACKAGE, ConeProjector
from tomobatch.reconstruct.iterative.algebra import Algebra
from tomobatch.reconstruct.iterative.cut import choose_cut

# Values that a work-item sums up; those of neighbours lie so far apart.
_RUN = 256


class VolumeAlgebra(Algebra):
    """Sums, steps and shrinkage of a volume, which is one lane; its gradient looks along z as well.

    Parameters
    ----------
    device, queue
        Where it runs.
    projector
        Whose volumes they are.
    """

    n_directions: ClassVar[int] = 3

    def __init__(self, device: Device, queue: cl.CommandQueue, projector: ConeProjector) -> None:
        super().__init__(device, queue, replace(choose_cut(device, 1), run=_RUN))
        program = load_kernel(device, "gradient", package=PACKAGE)
        self._shrink = cl.Kernel(program, "shrink_gradient")
        self._step = cl.Kernel(program, "step_ahead")
        self._projector = projector
        side = projector.grid.side
        self._size = (projector.n_z, side, side)

    def shrink_gradient(
        self,
        gradient: tuple[Shared, ...],
        image: Shared,
        chords: cl.Buffer,
        bound: npt.ArrayLike,
    ) -> None:
        """See ``Algebra``; into a ball."""
        first = self._projector.pad
        stop = first + self._projector.grid.n_slices
        self._shrink(
            *(self._queue, self._size, None),
            *(one.buffer for one in gradient),
            *(image.buffer, chords, self._of_lanes(bound)),
            *map(np.int32, (self._projector.grid.side, first, stop)),
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
        """See ``Algebra``."""
        self._step(
            *(self._queue, self._size, None),
            *(image.buffer, ahead.buffer, steps.buffer),
            *(one.buffer for one in gradient),
            *(self._of_lanes(active), np.float32(lowest)),
        )
