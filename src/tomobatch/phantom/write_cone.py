"""Write a cone-beam demo scan with known truth: an NXtomo file that says where its source is."""

import math
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tomobatch.beam import ConeBeam
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
from tomobatch.phantom.cone import cone_line_integrals
from tomobatch.phantom.detector import Detector, make_detector
from tomobatch.phantom.specimen import bead_pack
from tomobatch.phantom.truth import Truth, write_truth

_VOLTAGE_KEV = 60.0
_MAGNIFICATION = 5.0
_SOURCE_WIDTHS = 4.0
_WIDTH_MM = 1.5
_PROJECTION, _FLAT, _DARK = 0, 1, 2


def demo_beam(size: int, seed: int = 0) -> ConeBeam:
    """Return the beam of the demo scan, its axis and roll being drawn from the seed.

    Its source is four widths of the field of view from the axis: a fan of 14 degrees.
    """
    rng = np.random.default_rng([seed, 4])
    source_mm = _SOURCE_WIDTHS * _WIDTH_MM
    pixel_mm = _MAGNIFICATION * _WIDTH_MM / size
    return ConeBeam(
        source_mm,
        _MAGNIFICATION * source_mm,
        pixel_mm,
        pixel_mm,
        axis_shift_px=float(rng.uniform(0.012, 0.03) * size),
        roll_deg=float(rng.uniform(0.2, 0.5)),
    )


