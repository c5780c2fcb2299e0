"""How two volumes, or two configurations, differ: settings, versions, what was found, pixels."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import zarr

from tomobatch.provenance.record import JOINED, PARTS, Record, joined_as
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
        The largest difference, and the voxel (z, y, x), or (t, z, y, x), that has it.
    rms
        Of the differences.
    scale
        Standard deviation of the first volume, to judge them by.
    """

    n_different: int
    n_voxels: int
    largest: float
    where: tuple[int, ...]
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
            f" at most {self.largest:.3g}, at {axes_of(self.where)} = ({place})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)


def compare_records(a: Record, b: Record) -> list[Difference]:
    """Return every figure and setting that differs, but for where and when.

    Of joined volumes: how they were joined, and the parts one by one, as ``parts.0.found.cor_px``.
    A joined volume and one of a single scan differ in that alone: no part is the other's.
    """
    if JOINED not in a and JOINED not in b:
        return _differences(a, b)
    if joined_as(a) != joined_as(b):
        return [Difference(JOINED, joined_as(a), joined_as(b))]
    found = _differences(_how_joined(a), _how_joined(b))
    for number, parts in enumerate(zip(a[PARTS], b[PARTS], strict=False)):
        found += [
            replace(one, key=f"{PARTS}.{number}.{one.key}") for one in compare_records(*parts)
        ]
    return found


def axes_of(of_each: Sequence[int]) -> str:
    """Return the names of the axes of a shape or a place, ``(z, y, x)`` or ``(t, z, y, x)``."""
    return f"({', '.join('tzyx'[-len(of_each) :])})"


def _differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Difference]:
    flat_a, flat_b = (dict(flatten(one)) for one in (a, b))
    return [
        Difference(key, flat_a.get(key), flat_b.get(key))
        for key in dict.fromkeys([*flat_a, *flat_b])
        if key not in _ELSEWHERE and not _same(flat_a.get(key), flat_b.get(key))
    ]


def _how_joined(record: Record) -> dict[str, Any]:
    """Return how many parts there are and where they lie, without their names."""
    ((_, facts),) = record[JOINED].items()
    # A series has the names of its volumes alone.
    places = [
        {key: value for key, value in one.items() if key != "name"}
        for one in facts
        if isinstance(one, Mapping)
    ]
    return {JOINED: {"n_volumes": len(facts), **{str(n): one for n, one in enumerate(places)}}}


def compare_pixels(a: "zarr.Array[Any]", b: "zarr.Array[Any]") -> Pixels:
    """Compare two volumes (z, y, x), or series of them, of one shape as greys, slices at a time."""
    slice_bytes = 4 * math.prod(a.shape[-2:])
    step = max(1, _BLOCK_BYTES // slice_bytes)
    n_different, largest, where = 0, 0.0, (0,) * len(a.shape)
    squares = total = total_squares = 0.0
    for *moment, start in _starts(a.shape, step):
        place = *moment, slice(start, start + step)
        one, other = (read_grey(each, place).astype(np.float64) for each in (a, b))
        apart = np.abs(one - other)
        n_different += int(np.count_nonzero(apart))
        squares += float(np.sum(apart**2))
        total, total_squares = total + float(one.sum()), total_squares + float(np.sum(one**2))
        at = int(np.argmax(apart))
        if apart.flat[at] > largest:
            z, y, x = (int(index) for index in np.unravel_index(at, apart.shape))
            largest, where = float(apart.flat[at]), (*moment, start + z, y, x)
    n_voxels = math.prod(a.shape)
    variance = total_squares / n_voxels - (total / n_voxels) ** 2
    return Pixels(
        n_different, n_voxels, largest, where, math.sqrt(squares / n_voxels),
        math.sqrt(max(variance, 0.0)),
    )  # fmt: skip


def _starts(shape: Sequence[int], step: int) -> Iterator[tuple[int, ...]]:
    """Walk the first slice of each block, after its moment where there is an axis of time."""
    for moment in np.ndindex(*shape[:-3]):
        for start in range(0, shape[-3], step):
            yield *moment, start


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
