"""The averaged flats and darks of a scan, in one HDF5 file."""

import json
from dataclasses import asdict
from pathlib import Path

import h5py

from tomobatch.normalise import References
from tomobatch.normalise.references import Drift, ReferenceCounts

_ARRAYS = ("flats", "flat_positions", "dark", "bad_pixels")


def save_references(path: Path, references: References) -> None:
    """Write the references to a file that appears only once it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        with h5py.File(partial, "w") as file:
            for name in _ARRAYS:
                file[name] = getattr(references, name)
            file["drift"] = references.drift.map
            file.attrs["facts"] = json.dumps(
                {
                    "noise": references.noise,
                    "counts": asdict(references.counts),
                    "intensities": references.drift.intensities,
                    "change": references.drift.change,
                    "warnings": references.warnings,
                },
                allow_nan=False,
            )
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


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
        )
