"""A vertical stack: volumes one above the other along the axis, as one OME-Zarr (z, y, x)."""

import itertools
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from tomobatch.arrays import Float32Array, Float64Array
from tomobatch.errors import UserError
from tomobatch.joined.between import (
    LEAST_PX,
    REACH_SLICES,
    Shift,
    at_fraction,
    find_fraction,
    moved,
)
from tomobatch.joined.level import Member, check_alike, read_member
from tomobatch.joined.overlap import Overlap, cells_of, find_overlap, find_shift, weights
from tomobatch.joined.provenance import take_provenance
from tomobatch.stores.files import complete_folder, write_json
from tomobatch.stores.grey_codes import GreyCodes, codes_in, read_grey
from tomobatch.stores.read import open_array
from tomobatch.stores.settings import VolumeType
from tomobatch.stores.volume import VolumeLayout
from tomobatch.stores.volume_writer import open_chunk

# Two scans of one specimen and beam agree better; more is a step that the eye sees.
_MOST_STEP = 0.05


@dataclass(frozen=True)
class Placed:
    """A volume and where it lies in the stack.

    Attributes
    ----------
    array
        Its finest level (z, y, x).
    first
        The slice of the stack that its first one is.
    shift_px
        By which the specimen lies further in it: slices, than ``first`` says; rows and columns,
        than in the first volume.
    """

    array: "zarr.Array[Any]"
    first: int
    shift_px: Shift = (0.0, 0.0, 0.0)

    @property
    def stop(self) -> int:
        """The slice of the stack behind its last one."""
        return self.first + int(self.array.shape[0])

    def read(self, start: int, stop: int) -> Float32Array:
        """Read slices [start, stop) of the stack as grey values, moved to where they belong."""
        start, stop, n_slices = start - self.first, stop - self.first, int(self.array.shape[0])
        whole = round(self.shift_px[1]), round(self.shift_px[2])
        parts = np.subtract(self.shift_px, (0, *whole))
        parts[np.abs(parts) < LEAST_PX] = 0
        reach = REACH_SLICES if parts[0] else 0
        low, high = max(start - reach, 0), min(stop + reach, n_slices)
        near = at_fraction(read_grey(self.array, slice(low, high)), parts)
        return moved(near[start - low : stop - low], whole)


def join_stack(
    volumes: Sequence[Path], output: Path, *, overlap: int | None = None
) -> tuple[list[Overlap], list[str]]:
    """Write the stack of finished volumes, the one of the lowest rows first.

    Parameters
    ----------
    volumes
        Their folders.
    output
        The folder of the stack, which is not there yet.
    overlap
        Slices that each has in common with the next, where that is known.

    Returns
    -------
    How each lies against the one before, and what the user should look at, a line each.

    Raises
    ------
    UserError
        If one is not finished, they differ in width, voxel or type, or no overlap is found.
    """
    if len(volumes) < 2:
        raise UserError("a stack has two volumes or more")
    members = [read_member(volume) for volume in volumes]
    check_alike(members, ("data_type", "dimension_names"))
    arrays = [open_array(f"{member.folder}/0/zarr.json") for member in members]
    for member, array in zip(members, arrays, strict=True):
        if array.shape[1:] != arrays[0].shape[1:]:
            raise UserError(f"{member.folder}: its slices are of another size than the first ones")
    pairs = list(itertools.pairwise(arrays))
    overlaps = [_overlap(one, other, overlap) for one, other in pairs]
    placed = _place(arrays, overlaps)
    with complete_folder(output) as partial:
        _write(partial, members, placed)
        facts = [
            {"name": member.multiscale["name"], "first_slice": one.first, "shift_px": one.shift_px}
            for member, one in zip(members, placed, strict=True)
        ]
        take_provenance(members, partial, {"stack": facts})
    return overlaps, [line for pair in itertools.pairwise(placed) for line in _step(*pair)]


def read_stack(placed: Sequence[Placed], start: int, stop: int) -> Float32Array:
    """Read slices [start, stop) of a stack, going over evenly where two volumes have a slice."""
    out = np.empty((stop - start, *placed[0].array.shape[1:]), np.float32)
    for first, end, owners in _segments(placed):
        low, high = max(first, start), min(end, stop)
        if low >= high:
            continue
        values = owners[0].read(low, high)
        if len(owners) == 2:
            share = weights(end - first)[low - first : high - first]
            values = values + share * (owners[1].read(low, high) - values)
        out[low - start : high - start] = values
    return out


def _segments(placed: Sequence[Placed]) -> Iterator[tuple[int, int, list[Placed]]]:
    """Walk runs of slices that one volume has, or two."""
    for number, one in enumerate(placed):
        after = placed[number + 1].first if number + 1 < len(placed) else one.stop
        before = placed[number - 1].stop if number else one.first
        yield before, after, [one]
        if number + 1 < len(placed):
            yield after, one.stop, [one, placed[number + 1]]


