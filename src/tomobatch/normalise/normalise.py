"""From raw counts to line integrals, in OpenCL (decisions 30 and 35)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyopencl as cl

from tomobatch.arrays import Float32Array
from tomobatch.errors import UserError
from tomobatch.normalise.beam import flat_places, signals
from tomobatch.normalise.dynamic import add_modes
from tomobatch.normalise.references import References
from tomobatch.normalise.repair import plan_repair
from tomobatch.normalise.robust_mean import RawArray
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.opencl.buffers import filled_by_device, lent, uploaded
from tomobatch.opencl.devices import Device, find_device
from tomobatch.opencl.kernels import Define, load_kernel

# Photon noise stays below this many standard deviations: above is a zinger.
_NOISE_SIGMAS = 6.0
_LOWEST_WITHOUT_NOISE = 1e-4
# Types of counts that the kernel reads as they are; others are converted to float first.
_OPENCL_TYPES = {"u1": "uchar", "u2": "ushort", "i2": "short", "i4": "int", "f4": "float"}
# Work-items of a group, and columns and rows of its tile: one core's second cache, or the local
# memory that any GPU has.
_GROUPS = {"cpu": (1, 1024, 16), "gpu": (64, 256, 16)}
_BLOCK_BYTES = 256 << 20


@dataclass(frozen=True)
class Normalised:
    """Line integrals of a chunk of projections, and what was mended in it.

    Attributes
    ----------
    line_integrals
        float32 (n, y, x), minus the logarithm of transmission; always finite.
    zingers, clipped, saturated
        int32 (n,), pixels of each projection that were taken for zingers, that were clipped before
        the logarithm, and whose raw counts were at the end of their range.
    repaired
        Bad pixels replaced in each projection.
    """

    line_integrals: Float32Array
    zingers: npt.NDArray[np.int32]
    clipped: npt.NDArray[np.int32]
    saturated: npt.NDArray[np.int32]
    repaired: int


def normalise(
    projections: RawArray,
    first_projection: int,
    references: References,
    settings: NormaliseSettings | None = None,
    *,
    device: Device | None = None,
) -> Normalised:
    """Correct a chunk of raw projections with flats and darks, and take minus the logarithm.

    Every projection is treated by itself, so the result does not depend on how a scan is cut into
    chunks.

    Parameters
    ----------
    projections
        (n, y, x) of any integer or float type, in counts.
    first_projection
        Index in the scan of the first of them.
    references
        Of the same scan and shape (y, x).
    settings
        None for the defaults.
    device
        None for the CPU, which is done before a GPU would have the data, if OpenCL lists one.

    Raises
    ------
    UserError
        When the shapes differ, or a projection holds values that are not finite.
    """
    settings = NormaliseSettings() if settings is None else settings
    if projections.shape[1:] != references.dark.shape:
        raise UserError(
            f"projections of {projections.shape[1:]} pixels (y, x) do not fit "
            f"flats of {references.dark.shape}"
        )
    if settings.input == "line_integrals":
        none = np.zeros(len(projections), np.int32)
        return Normalised(projections.astype(np.float32), none, none, none, 0)
    device = _usual_device() if device is None else device
    kernel = _Kernel(device, references, settings, projections.dtype)
    line_integrals = np.empty(projections.shape, np.float32)
    counts = np.zeros((len(projections), 3), np.int32)
    n_block = max(1, _BLOCK_BYTES // (4 * references.dark.size))
    for start in range(0, len(projections), n_block):
        block = slice(start, start + n_block)
        first = first_projection + start
        _check_finite(projections[block], first)
        raw = np.ascontiguousarray(projections[block], _kernel_dtype(projections.dtype))
        kernel.run(raw, first, line_integrals[block], counts[block])
    if references.offsets is not None:
        last = first_projection + len(projections)
        line_integrals += references.offsets[first_projection:last, None, None]
    if references.modes is not None:
        add_modes(line_integrals, references.modes)
    zingers, clipped, saturated = counts.T
    return Normalised(line_integrals, zingers, clipped, saturated, kernel.n_bad)


def _usual_device() -> Device:
    try:
        return find_device("cpu")
    except UserError:
        return find_device("auto")


def lowest_transmission(references: References, settings: NormaliseSettings) -> tuple[float, float]:
    """Return what transmission is clipped to from below, and what is then added to it.

    Unless a lowest value is given, transmission may be zero, and half a count is added: so dense
    parts behind which hardly a photon arrives keep their mean line integral. Where a single flat
    cannot tell the noise, the lowest value is 1e-4.
    """
    if settings.transmission_min is not None:
        return settings.transmission_min, 0.0
    half_count = references.half_count
    return (0.0, half_count) if half_count > 0 else (_LOWEST_WITHOUT_NOISE, 0.0)


def saturation_counts(
    dtype: np.dtype[np.generic], references: References, settings: NormaliseSettings
) -> float:
    """Return the raw counts from which a pixel is saturated."""
    given = settings.saturation_counts or references.saturation
    if given is not None:
        return given
    return float(np.iinfo(dtype.str).max) if dtype.kind in "iu" else float("inf")


def _check_finite(projections: RawArray, first_projection: int) -> None:
    if projections.dtype.kind != "f":
        return
    finite = np.isfinite(projections).all(axis=(1, 2))
    if not finite.all():
        number = first_projection + int(np.argmin(finite))
        raise UserError(
            f"projection {number} holds values that are not finite: "
            "leave it out of the scan, or mend the file"
        )


def _kernel_dtype(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """Return the type in which the kernel reads raw counts."""
    return dtype.newbyteorder("=") if dtype.str[1:] in _OPENCL_TYPES else np.dtype(np.float32)


def program_defines(
    kind: Literal["gpu", "cpu"], raw: str, *, keep_zingers: bool
) -> tuple[dict[str, Define], int]:
    """Return the constants of the kernel for OpenCL's type of raw counts; work-items of a group."""
    n_items, tile_x, tile_y = _GROUPS[kind]
    defines: dict[str, Define] = {
        "RAW": raw,
        "RAW8": f"{raw}8",
        "N_ITEMS": n_items,
        "TILE_X": tile_x,
        "TILE_Y": tile_y,
        "ZINGERS": int(not keep_zingers),
    }
    return defines, n_items


