"""The OME-Zarr 0.5 volume: its pyramid, axes and units, and the shards of one chunk of slices."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tomobatch import __version__
from tomobatch.beam import ConeBeam
from tomobatch.calibrate.calibration import Calibration
from tomobatch.chunks import ChunkGrid
from tomobatch.orientation import AS_IT_IS, Orientation
from tomobatch.stores.grey_codes import GreyCodes, codes_for
from tomobatch.stores.layout import ArrayLayout
from tomobatch.stores.settings import VolumeType
from tomobatch.units import grey_unit, to_grey

Volume = npt.NDArray[np.float32]

PROVENANCE = "provenance"
"""The node of a volume that says how it was made."""

_TILE_PX = 256


@dataclass(frozen=True)
class VolumeLayout:
    """A pyramid over (z, y, x) whose every level is sharded by the same chunks of slices.

    A level halves y and x. It halves z as well while the chunk of slices stays divisible, so that
    each job makes its part of every level from its own slices alone, whatever the chunk's size.

    ``binning``, ``corner_px``, the column and row of the whole slice where a region begins, and
    ``first_row`` say where its voxels lie: in detector pixels of ``pixel_size_um``, each
    ``pixel_binning`` of the detector's own. ``beam`` is that of a cone on a
    detector of ``n_cols`` columns, whose slices are as far apart as its rows on the axis.
    ``orientation`` says whether rows of slices are written upside down. ``may_widen`` leaves it to
    calibration whether the slices show both sides of an axis near the detector's edge.
    ``dtype`` and ``window`` are those of the configuration, and ``codes`` how whole numbers are
    written once calibration has settled it.
    """

    n_slices: int
    height_px: int
    width_px: int
    chunk_slices: int
    n_levels: int
    pixel_size_um: float | None = None
    binning: int = 1
    corner_px: tuple[int, int] = (0, 0)
    first_row: float = 0
    pixel_binning: int = 1
    beam: ConeBeam | None = None
    n_cols: int = 0
    orientation: Orientation = AS_IT_IS
    may_widen: bool = False
    dtype: VolumeType = "float32"
    window: tuple[float, float] | None = None
    codes: GreyCodes | None = None

    def settled(self, calibration: Calibration) -> "VolumeLayout":
        """Return the layout once it is known how wide slices are, and which greys they hold."""
        codes = codes_for(self.dtype, self.window, calibration, self.pixel_size_um)
        settled = replace(self, codes=codes)
        if not (calibration.half_acquisition and self.may_widen):
            return settled
        width_px = 2 * self.n_cols // self.binning
        return replace(settled, height_px=width_px, width_px=width_px, may_widen=False)

    def range(self, chunk: int) -> tuple[int, int]:
        """Return the slices of a chunk, [start, stop)."""
        return ChunkGrid(self.n_slices, self.chunk_slices).range(chunk)

    def z_factor(self, level: int) -> int:
        """Return how many slices of level 0 make one of this level."""
        powers_of_two = (self.chunk_slices & -self.chunk_slices).bit_length() - 1
        return int(2 ** min(level, powers_of_two))

    def array(self, level: int) -> ArrayLayout:
        """Return the layout of one level's array."""
        factor_z, factor_yx = self.z_factor(level), 2**level
        height, width = math.ceil(self.height_px / factor_yx), math.ceil(self.width_px / factor_yx)
        tile = min(_TILE_PX, max(height, width))
        return ArrayLayout(
            shape=(math.ceil(self.n_slices / factor_z), height, width),
            shard_shape=(
                self.chunk_slices // factor_z,
                tile * math.ceil(height / tile),
                tile * math.ceil(width / tile),
            ),
            chunk_shape=(1, tile, tile),
            dimension_names=("z", "y", "x"),
            dtype=self.dtype,
            **self._of_codes(),
        )

    def _of_codes(self) -> dict[str, Any]:
        """Return what an array of whole numbers has beside."""
        if self.codes is None:
            return {}
        zero = int(self.codes.encode(np.zeros((1, 1), np.float32))[0, 0])
        return {"attributes": self.codes.attributes(), "fill_value": zero}

    def group_metadata(self, name: str, grey_window: tuple[float, float]) -> bytes:
        """Return the bytes of the group's ``zarr.json``, as OME-Zarr 0.5 wants it.

        Parameters
        ----------
        name
            The scan's name.
        grey_window
            The grey values that a viewer shows first, in 1/pixel.
        """
        unit = {} if self.pixel_size_um is None else {"unit": "micrometer"}
        axes = [{"name": axis, "type": "space", **unit} for axis in "zyx"]
        low, high = (to_grey(value, self.pixel_size_um) for value in grey_window)
        if self.codes is not None:
            # Viewers show what is stored.
            low, high = self.codes.code_of(low), self.codes.code_of(high)
        ome = {
            "version": "0.5",
            "multiscales": [
                {
                    "name": name,
                    "axes": axes,
                    "datasets": [self._dataset(level) for level in range(self.n_levels)],
                    "type": "mean",
                    "metadata": {"method": "tomobatch", "version": __version__},
                }
            ],
            "omero": {
                "channels": [
                    {
                        "label": "attenuation",
                        "color": "FFFFFF",
                        "active": True,
                        "window": {"min": low, "max": high, "start": low, "end": high},
                    }
                ]
            },
        }
        # What is known only at the end stands in a node beside the levels.
        ours: dict[str, Any] = {"shows": self.orientation.to_dict(), "provenance": PROVENANCE}
        if self.beam is not None:
            ours["beam"] = self.beam.to_dict()
        if self.codes is not None:
            unit_of_grey = grey_unit(self.pixel_size_um)
            ours["grey"] = {"dtype": self.dtype, "unit": unit_of_grey, **self.codes.attributes()}
        attributes = {"ome": ome, "tomobatch": ours}
        group = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        return json.dumps(group, indent=2, allow_nan=False).encode()

    def _dataset(self, level: int) -> dict[str, Any]:
        pixel = 1.0 if self.pixel_size_um is None else self.pixel_size_um
        flat = 1.0 if self.beam is None else self.beam.row_pitch_mm / self.beam.pixel_mm
        pitches = (pixel * flat, pixel, pixel)
        factors = (self.z_factor(level), self.binning * 2**level, self.binning * 2**level)
        # The axis is in the middle of a slice, whatever its pixels' size.
        inward = (self.pixel_binning - 1) / 2 / self.pixel_binning
        corners = (self.first_row, *(corner + inward for corner in self.corner_px[::-1]))
        axes = list(zip(pitches, corners, factors, strict=True))
        # A coarse pixel's centre lies in the middle of the fine ones that it averages.
        middles = [pitch * (corner + (factor - 1) / 2) for pitch, corner, factor in axes]
        return {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [pitch * factor for pitch, _, factor in axes]},
                {"type": "translation", "translation": middles},
            ],
        }

    def pyramid(self, slices: Volume) -> Iterator[tuple[int, Volume]]:
        """Walk the levels of one chunk of slices, from the finest on."""
        values, factor_z = slices, 1
        for level in range(self.n_levels):
            if level:
                step = self.z_factor(level) // factor_z
                values, factor_z = halve(values, step), self.z_factor(level)
            yield level, values