def write_cone_phantom(
    path: str | Path,
    *,
    size: int = 256,
    n_rows: int | None = None,
    n_angles: int | None = None,
    short_scan: bool = False,
    beam: ConeBeam | None = None,
    specimen_px: int | None = None,
    n_flats: int = 20,
    n_darks: int = 20,
    counts: float = 30_000.0,
    stripes: bool = True,
    drift_px: tuple[float, float] = (0.0, 0.0),
    jitter_px: float = 0.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> Truth:
    """Write a cone-beam scan of a bead pack, uint16 counts.

    The file states the distances and the pixels; where the axis is seen and how the detector is
    turned it does not tell, as those of laboratories do not.

    Parameters
    ----------
    path
        The file to write; it appears under this name only when it is complete.
    size
        Detector columns.
    n_rows
        Detector rows; half the columns unless given.
    n_angles
        Projections over a full circle, 1.5 a column unless given; a short scan has the same step.
    short_scan
        Only half a turn and the angle of the fan.
    beam
        Where source, axis and detector are, with every misalignment; ``demo_beam`` unless given.
    specimen_px
        Width of the specimen in voxels; the detector's columns unless given.
    n_flats, n_darks, counts, stripes, seed, progress
        As of ``write_phantom``.
    drift_px
        How far the picture moves on the detector at a constant pace until the last projection, in
        columns and rows, beside what the beam says of each projection.
    jitter_px
        Standard deviation of a further shift of every projection, drawn from the seed.

    Raises
    ------
    UserError
        If a value makes no scan or the file cannot be written.
    """
    n_rows, n_angles = extent(size, n_rows, n_angles, fewest_angles=8)
    beam = demo_beam(size, seed) if beam is None else beam
    rng = np.random.default_rng([seed, 0])
    specimen = bead_pack(size if specimen_px is None else specimen_px, n_rows, rng)
    detector = make_detector(n_rows, size, counts, rng, has_stripes=stripes)
    theta_rad = np.arange(n_angles) * 2 * np.pi / n_angles
    if short_scan:
        theta_rad = theta_rad[theta_rad <= np.pi + 2.1 * beam.half_fan_rad(size)]
    beam = _moving(beam, len(theta_rad), drift_px, jitter_px, seed)
    cor_px = _cor_in_the_middle_px(beam, size)
    truth = truth_of(specimen, detector, cor_px, beam.roll_deg, seed)
    with new_file(Path(path)) as file:
        frames = _write_header(file, beam, theta_rad, n_flats, n_darks, detector.dark.shape)
        _write_references(frames, detector, n_flats, n_darks, len(theta_rad), seed)
        take = partial(_take, truth, detector, beam)
        n_zingers = write_projections(frames, n_darks + n_flats, theta_rad, take, progress)
        truth = replace(truth, n_zingers=n_zingers)
        write_truth(file, truth)
    return truth


def _moving(
    beam: ConeBeam, n_angles: int, drift_px: tuple[float, float], jitter_px: float, seed: int
) -> ConeBeam:
    """Return the beam with a drift and a jitter added to its shifts; the same if there are none."""
    if not (any(drift_px) or jitter_px):
        return beam
    rng = np.random.default_rng([seed, 5])
    shifts = beam.drifts(n_angles) + np.linspace(0, 1, n_angles)[:, None] * drift_px
    shifts += rng.normal(0, jitter_px, shifts.shape)
    return replace(beam, drift_px=tuple((float(u), float(v)) for u, v in shifts))


def _cor_in_the_middle_px(beam: ConeBeam, size: int) -> float:
    """Column of the axis in the middle row; the roll turns about the principal point."""
    return beam.cor_px(size) - math.tan(math.radians(beam.roll_deg)) * beam.shift_v_px


def _write_header(
    file: Any,  # noqa: ANN401  h5py has no types
    beam: ConeBeam,
    theta_rad: NDArray[np.float64],
    n_flats: int,
    n_darks: int,
    shape: tuple[int, ...],
) -> Any:  # noqa: ANN401
    """Write everything but the pictures, and return the dataset that these go to."""
    key = np.repeat([_DARK, _FLAT, _PROJECTION, _FLAT], [n_darks, n_flats, len(theta_rad), n_flats])
    angles_deg = np.zeros(len(key))
    angles_deg[key == _PROJECTION] = np.rad2deg(theta_rad)
    angles_deg[-n_flats:] = np.rad2deg(theta_rad[-1])
    entry = file.create_group("entry")
    classes = {
        "": "NXentry",
        "instrument": "NXinstrument",
        "instrument/detector": "NXdetector",
        "instrument/source": "NXsource",
        "instrument/beam": "NXbeam",
        "sample": "NXsample",
    }
    for name, kind in classes.items():
        (entry.require_group(name) if name else entry).attrs["NX_class"] = kind
    entry["definition"] = "NXtomo"
    entry["title"] = "tomobatch demo scan: beads in a tube, cone beam"
    detector = entry["instrument/detector"]
    frames = detector.create_dataset("data", (len(key), *shape), np.uint16)
    detector["image_key"] = key
    behind_mm = beam.source_to_detector_mm - beam.source_to_axis_mm
    values = (
        ("instrument/source/distance", beam.source_to_axis_mm, "mm"),
        ("instrument/detector/distance", behind_mm, "mm"),
        ("instrument/detector/x_pixel_size", beam.pixel_mm, "mm"),
        ("instrument/detector/y_pixel_size", beam.row_pitch_mm, "mm"),
        ("sample/x_pixel_size", beam.voxel_um, "um"),
        ("sample/y_pixel_size", beam.slice_pitch_um, "um"),
        ("sample/rotation_angle", beam.sense * angles_deg, "deg"),
        ("instrument/beam/incident_energy", _VOLTAGE_KEV, "keV"),
    )
    for name, value, unit in values:
        entry[name] = value
        entry[name].attrs["units"] = unit
    return frames


def _write_references(
    frames: Any,  # noqa: ANN401  h5py has no types
    detector: Detector,
    n_flats: int,
    n_darks: int,
    n_angles: int,
    seed: int,
) -> None:
    """Write the darks, and flats before and after the projections."""
    for index in range(n_darks):
        frames[index] = take_dark(detector, seed, index)
    for index in range(2 * n_flats):
        after = index >= n_flats
        place = n_darks + index + (n_angles if after else 0)
        frames[place] = take_flat(detector, seed, index, after=after)


def _take(
    truth: Truth, detector: Detector, beam: ConeBeam, shot: Shot
) -> tuple[NDArray[np.uint16], int]:
    """Take one projection, and tell how many zingers it has."""
    drift = beam.drift_px[shot.index] if beam.drift_px else (0.0, 0.0)
    paths = cone_line_integrals(
        truth.solids,
        beam,
        beam.sense * shot.theta_rad,
        n_rows=truth.n_rows,
        n_cols=truth.n_cols,
        drift_px=drift,
    )
    return take_projection(detector, paths, shot, truth.seed)