def build_program(device: Device, dtype: np.dtype[np.generic], *, keep_zingers: bool) -> cl.Program:
    """Return the program for raw counts of a type, one of those the kernel reads."""
    raw = _OPENCL_TYPES[dtype.str[1:]]
    defines, _ = program_defines(device.kind, raw, keep_zingers=keep_zingers)
    return load_kernel(device, "normalise", defines, package="tomobatch.normalise")


class _Kernel:
    """The kernel, with what all projections share in device memory."""

    def __init__(
        self,
        device: Device,
        references: References,
        settings: NormaliseSettings,
        dtype: np.dtype[np.generic],
    ) -> None:
        repair = plan_repair(references.bad_pixels)
        bad_index = np.full(references.dark.shape, -1, np.int32)
        bad_index.flat[repair.pixels] = np.arange(len(repair.pixels))
        signal = signals(references, settings)
        self.n_bad = len(repair.pixels)
        self._references, self._settings = references, settings
        self._device, self._queue = device, device.queue()
        self._kernel = cl.Kernel(
            build_program(
                device, _kernel_dtype(dtype), keep_zingers=settings.zinger_threshold is None
            ),
            "normalise",
        )
        context = device.context
        self._maps = [uploaded(context, signal), uploaded(context, references.dark)]
        self._repair = [
            uploaded(context, array) for array in (bad_index, repair.neighbours, repair.weights)
        ]
        self._constants = [
            *(np.int32(value) for value in (*references.dark.shape, len(signal) - 1)),
            np.float32(1 / (1 + (settings.zinger_threshold or 0))),
            np.float32(_NOISE_SIGMAS * references.noise),
            *map(np.float32, lowest_transmission(references, settings)),
            np.float32(settings.transmission_max),
            np.float32(saturation_counts(dtype, references, settings)),
        ]

    def run(
        self,
        raw: RawArray,
        first_projection: int,
        line_integrals: Float32Array,
        counts: npt.NDArray[np.int32],
    ) -> None:
        """Fill ``line_integrals`` (n, y, x) and ``counts`` (n, 3) for the projections ``raw``."""
        n_projections, n_y, n_x = raw.shape
        n_items, tile_x, tile_y = _GROUPS[self._device.kind]
        numbers = np.arange(first_projection, first_projection + n_projections)
        before, shares = flat_places(numbers, self._references, self._settings)
        with (
            filled_by_device(self._queue, line_integrals) as output,
            filled_by_device(self._queue, counts, added_to=True) as found,
        ):
            self._kernel(
                self._queue,
                (n_projections * n_items, -(-n_x // tile_x), -(-n_y // tile_y)),
                (n_items, 1, 1),
                lent(self._queue, raw),
                output,
                found,
                *self._maps,
                lent(self._queue, before),
                lent(self._queue, shares),
                *self._repair,
                *self._constants,
            )
