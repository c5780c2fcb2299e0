"""Which of several methods to believe, and whether another one bears it out (decision 50)."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

AGREEMENT_SIGMAS = 3.0
WORTHLESS_PX = 2.0  # a check further off bears nothing out, whatever it tolerates


@dataclass(frozen=True)
class MethodResult:
    """The cor at the middle row by one method.

    Attributes
    ----------
    cor_px
        The cor.
    sigma_px
        Its standard deviation by what the method sees.
    error_px
        The same with what it cannot see: errors that all rows share.
    n_rows
        Rows it is from.
    """

    cor_px: float
    sigma_px: float
    error_px: float
    n_rows: int


@dataclass(frozen=True)
class Check:
    """How the chosen method compares with another one.

    Attributes
    ----------
    method, cor_px
        The other method, and its cor at the middle row.
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
        """Whether it bears the chosen method out: explained, and close enough to mean something."""
        return abs(self.difference_px) <= min(self.tolerance_px, WORTHLESS_PX)

    @property
    def contradicts(self) -> bool:
        """Whether the difference is more than the uncertainties explain."""
        return abs(self.difference_px) > self.tolerance_px


def choose(results: Mapping[str, MethodResult]) -> tuple[str, Check | None]:
    """Return the method to believe and its check by another one.

    Of all pairs of methods that agree, that whose lesser member is the most certain: two fine
    methods that agree are never outvoted by coarse ones. The more certain of the pair is believed.
    Where none agree, the most certain.

    Parameters
    ----------
    results
        By method, at least one.
    """
    order = sorted(results, key=lambda method: results[method].error_px)
    for other_at, one_at in itertools.product(range(len(order)), range(len(order))):
        if one_at < other_at:
            check = compare(results, order[one_at], order[other_at])
            if check.agrees:
                return order[one_at], check
    best = order[0]
    return best, compare(results, best, order[1]) if len(order) > 1 else None


def contradicting(results: Mapping[str, MethodResult], chosen: str) -> Check | None:
    """Return a method that is more certain than the chosen one, and disagrees."""
    for method, result in results.items():
        check = compare(results, chosen, method)
        if result.error_px < results[chosen].error_px and not check.agrees:
            return check
    return None


def compare(results: Mapping[str, MethodResult], method: str, other: str) -> Check:
    """Return how `other` compares with `method`."""
    one, two = results[method], results[other]
    return Check(
        method=other,
        cor_px=two.cor_px,
        difference_px=two.cor_px - one.cor_px,
        tolerance_px=AGREEMENT_SIGMAS * float(np.hypot(one.error_px, two.error_px)),
    )


def mean_of(one: MethodResult, two: MethodResult, shared_px: float) -> tuple[float, float]:
    """Return the mean of two results that agree, weighted by their certainty, and its error.

    Parameters
    ----------
    one, two
        The results.
    shared_px
        The part of their errors that is the same, which the mean does not lower.
    """
    weights = np.array([one.error_px, two.error_px]) ** -2.0
    weights /= weights.sum()
    own = np.maximum(np.array([one.error_px, two.error_px]) ** 2 - shared_px**2, 0.0)
    error_px = float(np.sqrt(np.sum(weights**2 * own) + shared_px**2))
    cor_px = float(weights @ [one.cor_px, two.cor_px])
    return cor_px, min(error_px, one.error_px, two.error_px)
