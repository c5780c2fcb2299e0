"""How much memory the jobs of a scan need, in MB: the measured peaks, as models of its sizes."""

import numpy as np

from tomobatch.normalise.dynamic import FEWEST_FLATS
from tomobatch.on_chunks.alignment import MOST_COLUMNS, bands_to_look_at, rows_to_align
from tomobatch.phase.retrieve import work_mb
from tomobatch.plan import ScanPlan, float32_mb
from tomobatch.plan_geometry import parallel_geometry
from tomobatch.stripes.rows import rows_to_look_at

# Interpreter, libraries and OpenCL's compiler, before any data: measured at 300 to 450 MB.
_BASE_MB = 500
_COPIES = 3
# Of a row by every method against stripes, with what each of them needs and the slices of all.
_LOOKED_AT_COPIES = 40
# Of a band of rows that is aligned: moved, smoothed, its spectrum with the other half turn, slopes.
_ALIGNED_COPIES = 14
# Of a frame: the modes of the flats, and what weighs them in a projection.
_FOLLOWING_IMAGES = 30


def of_references(plan: ScanPlan) -> int:
    """Return what the job on the flats and darks needs: all of them, and a few projections."""
    header = plan.header
    n_bytes = (header.n_flats + header.n_darks) * header.n_rows * header.n_cols
    raw_mb = n_bytes * np.dtype(header.dtype).itemsize / 1e6
    return max(of_projections(plan), _BASE_MB + round(raw_mb) + _following_mb(plan))


def of_projections(plan: ScanPlan) -> int:
    """Return what a job on a chunk of projections needs."""
    n_rows, n_cols = plan.header.n_rows, plan.header.n_cols
    chunk_mb = _job_mb(plan.projections.size * n_rows * n_cols) + _following_mb(plan)
    blur = plan.corrections.phase
    return chunk_mb if blur is None else chunk_mb + round(work_mb(n_rows, n_cols, blur))


def of_rows(plan: ScanPlan) -> int:
    """Return what a job on a chunk of rows needs."""
    return _job_mb(plan.rows.size * plan.row_values)


def of_slices(plan: ScanPlan) -> int:
    """Return what a job on a chunk of slices needs."""
    rings_mb = _rings_mb(plan)
    if plan.beam is None:
        return of_rows(plan) + _iterating_mb(plan) + rings_mb
    from tomobatch.reconstruct.cone.cost import chunk_mb, iterating_mb

    geometry, chosen = plan.cone_geometry(), plan.config.reconstruct
    if chosen.iterates:
        return _BASE_MB + round(iterating_mb(geometry, chosen)) + rings_mb
    return _BASE_MB + round(chunk_mb(geometry, plan.slices.size)) + rings_mb


def _rings_mb(plan: ScanPlan) -> int:
    """Return what it takes to look for rings in finished slices."""
    if not plan.config.reconstruct.remove_rings:
        return 0
    from tomobatch.stripes.ring_removal import work_mb as ring_work_mb

    height_px, width_px = plan.slice_shape_px
    widened = 2 if plan.may_merge else 1
    return round(ring_work_mb(widened * height_px, widened * width_px))


def _iterating_mb(plan: ScanPlan) -> int:
    """Return what iterations keep of a block of slices, beside what other methods do."""
    if not plan.config.reconstruct.iterates:
        return 0
    from tomobatch.reconstruct.methods import block_bytes

    method, geometry = plan.config.reconstruct.method, parallel_geometry(plan)
    return round(block_bytes(method, geometry, plan.slices.size) / 1e6)


def _following_mb(plan: ScanPlan) -> int:
    """Return what it takes to follow flats whose pattern moves."""
    normalise = plan.config.normalise
    if normalise.dynamic_flats is False or plan.header.n_flats < FEWEST_FLATS:
        return 0
    return round(_FOLLOWING_IMAGES * float32_mb(plan.header.n_rows * plan.header.n_cols))


def of_alignment(plan: ScanPlan) -> int:
    """Return what the alignment of projections needs: its rows, and one band in many forms."""
    header = plan.header
    tallest = max(stop - start for start, stop in bands_to_look_at(header.n_rows))
    band_mb = float32_mb(tallest * header.n_projections * min(header.n_cols, MOST_COLUMNS))
    n_values = rows_to_align(header.n_rows) * header.n_projections * header.n_cols
    return _job_mb(n_values) + round(_ALIGNED_COPIES * band_mb)


def of_stripes(plan: ScanPlan) -> int:
    """Return what the choice of a stripe method needs."""
    n_rows = len(rows_to_look_at(plan.header.n_rows))
    return _job_mb(n_rows * plan.header.n_projections * plan.header.n_cols) + round(
        _LOOKED_AT_COPIES * float32_mb(plan.row_values)
    )


def _job_mb(n_values: int) -> int:
    return _BASE_MB + round(_COPIES * float32_mb(n_values))
