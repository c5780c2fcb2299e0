"""Reconstruction of a cone-beam scan by iteration, the whole volume at once.

Rays cross many slices, so that no chunk of them can be iterated on alone: what others hold would be
put down to it. The volume is therefore one job, which needs the memory for all of it.

Decision 129.
"""

import logging

import numpy as np
import pyopencl as cl

from tomobatch.arrays import Float32Array
from tomobatch.errors import UserError
from tomobatch.opencl.buffers import Shared, mapped, uploaded
from tomobatch.opencl.devices import Device, find_device
from tomobatch.reconstruct.cone.algebra import VolumeAlgebra
from tomobatch.reconstruct.cone.geometry import ConeGeometry
from tomobatch.reconstruct.cone.projector import (
    COLUMNS,
    ConeProjector,
    RayCut,
    choose_ray_cut,
    column_length,
)
from tomobatch.reconstruct.cone.rays import Read, place_rays, seen_pixels, volume_noise
from tomobatch.reconstruct.cone.slabs import Write, reconstruct_slabs
from tomobatch.reconstruct.cone.walks import RayGrid, make_ray_grid
from tomobatch.reconstruct.engine import Convergence
from tomobatch.reconstruct.iterative.engine import run
from tomobatch.reconstruct.iterative.methods import ITERATIONS
from tomobatch.reconstruct.iterative.projector import chord_table
from tomobatch.reconstruct.iterative.workspace import LEAST_LENGTH_PX, Measured, Workspace
from tomobatch.reconstruct.settings import IterativeName, ReconstructSettings
from tomobatch.reconstruct.timeline import Timeline

# Of the size of all rays beside those that a method counts: their lengths on the host and on the
# device, which of them cross the volume, and one share each.
_MORE_RAYS = 4
_USABLE_FRACTION = 0.8
# Slices that are turned to (slice, y, x) and written at a time.
_SLICES_AT_A_TIME = 64
_WRITE = cl.map_flags.WRITE_INVALIDATE_REGION

logger = logging.getLogger(__name__)


def iterate_volume(
    read: Read,
    write: Write,
    slices: tuple[int, int],
    geometry: ConeGeometry,
    chosen: ReconstructSettings,
    cut: RayCut | None = None,
) -> Timeline:
    """Reconstruct a whole volume by iteration, and write slices [start, stop) of it.

    Parameters
    ----------
    read
        ``read(rows, angles)`` returns sinograms float32 (row, angle, x) of these slices of both.
    write
        ``write(start, slices)`` keeps slices float32 (slice, ny, nx) in 1/voxel; ``start`` counts
        from the scan's first slice.
    slices
        What to write, half open.
    geometry
        What all slices share.
    chosen
        A method that iterates, and its settings.
    cut
        How the work is cut; by default as suits the device.

    Returns
    -------
    Timeline
        How time was spent, and how the iterations went: every slice has the residual of the volume.

    Raises
    ------
    UserError
        Values that are not finite; a device too small for the volume.
    """
    name: IterativeName = chosen.method  # type: ignore[assignment]  # it iterates
    device, grid = find_device(chosen.device), make_ray_grid(geometry)
    _check_memory(device, grid, name)
    phrase = f"method {name}, all {grid.n_slices} slices at once"
    timeline = Timeline([device.description], phrase)
    logger.info("reconstructing on %s: %s", device.description, phrase)
    with timeline.span("prepare", slices[0], 0):
        at, projector = _workspace(device, grid, chosen, cut or choose_ray_cut(device))
        method = ITERATIONS[name](at)
    with timeline.span("read", slices[0], 0):
        measured = _measured(read, at, grid)
    with timeline.span("compute", slices[0], 0):
        if chosen.start == "fbp":
            _start_from_fdk(read, at, projector, chosen)
        method.begin(measured)
        went = run(method, measured, chosen, 1, chosen.n_iterations(name))
    _write_slices(at, projector, slices, write, timeline)
    timeline.note(_of_every_slice(went, slices[1] - slices[0]), slices[0])
    return timeline


def _of_every_slice(went: Convergence, n_slices: int) -> Convergence:
    return Convergence(
        residuals=np.repeat(went.residuals, n_slices, axis=0),
        n_iterations=np.repeat(went.n_iterations, n_slices),
        noise=np.repeat(went.noise, n_slices),
        unreached=went.unreached * n_slices,
    )


def volume_bytes(grid: RayGrid, name: IterativeName) -> tuple[int, int, int]:
    """Return the bytes of a volume, of all rays, and of everything that iterations hold."""
    method = ITERATIONS[name]
    image = 4 * grid.side**2 * column_length(grid, COLUMNS)
    rays = 4 * int(np.prod(grid.rays_shape))
    n_images = method.images_of(VolumeAlgebra)
    return image, rays, n_images * image + (method.n_rays + _MORE_RAYS) * rays


