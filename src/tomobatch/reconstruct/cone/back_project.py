"""The host side of the back-projection of a slab of slices."""

import math
from collections.abc import Callable

import numpy as np
import pyopencl as cl

from tomobatch.opencl.buffers import Shared, uploaded
from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import load_kernel
from tomobatch.reconstruct.cone.geometry import ConeGeometry
from tomobatch.reconstruct.cone.variants import LANES, Variant
from tomobatch.reconstruct.direct import chords

# Loads of the kernel for CPUs are whole vectors: they begin before the rows that count and end
# behind them.
_MARGIN_ROWS = 16
_ANGLES_AT_A_TIME = 8


class SlabProjector:
    """Back-projects filtered projections into slices [start, stop), batch by batch of angles.

    Parameters
    ----------
    device
        Where it runs.
    geometry
        Shared geometry.
    start, stop
        The slices.
    first_column, n_columns
        Columns of the filtered projections.
    variant
        How the work is cut.
    """

    def __init__(
        self,
        device: Device,
        geometry: ConeGeometry,
        start: int,
        stop: int,
        first_column: int,
        n_columns: int,
        variant: Variant,
    ) -> None:
        program = load_kernel(
            device, variant.name, variant.defines, package="tomobatch.reconstruct.cone"
        )
        self._kernel = cl.Kernel(program, "back_project")
        self._device, self._geometry, self._variant = device, geometry, variant
        self._start, self._first_column = start, first_column
        self.n_columns = n_columns
        self.n_z = variant.n_z * math.ceil((stop - start) / variant.n_z)
        self.rows_out = rows_held(geometry, start, start + self.n_z)
        self.queue = device.queue()
        height, width = geometry.slices.shape_px
        self.volume = Shared(self.queue, (height, width, self.n_z))
        spans = chords(geometry.slices, 1)
        self._chords = uploaded(device.context, spans)
        self._is_first = True
        self._texture: cl.Image | None = None

    def batch(self, n_angles: int) -> Shared:
        """Return a buffer for so many filtered projections (angle, column, row of rows_out).

        Rounded up to a multiple of what the kernel takes at a time.
        """
        n_held = _ANGLES_AT_A_TIME * math.ceil(n_angles / _ANGLES_AT_A_TIME)
        n_rows = self.rows_out[1] - self.rows_out[0]
        return Shared(self.queue, (n_held, self.n_columns, n_rows))

    def __call__(self, rows: Shared, first_angle: int, n_angles: int) -> cl.Event:
        """Enqueue the back-projection of filtered projections, of which ``n_angles`` count."""
        height, width = self._geometry.slices.shape_px
        slices = self._geometry.slices
        n_held, n_columns, n_rows = rows.shape
        views = self._views(first_angle, n_angles, n_held)
        _, v_px = self._geometry.principal_px
        source = rows.buffer if self._variant.name != "image" else self._fill_texture(rows)
        is_first, self._is_first = self._is_first, False
        event: cl.Event = self._kernel(
            self.queue,
            *self._sizes(height, width),
            source,
            self.volume.buffer,
            views,
            self._chords,
            np.float32(self._geometry.source),
            np.float32(self._geometry.beam.axis_shift_px),
            np.array([slices.first_x_px, slices.first_y_px], dtype=np.float32),
            np.float32(slices.binning),
            np.float32(self._start - v_px),
            *map(np.int32, (n_columns, n_rows, n_held, width, height, self.n_z, is_first)),
        )
        return event

    def _views(self, first_angle: int, n_angles: int, n_held: int) -> cl.Buffer:
        """Return cosine, sine and principal point of every angle held, float32 (angle, 4)."""
        part = slice(first_angle, first_angle + n_angles)
        angles = self._geometry.slices.angles_rad[part]
        u_px, v_px = self._geometry.principal_px
        drift = self._geometry.drift_px[part]
        if self._geometry.beam.is_turned:
            drift = np.zeros_like(drift)  # the projections were interpolated without it
        views = np.zeros((n_held, 4), dtype=np.float32)
        views[:n_angles, 0], views[:n_angles, 1] = np.cos(angles), np.sin(angles)
        views[:, 2], views[:, 3] = u_px - self._first_column, v_px - self.rows_out[0]
        views[:n_angles, 2:] += drift
        return uploaded(self._device.context, views)

    def _sizes(self, height: int, width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the global and the local size."""
        side, n_z = self._variant.side, self._variant.n_z
        across, down, blocks = -(-width // side), -(-height // side), self.n_z // n_z
        if self._variant.name == "columns":
            return (across, down, blocks), (1, 1, 1)
        if self._variant.name == "image":
            return (across * side, down * side, blocks), (side, side, 1)
        return (self.n_z, across * 4, down), (n_z, 4, 1)

    def _fill_texture(self, rows: Shared) -> cl.Image:
        """Copy the projections to the layers of an image."""
        n_angles, n_columns, n_rows = rows.shape
        create: Callable[..., cl.Image] = cl.create_image
        copy: Callable[..., cl.Event] = cl.enqueue_copy
        size = (n_rows, n_columns, n_angles)
        if self._texture is None:
            floats = cl.ImageFormat(cl.channel_order.R, cl.channel_type.FLOAT)
            flags = cl.mem_flags.READ_ONLY
            self._texture = create(self._device.context, flags, floats, size, is_array=True)
        copy(self.queue, self._texture, rows.buffer, offset=0, origin=(0, 0, 0), region=size)
        return self._texture


def rows_held(geometry: ConeGeometry, start: int, stop: int) -> tuple[int, int]:
    """Return the rows of the ideal detector that a kernel may load for slices [start, stop).

    As many as make whole vectors.
    """
    seen = geometry.rows_seen(start, stop)
    first, last = math.floor(seen[0]) - _MARGIN_ROWS, math.ceil(seen[1]) + _MARGIN_ROWS
    return first, first + LANES * math.ceil((last - first) / LANES)