def _overlap(one: "zarr.Array[Any]", other: "zarr.Array[Any]", given: int | None) -> Overlap:
    if given is not None and not 1 <= given <= min(one.shape[0], other.shape[0]):
        raise UserError(f"--overlap {given}: the volumes have {one.shape[0]} and {other.shape[0]}")
    found = Overlap(given, 1.0) if given else find_overlap(_cells(one), _cells(other))
    n_slices = found.n_slices
    first = read_grey(one, slice(one.shape[0] - n_slices, one.shape[0]))
    second = read_grey(other, slice(0, n_slices))
    rows, columns = find_shift(first, second)
    down, *across = find_fraction(first, moved(second, (rows, columns)))
    # How many slices they share is the user's word, where there is one.
    shift_px = 0.0 if given else down, rows + across[0], columns + across[1]
    return replace(found, shift_px=shift_px)


def _cells(array: "zarr.Array[Any]") -> Float64Array:
    step = (array.shards or array.chunks)[0]
    starts = range(0, array.shape[0], step)
    return np.concatenate([cells_of(read_grey(array, slice(at, at + step))) for at in starts])


def _place(arrays: Sequence["zarr.Array[Any]"], overlaps: Sequence[Overlap]) -> list[Placed]:
    placed = [Placed(arrays[0], 0)]
    for array, overlap in zip(arrays[1:], overlaps, strict=True):
        before = placed[-1]
        down, *across = np.add(before.shift_px, overlap.shift_px)
        # What adds up to a slice and more is one.
        first = before.stop - overlap.n_slices - round(down)
        shift = float(down - round(down)), float(across[0]), float(across[1])
        if len(placed) > 1 and first < placed[-2].stop:
            raise UserError("three volumes have the same slices: leave the middle one out")
        placed.append(Placed(array, first, shift))
    return placed


def _write(folder: Path, members: Sequence[Member], placed: Sequence[Placed]) -> None:
    """Write metadata and every chunk of the stack."""
    finest = placed[0].array
    codes = _codes(placed)
    dtype: VolumeType = "float32" if codes is None else codes.dtype
    layout = VolumeLayout(
        n_slices=placed[-1].stop,
        height_px=finest.shape[1],
        width_px=finest.shape[2],
        chunk_slices=(finest.shards or finest.chunks)[0],
        n_levels=members[0].n_levels,
        dtype=dtype,
        codes=codes,
    )
    write_json(folder / "zarr.json", _group(members, codes))
    for level in range(layout.n_levels):
        (folder / str(level)).mkdir()
        (folder / str(level) / "zarr.json").write_bytes(layout.array(level).metadata())
    for chunk in range(-(-layout.n_slices // layout.chunk_slices)):
        paths = [
            folder / str(level) / "c" / layout.array(level).key(chunk)
            for level in range(layout.n_levels)
        ]
        with open_chunk(layout, chunk, paths) as writer:
            writer.write(0, read_stack(placed, *layout.range(chunk)))


def _codes(placed: Sequence[Placed]) -> GreyCodes | None:
    """Return whole numbers that hold the greys of all volumes; None where these are float32."""
    codes = [codes_in(one.array.attrs, one.array.dtype) for one in placed]
    known = [each for each in codes if each is not None]
    if not known:
        return None
    low, high = min(each.low for each in known), max(each.high for each in known)
    return GreyCodes(known[0].dtype, low, high)


def _group(members: Sequence[Member], codes: GreyCodes | None) -> dict[str, Any]:
    """Return the metadata of the stack: those of its first volume, with a window for all."""
    group = deepcopy(members[0].group)
    ome, ours = group["attributes"]["ome"], group["attributes"].setdefault("tomobatch", {})
    ome["multiscales"][0]["name"] = "stack"
    ends = [end for member in members for end in _grey_window(member)]
    low, high = min(ends), max(ends)
    if codes is not None:
        low, high = codes.code_of(low), codes.code_of(high)
        ours["grey"] = {**ours.get("grey", {}), **codes.attributes()}
    ome["omero"]["channels"][0]["window"] = {"min": low, "max": high, "start": low, "end": high}
    return group


def _grey_window(member: Member) -> tuple[float, float]:
    array = open_array(f"{member.folder}/0/zarr.json")
    codes = codes_in(array.attrs, array.dtype)
    low, high = member.window
    return (
        (low, high)
        if codes is None
        else (
            codes.low + codes.scale * low,
            codes.low + codes.scale * high,
        )
    )


def _step(one: Placed, other: Placed) -> Iterator[str]:
    """Say where the greys of the same slices differ in two volumes."""
    first, second = one.read(other.first, one.stop), other.read(other.first, one.stop)
    spread = float(first.std())
    step = float(second.mean() - first.mean())
    if spread and abs(step) > _MOST_STEP * spread:
        yield (
            f"grey values step by {step:.3g} from one volume to the next,"
            f" {abs(step) / spread:.0%} of their spread, at slice {other.first}"
        )
