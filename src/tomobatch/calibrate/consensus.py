"""Which of several methods to believe, and whether another one bears it out (decision 50)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Errors that all rows share and that the scatter over rows therefore does not show, measured on
# phantoms with noise, stripes and a drifting beam (benchmarks/calibration.py). The mirror method
# has one pair of projections in a half turn, hundreds in a full turn.
SHARED_ERROR_PX = {"wedge": 0.05, "mirror": 0.1, "moments": 0.3, "negativity": 0.2}
SHARED_ERROR_FULL_TURN_PX = {**SHARED_ERROR_PX, "mirror": 0.02}
# Methods of one family use the same part of the sinogram and may be wrong together.
FAMILY = {"wedge": "seam", "mirror": "seam", "moments": "mass", "negativity": "slice"}
AGREEMENT_SIGMAS = 3.0
WORTHLESS_PX = 2.0  # a check that tolerates more bears nothing out


@dataclass(frozen=True)
class MethodResult:
    """The cor at the middle row by one method.

    Attributes
    ----------
    cor_px
        The cor.
    sigma_px
        Its standard deviation by the scatter over rows.
    error_px
        The same with the error that all rows share.
    n_rows
        Rows it is from.
    """

    cor_px: float
    sigma_px: float
    error_px: float
    n_rows: int


def method_result(
    method: str, cor_px: float, sigma_px: float, n_rows: int, is_full_turn: bool
) -> MethodResult:
    """Return a method's result with its whole error."""
    shared = (SHARED_ERROR_FULL_TURN_PX if is_full_turn else SHARED_ERROR_PX)[method]
    return MethodResult(cor_px, sigma_px, float(np.hypot(sigma_px, shared)), n_rows)


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
        """Whether the difference is within a tolerance that means something."""
        return abs(self.difference_px) <= self.tolerance_px <= WORTHLESS_PX


def choose(results: Mapping[str, MethodResult]) -> tuple[str, Check | None]:
    """Return the method to believe and its check by an independent one.

    The most certain method that one of another family bears out; failing that, the most certain
    that any bears out; failing that, the most certain.

    Parameters
    ----------
    results
        By method, at least one.
    """
    order = sorted(results, key=lambda method: results[method].error_px)
    checks = {
        one: [compare(results, one, other) for other in order if other != one] for one in order
    }
    for same_family_too in (False, True):
        for one in order:
            for check in checks[one]:
                if check.agrees and (same_family_too or FAMILY[check.method] != FAMILY[one]):
                    return one, check
    best = order[0]
    independent = [check for check in checks[best] if FAMILY[check.method] != FAMILY[best]]
    return best, next(iter(independent + checks[best]), None)


def compare(results: Mapping[str, MethodResult], method: str, other: str) -> Check:
    """Return how `other` compares with `method`."""
    one, two = results[method], results[other]
    return Check(
        method=other,
        cor_px=two.cor_px,
        difference_px=two.cor_px - one.cor_px,
        tolerance_px=AGREEMENT_SIGMAS * float(np.hypot(one.error_px, two.error_px)),
    )
