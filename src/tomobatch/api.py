"""What ``import tomobatch`` offers to Python: the steps of the workflow, on arrays in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from tomobatch.arrays import Float32Array
from tomobatch.calibrate.calibration import Calibration, calibrate
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.errors import UserError as UserError
from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.phantom.write import write_phantom as write_phantom
from tomobatch.reconstruct.iterate import iterate as iterate
from tomobatch.reconstruct.slices import fbp as fbp
from tomobatch.reconstruct.slices import release_memory as release_memory
from tomobatch.results import VOLUME
from tomobatch.scan.open import open_scan as open_scan
from tomobatch.scan.parts import Scan
from tomobatch.scan.remarks import look_at
from tomobatch.stripes.removal import remove_stripes as remove_stripes_by
from tomobatch.stripes.settings import StripeSettings
from tomobatch.turn import refuse_degrees
from tomobatch.view.volume import open_volume


def read_sinograms(
    scan: Scan, rows: slice = slice(None)
) -> tuple[Float32Array, npt.NDArray[np.float64]]:
    """Read rows of a scan, corrected with its flats and darks, as line integrals.

    Parameters
    ----------
    scan : Scan
        An open scan; all of its projections are read.
    rows : slice
        Detector rows.

    Returns
    -------
    sinograms : float32 (y, angle, x)
        Minus the logarithm of the transmission.
    angles_rad : float64 (angle,)
        The angles that the projections bear out, whatever the file says.

    Raises
    ------
    UserError
        If the scan lacks what that takes, or has no such rows.
    """
    header = scan.header
    if len(range(header.n_rows)[rows]) == 0:
        raise UserError(f"rows: {rows} holds none of the {header.n_rows} rows of the scan")
    look = look_at(scan, scan.flats(), scan.darks(), NormaliseSettings())
    counts = scan.read_projections(0, header.n_projections)
    lines = normalise(counts, 0, look.references).line_integrals[:, rows]
    return np.ascontiguousarray(lines.transpose(1, 0, 2)), look.angles.angles_rad


def remove_stripes(sinograms: npt.ArrayLike, method: str = "filtering") -> Float32Array:
    """Return sinograms (y, angle, x) without stripes, which would become rings.

    Parameters
    ----------
    sinograms : float32 (y, angle, x)
        Line integrals; they stay as they are.
    method : str
        One of those of ``stripes.method`` in config.yaml but ``auto``, which is for whole scans.
    """
    rows = np.array(sinograms, dtype=np.float32)
    return remove_stripes_by(rows, StripeSettings.model_validate({"method": method}), out=rows)


def calibrate_sinograms(
    sinograms: npt.ArrayLike,
    angles_rad: npt.ArrayLike,
    cor_px: float | None = None,
    tilt_deg: float | None = None,
) -> Calibration:
    """Find the centre of rotation of every row, the tilt of the axis, and the grey window.

    Parameters
    ----------
    sinograms : float32 (y, angle, x)
        Line integrals of all rows of a scan.
    angles_rad : (angle,)
        In radians, in any order.
    cor_px, tilt_deg : float, optional
        What is known, which wins over what is found.

    Returns
    -------
    Calibration
        ``cor_px(rows)`` is the centre of rotation of rows; ``warnings`` says what to doubt.

    Raises
    ------
    UserError
        If the angles are degrees, or do not tell anything.
    """
    refuse_degrees(angles_rad)
    rows = np.ascontiguousarray(sinograms, dtype=np.float32)
    angles = np.asarray(angles_rad, dtype=np.float64)
    if rows.ndim != 3 or angles.shape != (rows.shape[1],):
        raise UserError(
            f"sinograms: shape {rows.shape} is not (y, angle, x) with {angles.size} angles"
        )
    evidence = gather_evidence(rows, angles, 0, EvidenceSettings(n_rows=len(rows)))
    settings = CalibrateSettings(cor_px=cor_px, tilt_deg=tilt_deg)
    return calibrate([evidence], settings)


def read_volume(address: str | Path, level: int = 0) -> "zarr.Array[Any]":
    """Open a volume, or a folder of results, as an array (z, y, x) that is read as it is sliced.

    Parameters
    ----------
    address : str or Path
        Of the volume or of its results, here or on S3 (``s3://bucket/...``).
    level : int
        The resolution; 0 is the finest, and each further one has half of it.

    Raises
    ------
    UserError
        If there is no volume, or no such level.
    """
    where = str(address).rstrip("/")
    volume = open_volume(where if where.endswith(".zarr") else f"{where}/{VOLUME}")
    if not 0 <= level < len(volume.levels):
        raise UserError(f"level {level}: the volume has the levels 0 to {len(volume.levels) - 1}")
    return volume.levels[level]
