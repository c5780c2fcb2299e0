"""SIRT: every iteration corrects the slice by the mean of what its rays miss.

``x <- x + C A' R (b - A x)``, with R and C one over the sums of the rows and of the columns of A.
The residual, weighed by R, never grows; details come late, and noise with them.

References
----------
Gregor and Benson (2008), IEEE Trans. Med. Imag. 27, 918-924.
"""

import numpy as np

from tomobatch.arrays import BoolArray, Float64Array
from tomobatch.reconstruct.iterative.workspace import Iteration, Measured, Workspace


class Sirt(Iteration):
    """SIRT of a block of slices."""

    n_images, n_rays = 3, 2

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        lengths = workspace.lengths_px
        shares = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
        self._shares, self._lengths = workspace.upload(shares), workspace.upload(lengths)
        self._steps = workspace.like_image()

    def begin(self, measured: Measured) -> None:
        """See ``Iteration``."""
        self._seen = self.at.upload(measured.seen)
        self.at.fill_steps(self._steps, measured.seen, offset=0.0)

    def measure(self) -> Float64Array:
        """See ``Iteration``."""
        at = self.at
        at.projector.project(
            *(at.queue, at.image.buffer, at.scratch.buffer, at.residual.buffer),
            *(self._shares, self._seen, at.rays.buffer),
        )
        return at.algebra.sum_squares(at.residual, self._lengths)

    def advance(self, active: BoolArray) -> None:
        """See ``Iteration``."""
        at = self.at
        at.projector.back_project(at.queue, at.residual.buffer, at.scratch.buffer)
        at.algebra.step_along(at.image, at.scratch, self._steps, active, at.lowest)
