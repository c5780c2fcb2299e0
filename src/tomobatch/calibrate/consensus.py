"""Which of several methods to believe, and whether another one bears it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Errors that all rows share and that the scatter over rows therefore does not show, measured on
# phantoms with noise, stripes and a drifting beam (benchmarks/calibration.py).
SHARED_ERROR_PX = {"wedge": 0.05, "mirror": 0.05, "moments": 0.3, "negativity": 0.2}
# Methods of one family use the same part of the sinogram and may be wrong together.
FAMILY = {"wedge": "seam", "mirror": "seam", "moments": "mass", "negativity": "slice"}
AGREEMENT_SIGMAS = 3.0


@dataclass(frozen=True)
class MethodResult:
    """The cor at the middle row by one method, its uncertainty over rows, and their number."""

    cor_px: float
    sigma_px: float
    n_rows: int


@dataclass(frozen=True)
class Check:
    """How the chosen method compares with an independent one.

    Attributes
    ----------
    method, cor_px
        The independent method, and its cor at the middle row.
    difference_px
        Its cor less the chosen one.
    tolerance_px
        The difference that their uncertainties explain.
    """

    method: str
    cor_px: float
    difference_px: float
    tolerance_px: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is within the tolerance."""
        return abs(self.difference_px) <= self.tolerance_px


def choose(
    results: Mapping[str, MethodResult], trusted: tuple[str, ...]
) -> tuple[str, Check | None]:
    """Return the method to believe and its check by an independent one.

    The first in the order of trust that a method of another family bears out; failing that, the
    first that any method bears out; failing that, the first.

    Parameters
    ----------
    results
        At least one.
    trusted
        All methods, the most trusted first.
    """
    order = [method for method in trusted if method in results]
    checks = {
        method: [compare(results, method, other) for other in order if other != method]
        for method in order
    }
    for same_family_too in (False, True):
        for method in order:
            good = [
                check
                for check in checks[method]
                if check.agrees and (same_family_too or FAMILY[check.method] != FAMILY[method])
            ]
            if good:
                return method, min(good, key=lambda check: check.tolerance_px)
    first = order[0]
    independent = [c for c in checks[first] if FAMILY[c.method] != FAMILY[first]]
    return first, min(independent or checks[first], key=lambda c: c.tolerance_px, default=None)


def compare(results: Mapping[str, MethodResult], method: str, other: str) -> Check:
    """Return how `other` compares with `method`."""
    one, two = results[method], results[other]
    errors = (one.sigma_px, two.sigma_px, SHARED_ERROR_PX[method], SHARED_ERROR_PX[other])
    return Check(
        method=other,
        cor_px=two.cor_px,
        difference_px=two.cor_px - one.cor_px,
        tolerance_px=AGREEMENT_SIGMAS * float(np.linalg.norm(errors)),
    )
