"""CGLS: conjugate gradients on the least squares ``|b - A x|``, without forming A'A.

The residual falls faster than by any other method that uses as many projections; after ten to
twenty iterations noise grows, so that stopping is the regularisation.

References
----------
Hestenes and Stiefel (1952), J. Res. Natl. Bur. Stand. 49, 409-436, section 10; Björck (1996),
Numerical Methods for Least Squares Problems, algorithm 7.4.1.
"""

import numpy as np

from tomobatch.arrays import BoolArray, Float64Array
from tomobatch.reconstruct.iterative.workspace import Iteration, Measured, Workspace


class Cgls(Iteration):
    """CGLS of a block of slices; the scratch image holds the gradient between two iterations."""

    n_images, n_rays = 3, 3

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self._direction = workspace.like_image()
        self._projected = workspace.like_rays()

    def begin(self, measured: Measured) -> None:
        """See ``Iteration``."""
        at = self.at
        self._seen = at.upload(measured.seen)
        at.projector.project(
            *(at.queue, at.image.buffer, at.scratch.buffer, at.residual.buffer),
            *(at.crossing, self._seen, at.rays.buffer),
        )
        at.fill_zeros(self._direction)
        self._gradient2 = np.zeros(at.image.shape[2])
        self._turn(beta_from_last=False)

    def measure(self) -> Float64Array:
        """See ``Iteration``."""
        return self.at.algebra.sum_squares(self.at.residual)

    def advance(self, active: BoolArray) -> None:
        """See ``Iteration``."""
        at = self.at
        # Projected onto nothing measured, this is minus A p, where seen.
        at.projector.project(
            *(at.queue, self._direction.buffer, at.scratch.buffer, self._projected.buffer),
            *(at.crossing, self._seen),
        )
        length2 = at.algebra.sum_squares(self._projected)
        alpha = active * _ratio(self._gradient2, length2)
        at.algebra.add_scaled(at.image, at.image, alpha, self._direction)
        at.algebra.add_scaled(at.residual, at.residual, alpha, self._projected)
        self._turn(beta_from_last=True)

    def _turn(self, *, beta_from_last: bool) -> None:
        """Take the gradient, and from it the next direction."""
        at, last = self.at, self._gradient2
        at.projector.back_project(at.queue, at.residual.buffer, at.scratch.buffer)
        self._gradient2 = at.algebra.sum_squares(at.scratch)
        beta = _ratio(self._gradient2, last) if beta_from_last else np.zeros_like(last)
        at.algebra.add_scaled(self._direction, at.scratch, beta, self._direction)


def _ratio(above: Float64Array, below: Float64Array) -> Float64Array:
    """Return the quotient; 0 where there is nothing left to divide."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)
