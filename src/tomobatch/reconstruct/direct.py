"""Filtered back-projection: the host side of ``direct.cl``."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.opencl.buffers import Shared, filled_by_device, mapped
from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import Define, load_kernel
from tomobatch.reconstruct.filter import SAMPLES_PER_PX
from tomobatch.reconstruct.geometry import FloatArray, Geometry
from tomobatch.reconstruct.rows import RowFilter
from tomobatch.reconstruct.settings import Padding, Window
from tomobatch.reconstruct.splitting import SliceSplitter

Float32Array = npt.NDArray[np.float32]

FRACTION_BITS = 23

_KERNELS = {"tiles": "direct", "local": "direct_local", "image": "direct_image"}


@dataclass(frozen=True)
class Variant:
    """How the work is cut; the constants are those of the kernel files.

    ``tiles`` (``direct.cl``) keeps runs of pixels in the registers of a CPU, ``local``
    (``direct_local.cl``) strips of the rows in a GPU's local memory, ``image``
    (``direct_image.cl``) reads through its texture units.
    """

    name: Literal["tiles", "local", "image"]
    defines: dict[str, Define]
    side: int
    n_pixels: int = 1

    @property
    def margin_px(self) -> int:
        """Pixels beyond the mask that a run of pixels may reach."""
        return self.n_pixels if self.name == "tiles" else 0


def tiles(lanes: int, n_pixels: int = 4, tile: int = 32, n_angles: int = 8) -> Variant:
    """Return the variant for CPUs; the numbers were the fastest at 1024 px, see the benchmarks."""
    width = min(lanes, 16)
    defines: dict[str, Define] = {
        "VEC": "float" if width == 1 else f"float{width}",
        "N_VECS": lanes // width,
        "N_PIXELS": n_pixels,
        "TILE": tile,
        "N_ANGLES": n_angles,
    }
    return Variant("tiles", defines, tile, n_pixels)


def local(lanes: int, binning: int, local_bytes: int) -> Variant | None:
    """Return the variant for GPUs, or None where not even one strip fits half the local memory.

    Half, so that a second group may run on the same unit while one waits at a barrier.
    """
    for side in (16, 8):
        strip = math.ceil((side - 1) * math.sqrt(2) * binning * SAMPLES_PER_PX) + 3
        n_angles = min(16, local_bytes // 2 // (4 * lanes * strip + 4))
        if n_angles >= 1:
            return _local(lanes, side, strip, n_angles)
    return None


def _local(lanes: int, side: int, strip: int, n_angles: int) -> Variant:
    width = min(lanes, 4)
    defines: dict[str, Define] = {
        "VEC": "float" if width == 1 else f"float{width}",
        "N_VECS": lanes // width,
        "SIDE": side,
        "N_ANGLES": n_angles,
        "STRIP": strip,
    }
    return Variant("local", defines, side)


def image(side: int = 16) -> Variant:
    """Return the variant that reads four slices through a GPU's texture units."""
    return Variant("image", {"SIDE": side}, side)


def choose_variant(device: Device, geometry: Geometry, lanes: int) -> Variant:
    """Return the variant for a device by its properties: local memory of its own, images."""
    found = device.cl_device
    if found.local_mem_type == cl.device_local_mem_type.LOCAL:
        chosen = local(lanes, geometry.binning, found.local_mem_size)
        if chosen is not None:
            return chosen
        samples = SAMPLES_PER_PX * (2 * math.ceil(geometry.reach_px) + 6)
        fits = samples <= found.image2d_max_width and geometry.n_angles <= found.image2d_max_height
        if lanes == 4 and found.image_support and fits:
            return image()
    return tiles(lanes)


