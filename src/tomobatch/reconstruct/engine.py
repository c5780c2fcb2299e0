"""Reconstruct blocks of slices: filter, back-project, take the slices apart."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.reconstruct.devices import Device
from tomobatch.reconstruct.direct import BackProjector, Tiling
from tomobatch.reconstruct.filter import FilterName, PaddingName
from tomobatch.reconstruct.geometry import FloatArray, Geometry
from tomobatch.reconstruct.layout import Shared, SliceSplitter, mapped
from tomobatch.reconstruct.rows import RowFilter

Float32Array = npt.NDArray[np.float32]


class Engine(Protocol):
    """Reconstructs up to ``lanes`` slices at a time, all with one geometry."""

    lanes: int

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: FloatArray,
        out: Float32Array,
        first_row: int = 0,
    ) -> None:
        """Reconstruct sinograms (row, angle, x) into ``out`` (row, ny, nx), both C-contiguous.

        ``first_row`` is the number of the first row, for messages.
        """
        ...


class DirectEngine:
    """Filtered back-projection."""

    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        lanes: int,
        name: FilterName = "ramp",
        padding: PaddingName = "edge",
        tiling: Tiling | None = None,
    ) -> None:
        tiling = tiling or Tiling()
        self.lanes = lanes
        self._geometry = geometry
        # Pixels are worked on in runs that may reach beyond the mask; 2 for the interpolation.
        margin = tiling.n_pixels * geometry.binning + 2
        self._filter = RowFilter(geometry, margin, name, padding)
        width_px = self._filter.width_px
        self._back_project = BackProjector(
            device, geometry, lanes, width_px, self._filter.axis_px, tiling
        )
        stride = self._back_project.width
        self._split = SliceSplitter(device, geometry, lanes, stride)
        self._queue = device.queue()
        self._rows = Shared(self._queue, (geometry.n_angles, width_px, lanes))
        self._image = Shared(self._queue, (geometry.shape_px[0], stride, lanes))

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: FloatArray,
        out: Float32Array,
        first_row: int = 0,
    ) -> None:
        """Reconstruct sinograms (row, angle, x) into ``out`` (row, ny, nx), both C-contiguous.

        ``first_row`` is the number of the first row, for messages.
        """
        with mapped(
            self._queue, self._rows.buffer, self._rows.shape, cl.map_flags.WRITE_INVALIDATE_REGION
        ) as rows:
            self._filter(sinograms, cor_px, rows, first_row)
        self._back_project(self._queue, self._rows.buffer, self._image.buffer)
        flags = cl.mem_flags.WRITE_ONLY | cl.mem_flags.USE_HOST_PTR
        slices = cl.Buffer(self._queue.context, flags, hostbuf=out)
        self._split(self._queue, self._image.buffer, slices, len(out))
        with mapped(self._queue, slices, out.shape, cl.map_flags.READ):
            pass
        self._queue.finish()