def _check_memory(device: Device, grid: RayGrid, name: IterativeName) -> None:
    image, rays, every = volume_bytes(grid, name)
    free = int(device.free_memory_bytes() * _USABLE_FRACTION)
    largest = device.cl_device.max_mem_alloc_size
    if every <= free and max(image, rays) <= largest:
        return
    need = f"{every / 2**20:.0f} MB, {max(image, rays) / 2**20:.0f} MB of it in one piece"
    raise UserError(
        f"reconstruct.method {name} works on the whole volume of a cone beam,"
        f" {grid.n_slices} slices of {grid.side} px, and needs {need};"
        f" '{device.cl_device.name.strip()}' has {free / 2**20:.0f} MB free,"
        f" {largest / 2**20:.0f} MB in one piece: bin the slices, leave angles out, take a device"
        " with more memory, or method: auto"
    )


def _workspace(
    device: Device, grid: RayGrid, chosen: ReconstructSettings, cut: RayCut
) -> tuple[Workspace, ConeProjector]:
    """Return the buffers of a volume and its rays, the volume being zero."""
    queue = device.queue()
    projector = ConeProjector(device, grid, cut)
    image, scratch = (Shared(queue, projector.image_shape) for _ in range(2))
    rays, residual = (Shared(queue, projector.rows_shape) for _ in range(2))
    lengths = _lengths(device, projector, image, residual)
    at = Workspace(
        *(device, queue, projector, VolumeAlgebra(device, queue, projector)),
        *(image, scratch, rays, residual),
        lengths_px=lengths,
        crossing=uploaded(device.context, (lengths > 0).astype(np.float32)),
        lowest=0.0 if chosen.non_negative else -np.inf,
        strength=chosen.tv_strength,
    )
    for array in (image, scratch, residual):
        at.fill_zeros(array)
    return at, projector


def _lengths(
    device: Device, projector: ConeProjector, image: Shared, residual: Shared
) -> Float32Array:
    """Return the ways of the rays through the mask, in voxels; 0 for those that are left out."""
    queue, context, grid = device.queue(), device.context, projector.grid
    n_angles, n_samples, _ = projector.rows_shape
    with mapped(queue, image.buffer, (grid.side, grid.side, projector.n_z), _WRITE) as ones:
        ones[:] = 0
        for row, (start, stop) in zip(ones, chord_table(grid.slices), strict=True):
            row[start:stop, projector.pad : projector.pad + grid.n_slices] = 1
    minus = uploaded(context, np.full((n_angles, n_samples), -1, dtype=np.float32))
    seen = uploaded(context, np.ones(n_samples, dtype=np.float32))
    projector.project(queue, image.buffer, image.buffer, residual.buffer, minus, seen)
    with mapped(queue, residual.buffer, (n_angles, n_samples), cl.map_flags.READ) as found:
        lengths = np.array(found)
    lengths[lengths <= LEAST_LENGTH_PX] = 0
    return lengths


def _measured(read: Read, at: Workspace, grid: RayGrid) -> Measured:
    """Fill the rays of the workspace, and tell what they are."""
    seen = seen_pixels(grid)
    with mapped(at.queue, at.rays.buffer, grid.rays_shape, _WRITE) as rays:
        place_rays(read, grid, seen, rays)
        sigma = volume_noise(rays, seen)
    samples = seen.reshape(-1, 1)
    n_rays = (at.lengths_px > 0).sum(axis=0) @ samples.astype(np.float64)
    norm = np.sqrt(at.algebra.sum_squares(at.rays, at.crossing))
    return Measured(samples, n_rays, np.array([sigma]), norm)


def _start_from_fdk(
    read: Read, at: Workspace, projector: ConeProjector, chosen: ReconstructSettings
) -> None:
    """Fill the slices that the detector has with those of FDK."""
    grid, n_rows = projector.grid, projector.grid.cone.n_rows
    place = projector.pad - grid.first_slice
    shape = (grid.side, grid.side, projector.n_z)

    def keep(start: int, slices: Float32Array) -> None:
        with mapped(at.queue, at.image.buffer, shape, cl.map_flags.WRITE) as image:
            into = image[:, :, place + start : place + start + len(slices)]
            into[...] = np.maximum(np.moveaxis(slices, 0, 2), at.lowest)

    reconstruct_slabs(
        *(read, keep, (0, n_rows), grid.cone),
        filter=chosen.filter,
        padding=chosen.padding,
        device=chosen.device,
    )


def _write_slices(
    at: Workspace,
    projector: ConeProjector,
    slices: tuple[int, int],
    write: Write,
    timeline: Timeline,
) -> None:
    """Write slices of the region that was asked for."""
    grid = projector.grid
    shape = (grid.side, grid.side, projector.n_z)
    y, x = grid.corner
    height, width = grid.region_px
    place = projector.pad - grid.first_slice
    for start in range(*slices, _SLICES_AT_A_TIME):
        stop = min(start + _SLICES_AT_A_TIME, slices[1])
        with mapped(at.queue, at.image.buffer, shape, cl.map_flags.READ) as image:
            part = image[y : y + height, x : x + width, place + start : place + stop]
            turned = np.array(np.moveaxis(part, 2, 0), order="C")
        with timeline.span("write", start, 0):
            write(start, turned)
