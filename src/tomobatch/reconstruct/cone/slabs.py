"""Slabs of slices from a cone-beam scan: read rows by batches of angles, filter, back-project."""

import logging
import math
from collections.abc import Callable

import numpy as np
import pyopencl as cl

from tomobatch.arrays import Float32Array
from tomobatch.errors import UserError
from tomobatch.opencl.buffers import filled_by_device, mapped
from tomobatch.opencl.devices import Device, find_device
from tomobatch.opencl.kind import DeviceKind
from tomobatch.reconstruct.cone.back_project import SlabProjector, rows_held
from tomobatch.reconstruct.cone.filter import ConeFilter
from tomobatch.reconstruct.cone.geometry import ConeGeometry
from tomobatch.reconstruct.cone.variants import Variant, choose_variant
from tomobatch.reconstruct.settings import FilterName, Padding
from tomobatch.reconstruct.splitting import SliceSplitter
from tomobatch.reconstruct.timeline import Timeline

Read = Callable[[slice, slice], Float32Array]
Write = Callable[[int, Float32Array], None]

# Filtered projections that are held at a time.
_BATCH_BYTES = 256 * 2**20
# The driver, other programs and the runtime's own buffers want memory as well.
_USABLE_FRACTION = 0.8
# Fewest slices of a slab that a small device is given before it is refused.
_FEWEST_SLICES = 8

logger = logging.getLogger(__name__)


def reconstruct_slabs(
    read: Read,
    write: Write,
    slices: tuple[int, int],
    geometry: ConeGeometry,
    *,
    filter: FilterName = "ramp",
    padding: Padding = "edge",
    device: DeviceKind = "auto",
) -> Timeline:
    """Reconstruct slices [start, stop) in slabs that fit the device, and tell how time was spent.

    Parameters
    ----------
    read
        ``read(rows, angles)`` returns sinograms float32 (row, angle, x) of these slices of both.
    write
        ``write(start, slices)`` keeps slices float32 (slice, ny, nx); ``start`` counts from the
        scan's first slice. They are overwritten once it has returned.
    slices
        What to reconstruct, half open.
    geometry
        What all slices share.
    filter, padding, device
        As of ``fdk``.

    Raises
    ------
    UserError
        Values that are not finite; a device too small.
    """
    one = find_device(device)
    height = slab_height(one, geometry, slices[1] - slices[0])
    phrase = f"method fdk, {height} slices at a time"
    timeline = Timeline([one.description], phrase)
    logger.info("reconstructing on %s: %s", one.description, phrase)
    for start in range(slices[0], slices[1], height):
        stop = min(start + height, slices[1])
        variant = choose_variant(one, geometry, stop - start)
        slab = reconstruct_slab(
            read, (start, stop), geometry, one, variant, filter, padding, timeline
        )
        with timeline.span("write", start, 0):
            write(start, slab)
    return timeline


def reconstruct_slab(
    read: Read,
    slices: tuple[int, int],
    geometry: ConeGeometry,
    device: Device,
    variant: Variant,
    filter: FilterName = "ramp",
    padding: Padding = "edge",
    timeline: Timeline | None = None,
) -> Float32Array:
    """Return one slab of slices, float32 (slice, ny, nx), made of the rows that it needs alone."""
    timeline = Timeline([], "") if timeline is None else timeline
    start, stop = slices
    rows = geometry.rows_needed(start, stop)
    with timeline.span("prepare", start, 0):
        rows_out = rows_held(
            geometry, start, start + variant.n_z * math.ceil((stop - start) / variant.n_z)
        )
        weigh = ConeFilter(geometry, rows, rows_out, filter, padding)
        project = SlabProjector(
            device, geometry, start, stop, weigh.first_column, weigh.n_columns, variant
        )
        n_angles = geometry.slices.n_angles
        step = min(n_angles, _angles_of_a_batch(project))
        batch = project.batch(step)
    for first in range(0, n_angles, step):
        n = min(step, n_angles - first)
        with timeline.span("read", start, 0):
            sinograms = read(slice(*rows), slice(first, first + n))
        with timeline.span("compute", start, 0):
            flags = cl.map_flags.WRITE_INVALIDATE_REGION
            with mapped(project.queue, batch.buffer, batch.shape, flags) as filtered:
                weigh(sinograms, first, filtered)
            project(batch, first, n).wait()
    out = np.empty((stop - start, *geometry.slices.shape_px), dtype=np.float32)
    with timeline.span("compute", start, 0):
        split = SliceSplitter(device, geometry.slices, project.n_z, geometry.slices.shape_px[1])
        with filled_by_device(project.queue, out) as target:
            split(project.queue, project.volume.buffer, target, stop - start)
    return out


def slab_height(device: Device, geometry: ConeGeometry, n_slices: int) -> int:
    """Return how many slices of a slab fit the device: all of them, or so many less.

    Raises
    ------
    UserError
        Not even a few fit.
    """
    free = device.free_memory_bytes() * _USABLE_FRACTION
    largest = device.cl_device.max_mem_alloc_size
    height = n_slices
    while True:
        volume, rows = slab_bytes(geometry, height, choose_variant(device, geometry, height))
        # The volume is held as the kernel fills it, and as it is written.
        if 2 * volume + rows <= free and max(volume, rows) <= largest:
            return height
        if height <= _FEWEST_SLICES:
            raise UserError(
                f"a slab of {height} slices of {geometry.slices.shape_px[1]} px needs"
                f" {(2 * volume + rows) / 2**20:.0f} MB on '{device.cl_device.name.strip()}',"
                f" {free / 2**20:.0f} MB are free: reconstruct a region or bin the slices, or take"
                " a device with more memory"
            )
        height = math.ceil(height / 2)


def slab_bytes(geometry: ConeGeometry, n_slices: int, variant: Variant) -> tuple[int, int]:
    """Return the bytes of a slab's volume, and of a batch of filtered projections."""
    height, width = geometry.slices.shape_px
    n_z = variant.n_z * math.ceil(n_slices / variant.n_z)
    first, stop = geometry.reach_px
    middle = round(geometry.principal_px[1])
    tallest = max(
        stop - start
        for start, stop in (
            rows_held(geometry, begin, begin + n_z)
            for begin in (0, max(0, middle - n_z // 2), max(0, geometry.n_rows - n_z))
        )
    )
    per_angle = 4 * (stop - first) * tallest
    n_angles = min(geometry.slices.n_angles, max(8, _BATCH_BYTES // per_angle // 8 * 8))
    return 4 * height * width * n_z, n_angles * per_angle


def _angles_of_a_batch(project: SlabProjector) -> int:
    """Return a multiple of eight projections that fill a batch."""
    per_angle = 4 * project.n_columns * (project.rows_out[1] - project.rows_out[0])
    return max(8, _BATCH_BYTES // per_angle // 8 * 8)
