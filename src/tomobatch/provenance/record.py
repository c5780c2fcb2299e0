"""What a volume says of how it was made: a node of its own inside the volume.

Decision 115.
"""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tomobatch import __version__
from tomobatch.calibrate.calibration import Calibration
from tomobatch.errors import UserError
from tomobatch.normalise.references import References
from tomobatch.results import VOLUME
from tomobatch.s3.address import is_remote
from tomobatch.scan.header import ScanHeader
from tomobatch.scan.identity import Identity
from tomobatch.stores.anywhere import file_exists, read_file
from tomobatch.stores.volume import PROVENANCE
from tomobatch.stripes.choice import StripeChoice

Record = dict[str, Any]

PACKAGES = (
    *("numpy", "scipy", "numba", "pyopencl", "pocl-binary-distribution", "mkl-fft", "pyvkfft"),
    *("h5py", "hdf5plugin", "zarr", "numcodecs", "tifffile", "imagecodecs", "olefile", "obstore"),
    *("snakemake", "xraylib"),
)
"""Those whose version may change a result; what is not installed is left out."""

_ATTRIBUTE = "tomobatch"

JOINED = "joined"
"""What says of a volume, made of others, how: ``{"stack": facts}``, those of each in a list."""
PARTS = "parts"
"""The records of these others, in what is read of it."""


def versions() -> dict[str, str]:
    """Return the versions of this package, of Python and of what reads and computes."""
    found = {"tomobatch": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def found_values(
    header: ScanHeader,
    references: References,
    angles_reason: str,
    calibration: Calibration,
    stripes: StripeChoice,
) -> dict[str, Any]:
    """Return what the steps found out, a figure each."""
    line = calibration.line
    return {
        "angles": angles_reason,
        "energy_kev": header.energy_kev,
        "pixel_size_um": header.pixel_size_um,
        "distance_mm": header.distance_mm,
        "cor_px": line.mid_px,
        "cor_sigma_px": line.mid_sigma_px,
        "cor_source": calibration.cor_source,
        "cor_method": calibration.method,
        "tilt_deg": calibration.tilt_deg,
        "tilt_source": calibration.tilt_source,
        "half_acquisition": calibration.half_acquisition,
        "grey_window_per_px": list(calibration.grey_window),
        "stripes": stripes.method,
        "ring_figure_before": stripes.figure_before,
        "ring_figure_after": stripes.figure_after,
        "flat_noise": references.noise,
        "beam_change": references.drift.change,
        "reference_counts": asdict(references.counts),
    }


def make_record(
    name: str,
    path: str,
    identity: Identity,
    settings: Mapping[str, Any],
    found: Mapping[str, Any],
    warnings: Sequence[str],
    jobs: Sequence[Mapping[str, Any]],
) -> Record:
    """Return all that is known of how a volume was made, as plain JSON values.

    Parameters
    ----------
    name, path, identity
        Of the scan; a path on this machine is given whole.
    settings
        Every section, the volume's too.
    found
        By :func:`found_values`.
    warnings
        Of all steps.
    jobs
        The records of all jobs.
    """
    timelines = [job["timeline"] for job in jobs if "timeline" in job]
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
        "devices": sorted({device for one in timelines for device in one["devices"]}),
        "methods": sorted({one["method"] for one in timelines}),
        "scan": {
            "name": name,
            "path": path if is_remote(path) else str(Path(path).absolute()),
            **identity.to_dict(),
        },
        "settings": dict(settings),
        "found": dict(found),
        "warnings": list(dict.fromkeys(warnings)),
    }


def as_group(record: Record) -> bytes:
    """Return the record as the ``zarr.json`` of a group without arrays."""
    group = {"zarr_format": 3, "node_type": "group", "attributes": {_ATTRIBUTE: record}}
    return json.dumps(group, indent=1, allow_nan=False).encode()


def read_record(address: str) -> Record:
    """Read how a volume was made.

    Parameters
    ----------
    address
        Of the volume, or of the folder of its results, here or on S3.

    Returns
    -------
    What :func:`make_record` made; of a joined volume ``joined``, how, and ``parts``, a record of
    each.

    Raises
    ------
    UserError
        If it does not say.
    """
    where = address.rstrip("/")
    # A folder of results is no node itself; a joined volume may be called anything.
    is_volume = where.endswith(".zarr") or file_exists(f"{where}/zarr.json")
    inside = where if is_volume else f"{where}/{VOLUME}"
    try:
        return _read_node(f"{inside}/{PROVENANCE}")
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"{inside} does not say how it was made: it is not there, not finished, or of an"
            " earlier version"
        ) from None
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{inside}/{PROVENANCE}/zarr.json: damaged ({error})") from None


def joined_as(record: Record) -> str | None:
    """Tell whether a volume is a ``stack`` or a ``series``; None if it is of one scan."""
    return next(iter(record[JOINED]), None) if JOINED in record else None


def records_of_scans(record: Record) -> list[Record]:
    """Return the record of every scan that is in a volume, in their order."""
    if JOINED not in record:
        return [record]
    return [one for part in record[PARTS] for one in records_of_scans(part)]


def _read_node(node: str) -> Record:
    attributes = json.loads(read_file(f"{node}/zarr.json"))["attributes"]
    if JOINED not in attributes:
        return dict(attributes[_ATTRIBUTE])
    ((_, facts),) = attributes[JOINED].items()
    parts = [_read_node(f"{node}/{number}") for number in range(len(facts))]
    return {JOINED: attributes[JOINED], PARTS: parts}
