"""How a kernel is compared with its twin."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.errors import UserError


@dataclass(frozen=True)
class KernelCheck:
    """What came of one kernel with one set of options.

    ``error`` is the largest difference from the float64 twin over the twin's largest value;
    None where the kernel did not build or run, which ``problem`` then tells.
    """

    kernel: str
    options: str
    error: float | None
    tolerance: float
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ran and is within the tolerance (NaN is not)."""
        return self.error is not None and self.error <= self.tolerance


def compare(
    kernel: str, options: str, tolerance: float, run: Callable[[], tuple[npt.ArrayLike, ...]]
) -> KernelCheck:
    """Return how the first array that ``run`` returns compares with the second."""
    try:
        found, expected = (np.asarray(array, dtype=np.float64) for array in run())
    except (UserError, cl.Error) as problem:
        return KernelCheck(kernel, options, None, tolerance, str(problem).splitlines()[0])
    error = float(np.abs(found - expected).max() / np.abs(expected).max())
    return KernelCheck(kernel, options, error, tolerance)
