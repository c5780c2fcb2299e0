"""How the iterations of all reconstruct jobs went."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tomobatch.arrays import Float64Array


@dataclass(frozen=True, eq=False)
class ScanConvergence:
    """The iterations of a whole scan.

    Attributes
    ----------
    residuals : float64 (3, step)
        Least, median and greatest of the slices' residuals over the norm of their projections, at
        the start and after every iteration; the median is that of the chunks' medians.
    noise
        What noise alone would leave, in the middle chunk.
    iterations
        The fewest and the most that a slice took.
    """

    residuals: Float64Array
    noise: float
    iterations: tuple[int, int]


def gather_convergence(records: Sequence[dict[str, Any]]) -> ScanConvergence | None:
    """Return how the iterations of a scan went by the records of its jobs; None if none iterated.

    A chunk that stopped earlier than others stays at its last residuals.
    """
    chunks = [
        record["timeline"]["convergence"]
        for record in records
        if record.get("timeline", {}).get("convergence")
    ]
    if not chunks:
        return None
    n_steps = max(len(one["residuals"][0]) for one in chunks)
    every = np.array(
        [
            [curve + curve[-1:] * (n_steps - len(curve)) for curve in one["residuals"]]
            for one in chunks
        ]
    )
    least, middle, greatest = every[:, 0], every[:, 1], every[:, 2]
    counts = [count for one in chunks for count in one["iterations"]]
    return ScanConvergence(
        residuals=np.array([least.min(axis=0), np.median(middle, axis=0), greatest.max(axis=0)]),
        noise=float(np.median([one["noise"] for one in chunks])),
        iterations=(min(counts), max(counts)),
    )
