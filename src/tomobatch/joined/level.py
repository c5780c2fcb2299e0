"""What must be alike in volumes that are joined."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tomobatch.errors import UserError
from tomobatch.stores.volume import PROVENANCE


@dataclass(frozen=True)
class Member:
    """One of the volumes: its folder, and its metadata as they lie there."""

    folder: Path
    group: dict[str, Any]
    arrays: tuple[dict[str, Any], ...]

    @property
    def multiscale(self) -> dict[str, Any]:
        """Its axes, levels and scales."""
        return dict(self.group["attributes"]["ome"]["multiscales"][0])

    @property
    def n_levels(self) -> int:
        """Its resolutions."""
        return len(self.arrays)

    @property
    def window(self) -> tuple[float, float]:
        """What a viewer shows first, in what is stored."""
        (channel,) = self.group["attributes"]["ome"]["omero"]["channels"]
        return channel["window"]["start"], channel["window"]["end"]


def read_member(folder: Path) -> Member:
    """Read the metadata of a volume of this machine.

    Raises
    ------
    UserError
        If it is not there, not finished, or no volume (z, y, x).
    """
    try:
        group = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
        datasets = group["attributes"]["ome"]["multiscales"][0]["datasets"]
        arrays = tuple(
            json.loads((folder / each["path"] / "zarr.json").read_text(encoding="utf-8"))
            for each in datasets
        )
    except (OSError, KeyError, ValueError, IndexError):
        raise UserError(f"{folder}: holds no volume of this machine") from None
    if not (folder / PROVENANCE / "zarr.json").is_file():
        raise UserError(f"{folder} is not finished: it does not say how it was made")
    if len(arrays[0]["shape"]) != 3:
        raise UserError(f"{folder}: is no volume of z, y and x; it is joined already")
    return Member(folder, group, arrays)


def check_alike(members: Sequence[Member], keys: Sequence[str]) -> None:
    """Refuse volumes that differ in what cannot be joined.

    Parameters
    ----------
    keys
        Of the arrays' metadata, such as ``shape``.

    Raises
    ------
    UserError
        Names the first that differs, and in what.
    """
    first = members[0]
    for other in members[1:]:
        if other.n_levels != first.n_levels:
            _refuse(first, other, "levels", first.n_levels, other.n_levels)
        if _scales(other) != _scales(first):
            _refuse(first, other, "voxels", _scales(first), _scales(other))
        for ours, theirs in zip(first.arrays, other.arrays, strict=True):
            for key in keys:
                if ours[key] != theirs[key]:
                    _refuse(first, other, key, ours[key], theirs[key])


def _scales(member: Member) -> Any:  # noqa: ANN401  plain JSON
    finest = member.multiscale["datasets"][0]
    return finest["coordinateTransformations"][0]["scale"]


def _refuse(first: Member, other: Member, key: str, ours: object, theirs: object) -> None:
    raise UserError(
        f"{other.folder} differs from {first.folder} in {key}: {json.dumps(theirs)} instead of"
        f" {json.dumps(ours)}; reconstruct them with the same settings"
    )
