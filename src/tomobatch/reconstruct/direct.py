"""Filtered back-projection: the host side of ``direct.cl``."""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.opencl.buffers import Shared, filled_by_device, mapped, uploaded
from tomobatch.opencl.devices import Device
from tomobatch.opencl.kernels import load_kernel
from tomobatch.reconstruct import vkfft
from tomobatch.reconstruct.engine import Method
from tomobatch.reconstruct.filter import SAMPLES_PER_PX, padded_length
from tomobatch.reconstruct.geometry import Geometry
from tomobatch.reconstruct.rows import RowFilter, count_samples
from tomobatch.reconstruct.rows_on_device import DeviceRowFilter, filter_bytes, is_device_work
from tomobatch.reconstruct.settings import FilterName, Padding
from tomobatch.reconstruct.splitting import SliceSplitter
from tomobatch.reconstruct.variants import PIXELS_A_RUN, Variant, choose_variant

FRACTION_BITS = 23

_KERNELS = {"tiles": "direct", "local": "direct_local", "image": "direct_image"}


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
        steps = fixed_point_steps(geometry, axis)
        spans = chords(geometry, variant.n_pixels)
        self._steps = uploaded(device.context, steps)
        self._chords = uploaded(device.context, spans)
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
    """Filtered back-projection of blocks of slices; see ``engine.Engine``.

    Parameters
    ----------
    device
        Where it runs.
    geometry
        Shared geometry.
    lanes
        Most slices of a block: 1, 4, 8, 16 or 32.
    filter, padding
        Window on the ramp; what is assumed outside the detector.
    variant
        How the work is cut: by default as suits the device.
    on_device
        Whether the device filters, by VkFFT: see ``vkfft.is_used``. Binned slices are the host's.
    """

    def __init__(
        self,
        device: Device,
        geometry: Geometry,
        lanes: int,
        filter: FilterName = "ramp",
        padding: Padding = "edge",
        variant: Variant | None = None,
        on_device: bool | None = None,
    ) -> None:
        variant = choose_variant(device, geometry, lanes) if variant is None else variant
        if on_device is None:
            on_device = vkfft.is_used(device)
        self.lanes = lanes
        self._geometry = geometry
        margin_px = _row_margin_px(geometry, variant.margin_px)
        self._filter = RowFilter(geometry, margin_px, filter, padding)
        n_samples = self._filter.n_samples
        self._back_project = BackProjector(device, geometry, n_samples, self._filter.axis, variant)
        stride = self._back_project.width
        self._split = SliceSplitter(device, geometry, lanes, stride)
        self._queue = device.queue()
        self._rows = Shared(self._queue, (geometry.n_angles, n_samples, lanes))
        self._image = Shared(self._queue, (geometry.shape_px[0], stride, lanes))
        self._device_filter: DeviceRowFilter | None = None
        if on_device and is_device_work(geometry):
            self._device_filter = DeviceRowFilter(
                self._queue, device, geometry, lanes, padding, self._filter
            )

    def __call__(
        self,
        sinograms: Float32Array,
        cor_px: Float64Array,
        out: Float32Array,
        first_row: int = 0,
    ) -> None:
        """Reconstruct sinograms (row, angle, x) into ``out`` (row, ny, nx), both C-contiguous.

        ``first_row`` is the number of the first row, for messages.
        """
        self._filter_rows(sinograms, cor_px, first_row)
        self._back_project(self._queue, self._rows.buffer, self._image.buffer)
        with filled_by_device(self._queue, out) as slices:
            self._split(self._queue, self._image.buffer, slices, len(out))

    def _filter_rows(self, sinograms: Float32Array, cor_px: Float64Array, first_row: int) -> None:
        rows = self._rows
        if self._device_filter is not None:
            self._device_filter(sinograms, cor_px, rows.buffer, first_row)
            return
        with mapped(
            self._queue, rows.buffer, rows.shape, cl.map_flags.WRITE_INVALIDATE_REGION
        ) as filtered:
            self._filter(sinograms, cor_px, filtered, first_row)


def _row_margin_px(geometry: Geometry, margin_px: int) -> int:
    """Return the columns beyond the mask that runs of so many pixels want: 2 to interpolate."""
    return margin_px * geometry.binning + 2


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


def row_samples(geometry: Geometry) -> int:
    """Return the samples of a filtered row, as many as any variant wants."""
    return count_samples(geometry, _row_margin_px(geometry, PIXELS_A_RUN))


def _buffer_bytes(geometry: Geometry, lanes: int, *, on_device: bool) -> list[int]:
    height, width = geometry.shape_px
    rows = geometry.n_angles * row_samples(geometry)
    image = height * _round_up(width, PIXELS_A_RUN)
    sizes = [4 * lanes * n_values for n_values in (rows, image, height * width)]
    filters = on_device and is_device_work(geometry)
    return sizes + (filter_bytes(geometry, lanes) if filters else [])


def _work(geometry: Geometry) -> dict[str, float]:
    """``filter``: points of a transform times the logarithm; ``update``: pixels times angles."""
    height, width = geometry.shape_px
    length = padded_length(geometry)
    area = float(height * width)
    if geometry.mask_radius_px is not None:
        area = min(area, math.pi * (geometry.mask_radius_px / geometry.binning) ** 2)
    return {
        "filter": geometry.n_angles * length * math.log2(length),
        "update": area * geometry.n_angles,
    }


DIRECT = Method(
    "direct",
    lanes=(32, 16, 8, 4, 1),
    # With 16 a slice takes a CPU 1.3 times as long as in a full block, with 8 still longer.
    well_filled=16,
    make=lambda device, geometry, lanes, chosen: DirectEngine(
        device, geometry, lanes, chosen.filter, chosen.padding
    ),
    buffer_bytes=_buffer_bytes,
    work=_work,
)
