"""TV: least squares with a penalty on the slice's total variation.

Minimises ``1/2 |b - A x|^2 + lambda TV(x)`` by the primal-dual steps of Chambolle and Pock, each
ray and pixel with a step of its own: one over the sums of the rows and of the columns of A and of
the gradient. Flat regions with sharp borders come out from few angles.

References
----------
Chambolle and Pock (2011), J. Math. Imaging Vis. 40, 120-145; Pock and Chambolle (2011), ICCV,
1762-1769 (the steps); Sidky, Jørgensen and Pan (2012), Phys. Med. Biol. 57, 3065-3091.
"""

import numpy as np

from tomobatch.arrays import BoolArray, Float64Array
from tomobatch.reconstruct.iterative.workspace import Iteration, Measured, Workspace

# Differences along a direction that a pixel takes part in: its column sum of the gradient.
_DIFFERENCES = 2.0
# Of the rays' root mean square: what pixels leave of them however little noise there is.
_LEAST_NOISE = 0.005


class TotalVariation(Iteration):
    """TV-regularised least squares of a block of slices.

    The residual is that of the point ahead of the slice from which the next step is taken; in the
    end they meet. Lambda is the strength times what noise alone makes of a pixel's gradient of the
    least squares, sigma times the root of the number of angles, and so much at least as if sigma
    were five thousandths of the rays.
    """

    n_images, n_gradients, n_rays = 4, 1, 3

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        lengths = workspace.lengths_px
        # The dual of the rays moves by 1/length, and back by 1 / (1 + 1/length).
        shares = np.divide(1, 1 + lengths, out=np.zeros_like(lengths), where=lengths > 0)
        self._shares = workspace.upload(shares)
        self._dual = workspace.like_rays()
        self._steps, self._ahead = workspace.like_image(), workspace.like_image()
        n_directions = workspace.algebra.n_directions
        self._gradient = tuple(workspace.like_image() for _ in range(n_directions))

    def begin(self, measured: Measured) -> None:
        """See ``Iteration``."""
        at = self.at
        self._seen = at.upload(measured.seen)
        offset = _DIFFERENCES * at.algebra.n_directions
        at.fill_steps(self._steps, measured.seen, offset=offset)
        for array in (self._dual, self._ahead, *self._gradient):
            at.fill_zeros(array)
        at.algebra.add_scaled(self._ahead, at.image, 0.0, self._ahead)
        noise = np.maximum(measured.sigma, _LEAST_NOISE * measured.rms)
        self._bound = at.strength * noise * np.sqrt(at.rays.shape[0])

    def measure(self) -> Float64Array:
        """See ``Iteration``."""
        at = self.at
        at.projector.project(
            *(at.queue, self._ahead.buffer, at.scratch.buffer, at.residual.buffer),
            *(at.crossing, self._seen, at.rays.buffer),
        )
        return at.algebra.sum_squares(at.residual)

    def advance(self, active: BoolArray) -> None:
        """See ``Iteration``."""
        at, ahead = self.at, self._ahead
        at.algebra.pull_rays(self._dual, at.residual, self._shares)
        at.algebra.shrink_gradient(self._gradient, ahead, at.projector.chords, self._bound)
        at.projector.back_project(at.queue, self._dual.buffer, ahead.buffer)
        at.algebra.step_ahead(at.image, ahead, self._steps, self._gradient, active, at.lowest)