class BackProjector:
    """Back-projects the filtered rows of a block of slices.

    Parameters
    ----------
    device
        Where it runs.
    geometry
        Shared geometry.
    n_samples
        Samples of a filtered row.
    axis
        The rotation axis in it, in samples.
    variant
        How the work is cut.
    """

    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        n_samples: int,
        axis: float,
        variant: Variant,
    ) -> None:
        program = load_kernel(device, _KERNELS[variant.name], variant.defines)
        self._kernel = cl.Kernel(program, "back_project")
        self._variant = variant
        self.height, width = geometry.shape_px
        self.width = _round_up(width, variant.n_pixels if variant.name == "tiles" else variant.side)
        self._n_samples, self._n_angles = n_samples, geometry.n_angles
        flags = cl.mem_flags.READ_ONLY | cl.mem_flags.COPY_HOST_PTR
        steps = fixed_point_steps(geometry, axis)
        spans = chords(geometry, variant.n_pixels)
        self._steps = cl.Buffer(device.context, flags, hostbuf=steps)
        self._chords = cl.Buffer(device.context, flags, hostbuf=spans)
        self._texture = self._make_texture(device) if variant.name == "image" else None

    def __call__(self, queue: cl.CommandQueue, rows: cl.Buffer, image: cl.Buffer) -> cl.Event:
        """Enqueue the back-projection of rows (angle, sample, lane) into image (y, width, lane)."""
        source: cl.Buffer | cl.Image = rows
        if self._texture is not None:
            size = (self._n_samples, self._n_angles)
            copy: Callable[..., cl.Event] = cl.enqueue_copy
            copy(queue, self._texture, rows, offset=0, origin=(0, 0), region=size)
            source = self._texture
        side = self._variant.side
        across, down = -(-self.width // side), -(-self.height // side)
        on_tiles = self._variant.name == "tiles"
        event: cl.Event = self._kernel(
            queue,
            (across, down) if on_tiles else (across * side, down * side),
            (1, 1) if on_tiles else (side, side),
            source,
            image,
            self._steps,
            self._chords,
            np.int32(self._n_samples),
            np.int32(self._n_angles),
            np.int32(self.width),
            np.int32(self.height),
        )
        return event

    def _make_texture(self, device: Device) -> cl.Image:
        four_floats = cl.ImageFormat(cl.channel_order.RGBA, cl.channel_type.FLOAT)
        shape = (self._n_samples, self._n_angles)
        create: Callable[..., cl.Image] = cl.create_image
        return create(device.context, cl.mem_flags.READ_ONLY, four_floats, shape)


class DirectEngine:
    """Filtered back-projection of blocks of slices; see ``engine.Engine``."""

    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        lanes: int,
        name: Window = "ramp",
        padding: Padding = "edge",
        variant: Variant | None = None,
    ) -> None:
        variant = choose_variant(device, geometry, lanes) if variant is None else variant
        self.lanes = lanes
        self._geometry = geometry
        # 2 for the interpolation.
        margin = variant.margin_px * geometry.binning + 2
        self._filter = RowFilter(geometry, margin, name, padding)
        n_samples = self._filter.n_samples
        self._back_project = BackProjector(device, geometry, n_samples, self._filter.axis, variant)
        stride = self._back_project.width
        self._split = SliceSplitter(device, geometry, lanes, stride)
        self._queue = device.queue()
        self._rows = Shared(self._queue, (geometry.n_angles, n_samples, lanes))
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
        with filled_by_device(self._queue, out) as slices:
            self._split(self._queue, self._image.buffer, slices, len(out))


def fixed_point_steps(geometry: Geometry, axis: float) -> npt.NDArray[np.int64]:
    """Return how the index of the sample changes with the pixel, fixed point, int64 (angle, 4).

    Per pixel to the right, per pixel down, at pixel [0, 0], unused.
    """
    cosine = SAMPLES_PER_PX * np.cos(geometry.angles_rad)
    sine = SAMPLES_PER_PX * np.sin(geometry.angles_rad)
    steps = np.zeros((geometry.n_angles, 4))
    steps[:, 0] = geometry.binning * cosine
    steps[:, 1] = geometry.binning * sine
    steps[:, 2] = geometry.first_x_px * cosine + geometry.first_y_px * sine + axis
    fixed: npt.NDArray[np.int64] = np.round(steps * 2**FRACTION_BITS).astype(np.int64)
    return fixed


def chords(geometry: Geometry, n_pixels: int) -> npt.NDArray[np.int32]:
    """Return the run of pixels of each output row that the mask lets through, int32 (ny, 2).

    Half open, widened to multiples of ``n_pixels``; an empty run is [0, 0).
    """
    height, width = geometry.shape_px
    spans = np.zeros((height, 2), dtype=np.int32)
    if geometry.mask_radius_px is None:
        spans[:, 1] = _round_up(width, n_pixels)
        return spans
    half2 = geometry.mask_radius_px**2 - geometry.y_px**2
    half = np.sqrt(np.maximum(half2, 0))
    start = np.ceil((-half - geometry.first_x_px) / geometry.binning)
    stop = np.floor((half - geometry.first_x_px) / geometry.binning) + 1
    start, stop = np.clip(start, 0, width), np.clip(stop, 0, width)
    seen = (half2 >= 0) & (stop > start)
    spans[seen, 0] = (start[seen] // n_pixels) * n_pixels
    spans[seen, 1] = -(-stop[seen] // n_pixels) * n_pixels
    return spans


def _round_up(n: int, multiple: int) -> int:
    return -(-n // multiple) * multiple
