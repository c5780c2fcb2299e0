"""The names in a scan's folder of results, which the rules write and everything else reads.

A test reads the rules and holds these names against them.
"""

REFERENCES = "references.h5"
ANGLES = "angles.json"
PROJECTIONS = "projections.zarr"
SINOGRAMS = "sinograms.zarr"
STRIPES = "stripes.json"
ALIGNMENT = "alignment.json"
EVIDENCE = "evidence"
CALIBRATION = "calibration.json"
VOLUME = "volume.ome.zarr"
REPORT = "report.html"
FINDINGS = "findings.json"
CHECKED = "checked.json"
SETTINGS = "settings.json"
PREVIEW = "preview"
RECORDS = "records"
LOGS = "logs"
EXPORTS = {"tiff": "volume.tif", "hdf5": "volume.h5", "nrrd": "volume.nrrd"}
"""The file of each kind of copy of the volume."""

TABLE = "summary.csv"
"""Beside the folders of all scans, a line a scan."""

INTERMEDIATES = (PROJECTIONS, SINOGRAMS)
"""What later steps read, and nobody else."""


def is_intermediate(name: str) -> bool:
    """Tell whether a file, named from the scan's folder, is a part of an intermediate."""
    return name.partition("/")[0] in INTERMEDIATES
