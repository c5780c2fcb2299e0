"""How two volumes, or two configurations, differ: settings, versions, what was found, pixels."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import zarr

from tomobatch.provenance.record import Record
from tomobatch.stores.grey_codes import read_grey

_ELSEWHERE = ("scan.path", "scan.name", "settings.path", "made")
"""Where and when: not what."""

_BLOCK_BYTES = 2**27


@dataclass(frozen=True)
class Difference:
    """One key and its two values; None where it is not there."""

    key: str
    a: Any
    b: Any

    def __str__(self) -> str:
        return f"{self.key}: {json.dumps(self.a)} | {json.dumps(self.b)}"


@dataclass(frozen=True)
class Pixels:
    """How the greys of two volumes of one shape differ.

    Attributes
    ----------
    n_different, n_voxels
        Voxels that are not the same, and all.
    largest, where
        The largest difference, and the voxel (z, y, x) that has it.
    rms
        Of the differences.
    scale
        Standard deviation of the first volume, to judge them by.
    """

    n_different: int
    n_voxels: int
    largest: float
    where: tuple[int, int, int]
    rms: float
    scale: float

    @property
    def words(self) -> str:
        """One line for people."""
        if self.n_different == 0:
            return f"all {self.n_voxels} voxels are equal, bit by bit"
        relative = f", {self.rms / self.scale:.2g} of the volume's own spread" if self.scale else ""
        place = ", ".join(map(str, self.where))
        return (
            f"{self.n_different} of {self.n_voxels} voxels differ: rms {self.rms:.3g}{relative};"
            f" at most {self.largest:.3g}, at (z, y, x) = ({place})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)


def compare_records(a: Record, b: Record) -> list[Difference]:
    """Return every figure and setting that differs, but for where and when."""
    flat_a, flat_b = (dict(flatten(one)) for one in (a, b))
    return [
        Difference(key, flat_a.get(key), flat_b.get(key))
        for key in dict.fromkeys([*flat_a, *flat_b])
        if key not in _ELSEWHERE and not _same(flat_a.get(key), flat_b.get(key))
    ]


def compare_pixels(a: "zarr.Array[Any]", b: "zarr.Array[Any]") -> Pixels:
    """Compare two volumes (z, y, x) of one shape as greys, some slices at a time."""
    slice_bytes = 4 * math.prod(a.shape[1:])
    step = max(1, _BLOCK_BYTES // slice_bytes)
    n_different, largest, where = 0, 0.0, (0, 0, 0)
    squares = total = total_squares = 0.0
    for start in range(0, a.shape[0], step):
        place = slice(start, start + step)
        one, other = (read_grey(each, place).astype(np.float64) for each in (a, b))
        apart = np.abs(one - other)
        n_different += int(np.count_nonzero(apart))
        squares += float(np.sum(apart**2))
        total, total_squares = total + float(one.sum()), total_squares + float(np.sum(one**2))
        at = int(np.argmax(apart))
        if apart.flat[at] > largest:
            z, y, x = (int(index) for index in np.unravel_index(at, apart.shape))
            largest, where = float(apart.flat[at]), (start + z, y, x)
    n_voxels = math.prod(a.shape)
    variance = total_squares / n_voxels - (total / n_voxels) ** 2
    return Pixels(
        n_different, n_voxels, largest, where, math.sqrt(squares / n_voxels),
        math.sqrt(max(variance, 0.0)),
    )  # fmt: skip


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Walk ``{"a": {"b": 12}}`` as ``("a.b", 12)``."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _same(a: Any, b: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Tell whether two values are one; lists as JSON has them."""
    return json.dumps(a) == json.dumps(b)
