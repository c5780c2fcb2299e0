"""The jobs that the rules make of a scan: how many, of what size, and at what rate they work."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tomobatch import job_memory
from tomobatch.estimate.profile import profile_memory_mb, profile_vcpus
from tomobatch.fleet.figures import Figures, offline_figures
from tomobatch.fleet.stages import Load, Stage
from tomobatch.on_chunks.alignment import rows_to_align
from tomobatch.plan import ScanPlan
from tomobatch.plan_geometry import parallel_geometry
from tomobatch.reconstruct.cone.cost import chunk_s, iterating_s
from tomobatch.reconstruct.methods import choose_method, expected_s
from tomobatch.results import EXPORTS
from tomobatch.steps import Queue, Step, steps_with
from tomobatch.stripes.rows import N_ROWS

ALL_STEPS = steps_with(EXPORTS, checked=True, aligned=True, keep_intermediates=False)
"""Of any scan."""


@dataclass(frozen=True)
class Work:
    """One step's jobs.

    Attributes
    ----------
    n_jobs
        How many.
    values_a_job
        Pixels that one of them handles.
    read_mb, write_mb
        Of all of them, before compression.
    kernel_s
        What the kernels take in one of them.
    queue
        Where they run.
    memory_mb
        What one of them reserves.
    waited_for
        Whether the run stands until they are done.
    """

    step: str
    n_jobs: int
    values_a_job: float
    read_mb: float
    write_mb: float
    kernel_s: float = 0.0
    queue: Queue = "cpu"
    memory_mb: float = 0.0
    waited_for: bool = True

    @property
    def compute_s(self) -> float:
        """What one of them takes on the measured machine, beside moving data."""
        rates = fitted_rates()
        ns = rates["ns_a_value"].get(self.step, 0.0)
        fixed_s: float = rates["fixed_s"][self.step]
        return fixed_s + float(ns) * self.values_a_job * 1e-9 + self.kernel_s

    def likely_s(self, figures: Figures) -> float:
        """Return what one of them takes at the likely rates, its data included."""
        moved_s = (self.read_mb + self.write_mb) / self.n_jobs / figures["storage_mb_s"].likely
        return self.compute_s / figures["speed"].likely + moved_s


def seconds_of_jobs(plan: ScanPlan, device: Queue) -> dict[str, int]:
    """Return what a job of each rule is expected to take, also of those that are not planned.

    By the table of the package, whole seconds.
    """
    figures = offline_figures()
    works = works_of(plan, device, device, ALL_STEPS)
    return {work.step: math.ceil(work.likely_s(figures)) for work in works}


def works_of(
    plan: ScanPlan, queue: Queue, device: Queue, steps: Sequence[Step] | None = None
) -> list[Work]:
    """Return what each step of a scan has to do, in the order of the steps.

    Parameters
    ----------
    plan
        The scan's chunks.
    queue, device
        Where reconstruction runs, and what computes there.
    steps
        Those that are wanted; by default those of the scan.
    """
    loads = _loads(plan)
    n_chunks = [grid.n_chunks for grid in (plan.projections, plan.rows, plan.slices)]
    works = []
    for step in plan.steps if steps is None else steps:
        values_a_job, read_mb, write_mb = loads.get(step.rule, (0.0, 0.0, 0.0))
        works.append(
            Work(
                step.rule,
                step.n_jobs(*n_chunks),
                values_a_job,
                read_mb,
                write_mb,
                kernel_s=_chunk_s(plan, device) if step.on_device else 0.0,
                queue=queue if step.on_device else "cpu",
                memory_mb=_memory_mb(plan, step.rule),
                waited_for=step.waited_for,
            )
        )
    return works


def _loads(plan: ScanPlan) -> dict[str, tuple[float, float, float]]:
    """Return pixels a job, MB read and MB written by all jobs, of the steps that move data."""
    header = plan.header
    frame = float(header.n_rows * header.n_cols)
    raw_mb = header.picture_mb
    data_mb = header.n_projections * frame * 4 / 1e6
    height, width = plan.slice_shape_px
    finest_mb = header.n_rows * height * width * 4 / 1e6
    volume_mb = finest_mb * sum(8.0**-level for level in range(plan.n_levels))
    references = header.n_flats + header.n_darks
    rows = plan.rows.size
    row_values = float(header.n_projections * header.n_cols)
    slice_values = float(height * width)
    aligned_values = row_values * rows_to_align(header.n_rows)
    export = (header.n_rows * slice_values, finest_mb, finest_mb)
    return {
        "average_references": (references * frame, references * raw_mb, 3 * frame * 4e-6),
        "preprocess": (plan.projections.size * frame, header.n_projections * raw_mb, data_mb),
        "choose_stripes": (N_ROWS * row_values, N_ROWS * row_values * 4e-6, 0.0),
        "align": (aligned_values, aligned_values * 4e-6, 0.0),
        "process": (rows * row_values, data_mb, data_mb),
        "reconstruct": (
            plan.slices.size * (_rows_read(plan) * row_values + slice_values),
            _rows_read(plan) * data_mb,
            volume_mb,
        ),
        "report": (0.0, frame * 12e-6 + finest_mb / 8 ** (plan.n_levels - 1), 1.0),
        **{f"export_{kind}": export for kind in EXPORTS},
    }


def _memory_mb(plan: ScanPlan, step: str) -> float:
    """Return what the rules ask for a job of a step."""
    of = {
        "average_references": job_memory.of_references,
        "preprocess": job_memory.of_projections,
        "choose_stripes": job_memory.of_stripes,
        "align": job_memory.of_alignment,
        "process": job_memory.of_rows,
        "reconstruct": job_memory.of_slices,
        **{f"export_{kind}": job_memory.of_slices for kind in EXPORTS},
    }
    return of[step](plan) if step in of else profile_memory_mb()


def stages_of(works: Sequence[Work], figures: Figures) -> list[Stage]:
    """Return the work of one scan as stages of a run."""
    return [
        Stage(
            step=work.step,
            queue=work.queue,
            vcpus=profile_vcpus().get(work.step, 1),
            memory_mib=work.memory_mb,
            loads=(_load(work, figures),),
            start_s=fitted_rates()["start_s"],
            waited_for=work.waited_for,
        )
        for work in works
    ]


def _load(work: Work, figures: Figures) -> Load:
    read_mb, write_mb = work.read_mb / work.n_jobs, work.write_mb / work.n_jobs
    part_mb = figures["upload_part_mib"].likely * 1.048576
    parts = math.ceil(write_mb / part_mb) if write_mb else 0
    # What is written in parts is begun and completed as well.
    parts += 2 if parts > 1 else 0
    return Load(
        work.n_jobs,
        work.compute_s,
        read_mb,
        write_mb,
        puts=figures["puts_a_job"].likely + parts,
        gets=figures["gets_a_job"].likely + read_mb / figures["read_part_mb"].likely,
    )


def _chunk_s(plan: ScanPlan, device: Queue) -> float:
    """Return the time of a chunk of slices by the method that the job itself will choose."""
    if plan.beam is not None:
        cone = plan.cone_geometry()
        if plan.iterates_on_volume:
            return iterating_s(device, cone, plan.config.reconstruct)
        every = [chunk_s(device, cone, *chunk) for chunk in plan.slices]
        return sum(every) / len(every)
    geometry, settings = parallel_geometry(plan), plan.config.reconstruct
    chosen = choose_method(geometry) if settings.method == "auto" else settings.method
    n_iterations = settings.n_iterations(chosen)
    return plan.slices.size * expected_s(device, geometry, chosen, n_iterations=n_iterations)


def _rows_read(plan: ScanPlan) -> float:
    """Return how often a row is read by the reconstruct jobs, on average."""
    if plan.beam is None:
        return 1.0
    cone = plan.cone_geometry()
    spans = [cone.rows_needed(*chunk) for chunk in plan.slices]
    return sum(stop - start for start, stop in spans) / plan.header.n_rows


@cache
def fitted_rates() -> dict[str, Any]:
    """Return the rates that were fitted to runs: seconds a job, nanoseconds a value."""
    text = (files("tomobatch.estimate") / "rates.json").read_text(encoding="utf-8")
    rates: dict[str, Any] = json.loads(text)
    return rates
