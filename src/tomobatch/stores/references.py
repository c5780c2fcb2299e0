"""The averaged flats and darks of a scan, in one HDF5 file."""

import json
from dataclasses import asdict
from pathlib import Path

import h5py

from tomobatch.normalise.references import Drift, ReferenceCounts, References
from tomobatch.stores.files import complete_or_absent

_ARRAYS = ("flats", "flat_positions", "dark", "bad_pixels")
_NOT_ALWAYS = ("offsets", "modes")


def save_references(path: Path, references: References) -> None:
    """Write the references to one file."""
    facts = {
        "noise": references.noise,
        "counts": asdict(references.counts),
        "intensities": references.drift.intensities,
        "change": references.drift.change,
        "warnings": references.warnings,
        "saturation": references.saturation,
    }
    with complete_or_absent(path) as partial, h5py.File(partial, "w") as file:
        for name in _ARRAYS:
            file[name] = getattr(references, name)
        file["drift"] = references.drift.map
        for name in _NOT_ALWAYS:
            if getattr(references, name) is not None:
                file[name] = getattr(references, name)
        file.attrs["facts"] = json.dumps(facts, allow_nan=False)


def load_references(path: Path) -> References:
    """Read what :func:`save_references` wrote."""
    with h5py.File(path) as file:
        facts = json.loads(file.attrs["facts"])
        return References(
            **{name: file[name][()] for name in _ARRAYS},
            noise=facts["noise"],
            counts=ReferenceCounts(**facts["counts"]),
            drift=Drift(tuple(facts["intensities"]), facts["change"], file["drift"][()]),
            warnings=tuple(facts["warnings"]),
            saturation=facts["saturation"],
            **{name: file[name][()] for name in _NOT_ALWAYS if name in file},
        )
