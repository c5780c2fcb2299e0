"""Reconstruction by iteration: what its methods share, from sinograms to slices."""

from collections.abc import Callable

import numpy as np
import pyopencl as cl

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.opencl.buffers import Shared, filled_by_device, mapped, uploaded
from tomobatch.opencl.devices import Device
from tomobatch.reconstruct.direct import DIRECT
from tomobatch.reconstruct.engine import Convergence
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.iterative.algebra import Algebra
from tomobatch.reconstruct.iterative.cut import Cut, choose_cut, tiles
from tomobatch.reconstruct.iterative.projector import Projector, chord_table, make_grid
from tomobatch.reconstruct.iterative.rays import RayPlacer, noise_sigma
from tomobatch.reconstruct.iterative.workspace import (
    LEAST_LENGTH_PX,
    Iteration,
    Measured,
    Workspace,
)
from tomobatch.reconstruct.settings import ReconstructSettings


class IterativeEngine:
    """Reconstruction of blocks of slices by iteration; see ``reconstruct.engine.Engine``.

    Parameters
    ----------
    device, geometry, lanes, chosen
        As for every engine.
    method
        The method that iterates.
    n_iterations
        At most so many are made.
    cut
        How the work is cut; by default as suits the device.
    """

    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        lanes: int,
        chosen: ReconstructSettings,
        method: Callable[[Workspace], Iteration],
        n_iterations: int,
        cut: Cut | None = None,
    ) -> None:
        self.lanes = lanes
        self._shape = geometry.shape_px
        self._chosen, self._n_iterations = chosen, n_iterations
        self._grid = make_grid(geometry)
        self._place = RayPlacer(self._grid)
        cut = choose_cut(device, lanes) if cut is None else cut
        self._pad = cut.pad_px
        queue = device.queue()
        projector = Projector(device, self._grid, cut)
        image, scratch = (Shared(queue, projector.image_shape) for _ in range(2))
        rays, residual = (Shared(queue, projector.rows_shape) for _ in range(2))
        lengths = _lengths_px(device, queue, projector, image, scratch, residual)
        self._at = Workspace(
            *(device, queue, projector, Algebra(device, queue, cut)),
            *(image, scratch, rays, residual),
            lengths_px=lengths,
            crossing=uploaded(device.context, (lengths > 0).astype(np.float32)),
            lowest=0.0 if chosen.non_negative else -np.inf,
            strength=chosen.tv_strength,
        )
        self._start = (
            DIRECT.make(device, self._grid.geometry, lanes, chosen)
            if chosen.start == "fbp"
            else None
        )
        self._method = method(self._at)

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: Float64Array,
        out: Float32Array,
        first_row: int = 0,
    ) -> Convergence:
        """Reconstruct sinograms (row, angle, x) into ``out`` (row, ny, nx), both C-contiguous.

        ``first_row`` is the number of the first row, for messages.
        """
        at, n_rows = self._at, len(out)
        measured = self._measured(sinograms, cor_px, first_row)
        self._fill_image(sinograms, cor_px, first_row)
        at.fill_zeros(at.scratch)
        at.fill_zeros(at.residual)
        self._method.begin(measured)
        convergence = run(self._method, measured, self._chosen, n_rows, self._n_iterations)
        with filled_by_device(at.queue, out) as slices:
            shape, scale = (n_rows, *self._shape), 1 / self._grid.geometry.binning
            at.algebra.cut_slices(at.image, slices, shape, self._grid.corner, scale)
        return convergence

    def _measured(self, sinograms: Float32Array, cor_px: Float64Array, first_row: int) -> Measured:
        """Fill the rays of the workspace, and tell what they are."""
        at = self._at
        seen = np.zeros((self._grid.n_samples, self.lanes), dtype=np.float32)
        seen[:, : len(sinograms)] = self._place.seen(cor_px)
        write = cl.map_flags.WRITE_INVALIDATE_REGION
        with mapped(at.queue, at.rays.buffer, at.rays.shape, write) as rays:
            self._place(sinograms, cor_px, rays, first_row)
            sigma = noise_sigma(rays, seen)
        n_rays = (at.lengths_px > 0).sum(axis=0) @ seen.astype(np.float64)
        norm = np.sqrt(at.algebra.sum_squares(at.rays, at.crossing))
        return Measured(seen, n_rays, sigma, norm)

    def _fill_image(self, sinograms: Float32Array, cor_px: Float64Array, first_row: int) -> None:
        """Start from zero, or from filtered back-projection."""
        at = self._at
        at.fill_zeros(at.image)
        if self._start is None:
            return
        first = np.empty((len(sinograms), *self._grid.geometry.shape_px), dtype=np.float32)
        self._start(sinograms, cor_px, first, first_row)
        first *= self._grid.geometry.binning
        with mapped(at.queue, at.image.buffer, at.image.shape, cl.map_flags.WRITE) as image:
            inside = image[:, self._pad : self._pad + self._grid.side]
            inside[..., : len(first)] = np.maximum(np.moveaxis(first, 0, 2), at.lowest)


