"""Work through the rows of a chunk in blocks that fit the device.

While a block is computed, the next one is read and the last one is written. Several GPUs take
blocks from one list, side by side.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle

import numpy as np

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.errors import UserError
from tomobatch.opencl.devices import Device, find_devices
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.methods import METHODS, Plan, make_plan
from tomobatch.reconstruct.settings import ReconstructSettings
from tomobatch.reconstruct.shelf import Shape, Shelf, shape_of
from tomobatch.reconstruct.timeline import Timeline

Read = Callable[[int, int], Float32Array]
Write = Callable[[int, Float32Array], None]

# Blocks of slices that wait to be written: a disk stalls now and then.
_N_WRITING = 2

logger = logging.getLogger(__name__)


def reconstruct_blocks(
    read: Read,
    write: Write,
    n_rows: int,
    geometry: Geometry,
    cor_px: Float64Array,
    settings: ReconstructSettings,
    *,
    out: Float32Array | None = None,
    shelf: Shelf | None = None,
) -> Timeline:
    """Reconstruct rows [0, n_rows) block by block and tell how the time was spent.

    Parameters
    ----------
    read
        ``read(start, stop)`` returns sinograms float32 (row, angle, x). Called from one thread.
    write
        ``write(start, slices)`` keeps slices float32 (row, ny, nx), which it may change and which
        are overwritten once it has returned. Called from one thread; in order on a CPU, as blocks
        are done on GPUs.
    n_rows
        Number of rows.
    geometry
        What all slices share.
    cor_px : float64 (row,)
        Centre of rotation of every row.
    settings
        Method, filter, padding and device; the geometry has the rest already.
    out : float32 (row, ny, nx), optional
        Where the slices of all rows go, C-contiguous; by default arrays that are used again.
    shelf
        Where engines of this shape may lie, and are left; by default none are.

    Raises
    ------
    UserError
        Sinograms of another shape or with values that are not finite; not even one slice fits.
    """
    devices = find_devices(settings.device)
    shelf = Shelf(lasts=False) if shelf is None else shelf
    shape = shape_of(geometry, settings, n_rows)
    plan = shelf.plan(shape, lambda: _plan(devices, geometry, n_rows, settings))
    timeline = Timeline([one.description for one in devices], plan.description)
    for one in devices:
        logger.info("reconstructing on %s: %s", one.description, plan.description)
    work = _Work(read, write, geometry, cor_px, settings, timeline, plan, shelf, shape, n_rows, out)
    with ExitStack() as stack:
        for pool in (work.reader, work.writer):
            stack.enter_context(pool)
        numbers = [n for n, one in enumerate(devices) for _ in range(one.n_engines)]
        runners = stack.enter_context(ThreadPoolExecutor(len(numbers)))
        running = [runners.submit(work.run, number, devices[number]) for number in numbers]
        for runner in running:
            runner.result()
    return timeline


def _plan(
    devices: Sequence[Device], geometry: Geometry, n_rows: int, settings: ReconstructSettings
) -> Plan:
    """Return the plan of the device with the smallest blocks, which unlike devices share."""
    n_iterations = settings.n_iterations(settings.method)
    plans = (
        make_plan(one, geometry, n_rows, settings.method, n_iterations=n_iterations)
        for one in devices
    )
    return min(plans, key=lambda plan: plan.lanes)


@dataclass
class _Work:
    """The blocks of one run and what its threads share."""

    read: Read
    write: Write
    geometry: Geometry
    cor_px: Float64Array
    settings: ReconstructSettings
    timeline: Timeline
    plan: Plan
    shelf: Shelf
    shape: Shape
    n_rows: int
    out: Float32Array | None
    reader: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    lock: threading.Lock = field(default_factory=threading.Lock)
    failed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        step = self.plan.lanes
        self._blocks = ((i, min(i + step, self.n_rows)) for i in range(0, self.n_rows, step))

    def run(self, number: int, device: Device) -> None:
        """Work through blocks on one device until there are none, or another engine failed."""
        try:
            self._run(number, device)
        except BaseException:
            self.failed.set()
            raise

    def _run(self, number: int, device: Device) -> None:
        writing: deque[Future[None]] = deque()
        engine = self.shelf.take(self.shape, number)
        place = self._places()
        ahead = self._read_next(number)
        while ahead is not None:
            start, stop, reading = ahead
            lanes = self.shelf.lanes(self.plan, stop - start)
            if engine is None or engine.lanes != lanes:
                engine = None  # give its memory back before the next one takes some
                with self.timeline.span("prepare", start, number):
                    engine = METHODS[self.plan.method].make(
                        device, self.geometry, lanes, self.settings
                    )
            rows = reading.result()
            ahead = self._read_next(number)
            slices = place(start, stop)
            with self.timeline.span("compute", start, number):
                self.timeline.note(engine(rows, self.cor_px[start:stop], slices, start), start)
            del rows
            if len(writing) == _N_WRITING:
                writing.popleft().result()
            writing.append(self.writer.submit(self._write, start, slices, number))
        for last in writing:
            last.result()
        if engine is not None:
            self.shelf.put(self.shape, number, engine)

    def _read_next(self, number: int) -> tuple[int, int, Future[Float32Array]] | None:
        with self.lock:
            block = None if self.failed.is_set() else next(self._blocks, None)
        if block is None:
            return None
        return (*block, self.reader.submit(self._read, *block, number))

    def _read(self, start: int, stop: int, number: int) -> Float32Array:
        with self.timeline.span("read", start, number):
            rows = np.ascontiguousarray(self.read(start, stop), dtype=np.float32)
        expected = (stop - start, self.geometry.n_angles, self.geometry.n_cols)
        if rows.shape != expected:
            raise UserError(
                f"sinograms: rows {start} to {stop} have the shape {rows.shape},"
                f" {expected} (y, angle, x) is needed"
            )
        return rows

    def _write(self, start: int, slices: Float32Array, number: int) -> None:
        with self.timeline.span("write", start, number):
            self.write(start, slices)

    def _places(self) -> Callable[[int, int], Float32Array]:
        """Return what gives the array for slices [start, stop).

        Few arrays in turn, for fresh memory costs as much as a good part of the computing.
        """
        out = self.out
        if out is not None:
            return lambda start, stop: out[start:stop]
        shape = (1 + _N_WRITING, min(self.plan.lanes, self.n_rows), *self.geometry.shape_px)
        turns = cycle(np.empty(shape, dtype=np.float32))
        return lambda start, stop: next(turns)[: stop - start]
