"""Flats or a white level: what tells the open beam of a scan, where both may be there."""

from dataclasses import replace

import numpy as np

from tomobatch.scan.parts import ScanParts
from tomobatch.scan.settings import DatasetSettings


def settle_white_level(
    path: str, parts: ScanParts, datasets: DatasetSettings
) -> tuple[ScanParts, list[str]]:
    """Return the parts with a white level or flats, not both, and what is wrong with the level."""
    if datasets.flats is not None:
        if datasets.white_level is None:
            return replace(parts, white_level=None), []
        problem = f"{path}: datasets.flats and datasets.white_level are both given; choose one"
        return replace(parts, white_level=None), [problem]
    level = parts.white_level if datasets.white_level is None else datasets.white_level
    if level is None:
        return parts, []
    notes = parts.notes
    if parts.flats:
        notes += (
            f"flats lie beside pictures that are divided by them already (open beam at {level:g}):"
            " they are not used; name them as datasets.flats if they are to be",
        )
    darks = parts.darks if datasets.darks is not None else ()
    parts = replace(parts, flats=(), darks=darks, notes=notes, white_level=level)
    dtype = parts.stored_dtype or parts.projections.dtype
    if dtype.kind in "iu" and level > np.iinfo(dtype.str).max:
        return parts, [
            f"{path}: an open beam of {level:g} is stated, but its pictures are of {dtype}, which"
            f" holds {np.iinfo(dtype.str).max} at most; give the right one as datasets.white_level"
        ]
    return parts, []
