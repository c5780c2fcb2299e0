"""The step from interleaved to separate slices (decision 10)."""

import numpy as np
import pyopencl as cl

from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import load_kernel
from tomobatch.reconstruct.geometry import Geometry

_RUN_PIXELS = 64


class SliceSplitter:
    """Takes interleaved slices (row, column, lane) apart into (slice, row, column), masked."""

    def __init__(self, device: Device, geometry: Geometry, lanes: int, stride: int) -> None:
        program = load_kernel(device, "layout", {"LANES": lanes, "N_PIXELS": _RUN_PIXELS})
        self._kernel = cl.Kernel(program, "split_slices")
        self._geometry = geometry
        self._stride = stride

    def __call__(
        self, queue: cl.CommandQueue, image: cl.Buffer, slices: cl.Buffer, n_slices: int
    ) -> None:
        """Enqueue the step for the first ``n_slices`` lanes."""
        geometry = self._geometry
        height, width = geometry.shape_px
        radius = geometry.mask_radius_px
        self._kernel(
            queue,
            (-(-width // _RUN_PIXELS), height),
            None,
            image,
            slices,
            np.int32(n_slices),
            np.int32(width),
            np.int32(height),
            np.int32(self._stride),
            np.array([geometry.first_x_px, geometry.first_y_px], dtype=np.float32),
            np.float32(geometry.binning),
            np.float32(-1 if radius is None else radius**2),
        )
