"""Engines kept from one call for the next of the same shape.

To build an engine, with its tables and buffers, takes as long as some ten slices; a caller who goes
through a scan in pieces would pay for it every time.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Callable

from tomobatch.reconstruct.engine import Engine
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.methods import Plan
from tomobatch.reconstruct.settings import ReconstructSettings

Shape = tuple[object, ...]


def shape_of(geometry: Geometry, settings: ReconstructSettings, n_rows: int) -> Shape:
    """Return what must be alike for engines to serve again; a forked process has none of ours."""
    return (
        os.getpid(),
        n_rows,
        settings.model_dump_json(),
        geometry.angles_rad.tobytes(),
        geometry.angle_weights.tobytes(),
        geometry.n_cols,
        geometry.size_px,
        geometry.roi,
        geometry.binning,
        geometry.mask_radius_px,
        geometry.half_acquisition,
    )


class Shelf:
    """The plan and the engines of the last shape, each engine in one thread's hands at a time.

    Parameters
    ----------
    lasts
        Whether another call may come.
    """

    def __init__(self, *, lasts: bool = True) -> None:
        self._lasts = lasts
        self._lock = threading.Lock()
        self._shape: Shape | None = None
        self._plan: Plan | None = None
        self._engines: defaultdict[int, list[Engine]] = defaultdict(list)

    def plan(self, shape: Shape, make: Callable[[], Plan]) -> Plan:
        """Return the plan for a shape; engines of another shape give their memory back first."""
        with self._lock:
            if shape == self._shape and self._plan is not None:
                return self._plan
            self._empty()
            self._plan = make()
            self._shape = shape
            return self._plan

    def take(self, shape: Shape, number: int) -> Engine | None:
        """Return an engine for this shape on device ``number``, if one lies here."""
        with self._lock:
            kept = self._engines[number]
            return kept.pop() if shape == self._shape and kept else None

    def put(self, shape: Shape, number: int, engine: Engine) -> None:
        """Leave an engine that has done its work, unless another shape is under way."""
        with self._lock:
            if shape == self._shape:
                self._engines[number].append(engine)

    def lanes(self, plan: Plan, n_rows: int) -> int:
        """Return how many lanes an engine has that computes a block of so many rows.

        Where another call may come all are alike, and some lanes of the last block are empty:
        which engine takes it is a matter of time, but not what comes of it. That costs less than an
        engine for the last block alone and, next time, one for the whole blocks again.
        """
        return plan.lanes if self._lasts else plan.lanes_for(n_rows)

    def clear(self) -> None:
        """Give all memory back."""
        with self._lock:
            self._empty()

    def _empty(self) -> None:
        self._shape, self._plan = None, None
        self._engines.clear()