def halve(values: Volume, z_factor: int) -> Volume:
    """Average blocks of (z_factor, 2, 2) voxels; at the far ends, of as many as there are.

    Parameters
    ----------
    values
        float32 (z, y, x).
    z_factor
        1 or 2.

    Returns
    -------
    float32, each axis divided by its factor and rounded up.
    """
    for axis, factor in enumerate((z_factor, 2, 2)):
        if factor == 2:
            values = _halve_axis(values, axis)
    return values


def _halve_axis(values: Volume, axis: int) -> Volume:
    n = values.shape[axis]
    halved = np.empty(
        (*values.shape[:axis], math.ceil(n / 2), *values.shape[axis + 1 :]), np.float32
    )
    before = (slice(None),) * axis
    pairs = halved[(*before, slice(n // 2))]
    np.add(values[(*before, slice(0, n - 1, 2))], values[(*before, slice(1, n, 2))], out=pairs)
    pairs *= np.float32(0.5)
    if n % 2:
        halved[(*before, slice(n // 2, None))] = values[(*before, slice(n - 1, n))]
    return halved


@dataclass(frozen=True)
class VolumeFacts:
    """How large a volume is that lies in a folder: (z, y, x), and its voxel if that is known."""

    shape: tuple[int, int, int]
    voxel_um: float | None

    @property
    def n_voxels(self) -> int:
        """Of the finest level."""
        return math.prod(self.shape)


def read_volume_facts(group: Path) -> VolumeFacts | None:
    """Read them from the metadata of a volume; None where there is none."""
    try:
        finest = json.loads((group / "0" / "zarr.json").read_text(encoding="utf-8"))
        ome = json.loads((group / "zarr.json").read_text(encoding="utf-8"))["attributes"]["ome"]
    except FileNotFoundError:
        return None
    multiscale = ome["multiscales"][0]
    depth, height, width = finest["shape"]
    known = multiscale["axes"][0].get("unit")
    size_um = multiscale["datasets"][0]["coordinateTransformations"][0]["scale"][0]
    return VolumeFacts((depth, height, width), float(size_um) if known else None)
