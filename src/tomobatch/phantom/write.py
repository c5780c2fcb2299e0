"""Write a demo scan with known truth: an APS Data Exchange file."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomobatch.phantom.acquire import (
    Progress,
    Shot,
    extent,
    new_file,
    take_dark,
    take_flat,
    take_projection,
    truth_of,
    write_projections,
)
from tomobatch.phantom.detector import Detector, make_detector
from tomobatch.phantom.project import line_integrals
from tomobatch.phantom.specimen import bead_pack
from tomobatch.phantom.truth import Truth, write_truth

_PIXELS_ACROSS_UM = 1500.0
_ENERGY_KEV = 27.4


def write_phantom(
    path: str | Path,
    *,
    size: int = 256,
    n_rows: int | None = None,
    n_angles: int | None = None,
    angle_range_deg: float = 180.0,
    n_flats: int = 20,
    n_darks: int = 20,
    counts: float = 30_000.0,
    cor_px: float | None = None,
    tilt_deg: float | None = None,
    stripes: bool = True,
    seed: int = 0,
    progress: Progress | None = None,
) -> Truth:
    """Write a scan of a bead pack to an APS Data Exchange HDF5 file, uint16 counts.

    The same arguments give the same file, and the whole scan is never in memory.

    Parameters
    ----------
    path
        The file to write; it appears under this name only when it is complete.
    size
        Detector columns.
    n_rows
        Detector rows; half the columns unless given.
    n_angles
        Projections, spread evenly over the angle range, its end not included; 1.5 a column unless
        given.
    angle_range_deg
        How far the specimen turns.
    n_flats, n_darks
        Flats before and as many after; darks before and as many after.
    counts
        Photons in the brightest pixels of a flat.
    cor_px, tilt_deg
        Centre of rotation in the middle row, and angle from the detector columns to the axis; drawn
        from the seed unless given.
    stripes
        Whether columns of the detector are faulty.
    seed
        What all random numbers are drawn from.
    progress
        Called with the share that is written, up to 1.

    Raises
    ------
    UserError
        If a value makes no scan or the file cannot be written.
    """
    n_rows, n_angles = extent(size, n_rows, n_angles, fewest_angles=2)
    rng = np.random.default_rng([seed, 0])
    drawn_cor_px = (size - 1) / 2 + rng.uniform(0.012, 0.03) * size
    drawn_tilt_deg = float(rng.uniform(0.2, 0.5))
    specimen = bead_pack(size, n_rows, rng)
    detector = make_detector(n_rows, size, counts, rng, has_stripes=stripes)
    truth = truth_of(
        specimen,
        detector,
        float(drawn_cor_px if cor_px is None else cor_px),
        drawn_tilt_deg if tilt_deg is None else tilt_deg,
        seed,
    )
    theta_deg = np.linspace(0.0, angle_range_deg, n_angles, endpoint=False)
    with new_file(Path(path)) as file:
        _write_header(file, theta_deg, n_flats, n_darks, size)
        _write_references(file, detector, n_flats, n_darks, seed)
        shape = (n_angles, n_rows, size)
        projections = file.create_dataset("exchange/data", shape, np.uint16)
        projections.attrs["axes"] = "theta:y:x"
        projections.attrs["units"] = "counts"
        take = partial(_take_projection, truth, detector)
        n_zingers = write_projections(projections, 0, np.deg2rad(theta_deg), take, progress)
        truth = replace(truth, n_zingers=n_zingers)
        write_truth(file, truth)
    return truth


def _write_header(
    file: Any,  # noqa: ANN401  h5py has no types
    theta_deg: NDArray[np.float64],
    n_flats: int,
    n_darks: int,
    size: int,
) -> None:
    """Write everything but the pictures, where the APS beamlines keep it."""
    file["implements"] = "exchange:measurement:process"
    file["exchange/title"] = "tomobatch demo scan: beads in a tube"
    file["exchange/theta"] = theta_deg
    file["exchange/theta"].attrs["units"] = "deg"
    instrument = file.create_group("measurement/instrument")
    instrument["detection_system/objective/resolution"] = _PIXELS_ACROSS_UM / size
    instrument["detection_system/objective/resolution"].attrs["units"] = "microns"
    instrument["monochromator/energy"] = _ENERGY_KEV
    instrument["monochromator/energy"].attrs["units"] = "keV"
    acquisition = file.create_group("process/acquisition")
    for kind, count in (("flat", n_flats), ("dark", n_darks)):
        acquisition[f"{kind}_fields/{kind}_field_mode"] = "Both"
        acquisition[f"{kind}_fields/num_{kind}_fields"] = count


def _write_references(
    file: Any,  # noqa: ANN401  h5py has no types
    detector: Detector,
    n_flats: int,
    n_darks: int,
    seed: int,
) -> None:
    """Write flats and darks: those before the scan first, then as many after."""
    shape = detector.dark.shape
    flats = file.create_dataset("exchange/data_white", (2 * n_flats, *shape), np.uint16)
    for index in range(2 * n_flats):
        flats[index] = take_flat(detector, seed, index, after=index >= n_flats)
    darks = file.create_dataset("exchange/data_dark", (2 * n_darks, *shape), np.uint16)
    for index in range(2 * n_darks):
        darks[index] = take_dark(detector, seed, index)
    for frames in (flats, darks):
        frames.attrs["units"] = "counts"


def _take_projection(
    truth: Truth, detector: Detector, shot: Shot
) -> tuple[NDArray[np.uint16], int]:
    """Take one projection, and tell how many zingers it has."""
    paths = line_integrals(
        truth.solids,
        shot.theta_rad,
        n_rows=truth.n_rows,
        n_cols=truth.n_cols,
        cor_px=truth.cor_px,
        tilt_deg=truth.tilt_deg,
    )
    return take_projection(detector, paths, shot, truth.seed)