def run(
    method: Iteration,
    measured: Measured,
    chosen: ReconstructSettings,
    n_rows: int,
    n_iterations: int,
) -> Convergence:
    """Iterate until every slice has stopped by itself, or the iterations are used up.

    ``n_rows`` of the lanes are slices; the others stay as they are.
    """
    n_lanes = len(measured.norm)
    target = _target(measured, chosen)
    active = np.arange(n_lanes) < n_rows
    stopped_after = np.full(n_lanes, n_iterations)
    residuals: list[Float64Array] = []
    for step in range(n_iterations + 1):
        norms = np.sqrt(method.measure())
        residuals.append(np.where(active, norms, residuals[-1]) if residuals else norms)
        done = active & (norms <= target)
        stopped_after[done] = step
        active &= ~done
        if step == n_iterations or not active.any():
            break
        method.advance(active)
    whole = np.where(measured.norm > 0, measured.norm, 1)
    return Convergence(
        residuals=(np.array(residuals) / whole).T[:n_rows],
        n_iterations=stopped_after[:n_rows],
        noise=(measured.noise / whole)[:n_rows],
        unreached=int(active.sum()) if chosen.residual != "none" else 0,
    )


def _target(measured: Measured, chosen: ReconstructSettings) -> Float64Array:
    """Return the residual at which each slice stops; none comes down below zero."""
    if chosen.residual == "none":
        return np.full(len(measured.norm), -1.0)
    return measured.noise if chosen.residual == "noise" else chosen.residual * measured.norm


def buffer_bytes(
    method: type[Iteration], geometry: Geometry, lanes: int, *, on_device: bool
) -> list[int]:
    """Return the sizes of a block's buffers: images, rays, the slices, and those of the start.

    Those of the start are counted whether there is to be one or not, as is its copy on the host.
    """
    grid = make_grid(geometry)
    image = grid.side * (grid.side + 2 * tiles(lanes).pad_px)
    rays = geometry.n_angles * grid.n_samples
    height, width = geometry.shape_px
    values = [image] * method.images_of(Algebra) + [rays] * method.n_rays + [height * width]
    return [4 * lanes * n for n in values] + DIRECT.buffer_bytes(
        grid.geometry, lanes, on_device=on_device
    )


def work(geometry: Geometry) -> dict[str, float]:
    """``update``: pixels times angles of an iteration, there and back; ``pixel``: those alone."""
    grid = make_grid(geometry)
    area = min(float(grid.side**2), np.pi * grid.radius**2)
    return {"update": area * geometry.n_angles, "pixel": float(grid.side**2)}


def _lengths_px(
    device: Device,
    queue: cl.CommandQueue,
    projector: Projector,
    image: Shared,
    scratch: Shared,
    rows: Shared,
) -> Float32Array:
    """Return the ways of the rays through the slice: the projection of ones inside the mask."""
    grid = projector.grid
    write = cl.map_flags.WRITE_INVALIDATE_REGION
    with mapped(queue, image.buffer, image.shape, write) as ones:
        ones[:] = 0
        for row, (start, stop) in zip(ones, chord_table(grid.geometry), strict=True):
            row[projector.cut.pad_px + start : projector.cut.pad_px + stop] = 1
    zero = np.zeros(1, dtype=np.float32)
    cl.enqueue_fill_buffer(queue, scratch.buffer, zero, 0, scratch.buffer.size)
    shape = grid.geometry.n_angles, grid.n_samples
    weights = uploaded(device.context, np.full(shape, -1, dtype=np.float32))
    seen = uploaded(device.context, np.ones((grid.n_samples, projector.cut.lanes), np.float32))
    projector.project(queue, image.buffer, scratch.buffer, rows.buffer, weights, seen)
    with mapped(queue, rows.buffer, rows.shape, cl.map_flags.READ) as found:
        lengths = np.array(found[:, :, 0])
    lengths[lengths <= LEAST_LENGTH_PX] = 0
    return lengths
