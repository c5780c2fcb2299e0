"""The cone beam of a scan: what its file tells, what the configuration says, and the beam of both.

What a laboratory's file calls "pixel size" may be that of the detector or that of a voxel, so a
reader says which it found; where both and the distances are known, they are held against each
other.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tomobatch.beam import ConeBeam, check_voxel
from tomobatch.errors import UserError
from tomobatch.scan.beam_geometry import BeamGeometry
from tomobatch.scan.settings import ConeSettings, DatasetSettings

_UM_A_MM = 1e3


@dataclass(frozen=True)
class FoundCone:
    """A cone beam as a file states it; None where it does not.

    Attributes
    ----------
    source_to_axis_mm, source_to_detector_mm, pixel_mm, row_pitch_mm
        As of ``ConeBeam``.
    voxel_um
        What a pixel covers on the axis, if it is stated.
    shift_u_px, shift_v_px, axis_shift_px, roll_deg, tilt_deg, slant_deg, sense, drift_px
        As of ``ConeBeam``.
    is_mirrored
        The pictures are as seen from behind the detector, so that a sample that turns clockwise
        seems to turn the other way.
    """

    source_to_axis_mm: float | None = None
    source_to_detector_mm: float | None = None
    pixel_mm: float | None = None
    row_pitch_mm: float | None = None
    voxel_um: float | None = None
    shift_u_px: float = 0.0
    shift_v_px: float = 0.0
    axis_shift_px: float = 0.0
    roll_deg: float = 0.0
    tilt_deg: float = 0.0
    slant_deg: float = 0.0
    sense: Literal[1, -1] = 1
    drift_px: tuple[tuple[float, float], ...] = ()
    is_mirrored: bool = False

    @property
    def demagnified_um(self) -> float | None:
        """What the detector's pixel covers on the axis, whatever voxel is stated."""
        lengths = self.pixel_mm, self.source_to_axis_mm, self.source_to_detector_mm
        if any(length is None for length in lengths):
            return None
        pixel_mm, source_mm, detector_mm = (float(length or 0) for length in lengths)
        return _UM_A_MM * pixel_mm * source_mm / detector_mm


def settle_beam(
    path: str,
    found: FoundCone | None,
    geometry: BeamGeometry,
    datasets: DatasetSettings,
    shape: tuple[int, int, int],
    pixel_um: float | None,
) -> ConeBeam | None:
    """Return the beam of a scan: None where it is parallel, or as good as parallel.

    Parameters
    ----------
    path
        The scan, for messages.
    found
        What its file states of a cone; None where no reader knows that of its kind.
    geometry
        The distances that it states.
    datasets
        What the configuration says, which wins.
    shape
        Of the projections (angle, y, x).
    pixel_um
        Pixel at the specimen as the file states it.

    Raises
    ------
    UserError
        A length is missing, or the voxel that is stated contradicts the distances.
    """
    chosen = datasets.cone
    if found is not None and found.demagnified_um is not None:
        pixel_um = found.demagnified_um
    words = geometry.diverging(shape[2], pixel_um)
    asked = datasets.beam == "cone" or chosen != ConeSettings()
    if datasets.beam == "parallel" or (words is None and not asked):
        return None
    if found is None:
        source, behind = geometry.source_mm, geometry.detector_mm
        known = None if source is None or behind is None else source + behind
        found = FoundCone(source_to_axis_mm=source, source_to_detector_mm=known)
    where = f"{path}: a cone beam ({words or 'the configuration says so'})"
    source, detector = _distances(chosen, found, where)
    voxel_um = _either(datasets.pixel_size_um, found.voxel_um)
    pixel, row_pitch = _pixels(chosen, found, voxel_um, detector / source, where)
    sense: Literal[1, -1] = found.sense
    if datasets.rotation is not None:
        sense = 1 if (datasets.rotation == "clockwise") != found.is_mirrored else -1
    beam = ConeBeam(
        source_to_axis_mm=source,
        source_to_detector_mm=detector,
        pixel_mm=pixel,
        row_pitch_mm=row_pitch,
        sense=sense,
        drift_px=_drift(chosen, found, shape[0], path),
        **{name: _chosen(chosen, found, name) for name in _SHIFTS},
    )
    # A detector's pixel that is given overrides the file's voxel, but not one that is given too.
    if voxel_um is not None and (chosen.detector_pixel_um is None or datasets.pixel_size_um):
        check_voxel(beam, voxel_um, where)
    return beam


def _distances(chosen: ConeSettings, found: FoundCone, where: str) -> tuple[float, float]:
    """Return the distances from the source to the axis and to the detector, in mm."""
    source = _either(chosen.source_to_axis_mm, found.source_to_axis_mm)
    detector = _either(chosen.source_to_detector_mm, found.source_to_detector_mm)
    if source is None or detector is None:
        missing = "source_to_axis_mm" if source is None else "source_to_detector_mm"
        raise UserError(
            f"{where} whose {missing} is not known; give datasets.cone.{missing}, or say"
            " datasets.beam: parallel"
        )
    return source, detector


def _pixels(
    chosen: ConeSettings,
    found: FoundCone,
    voxel_um: float | None,
    magnification: float,
    where: str,
) -> tuple[float, float]:
    """Return the pitch of columns and of rows in mm: given, found, or what the voxel makes them."""
    pixel_mm, row_mm = found.pixel_mm, found.row_pitch_mm
    if chosen.detector_pixel_um is not None:
        pixel_mm, row_mm = chosen.detector_pixel_um / _UM_A_MM, None
    if pixel_mm is None and voxel_um is not None:
        pixel_mm = voxel_um / _UM_A_MM * magnification
    if pixel_mm is None:
        raise UserError(f"{where} whose pixel is not known; give datasets.cone.detector_pixel_um")
    if chosen.row_pitch_um is not None:
        row_mm = chosen.row_pitch_um / _UM_A_MM
    return pixel_mm, pixel_mm if row_mm is None else row_mm


def _drift(
    chosen: ConeSettings, found: FoundCone, n_projections: int, path: str
) -> tuple[tuple[float, float], ...]:
    """Return the shift of every projection: along the lines that are given, or as found."""
    if not chosen.drift_px:
        return found.drift_px
    numbers, across, along = np.array(chosen.drift_px, np.float64).T
    if (np.diff(numbers) <= 0).any() or numbers[0] < 0 or numbers[-1] > n_projections - 1:
        raise UserError(
            f"{path}: the numbers in datasets.cone.drift_px must rise, from 0 to"
            f" {n_projections - 1} at most: {', '.join(f'{one:g}' for one in numbers)}"
        )
    every = np.arange(n_projections)
    shifts = np.interp(every, numbers, across), np.interp(every, numbers, along)
    return tuple((float(u), float(v)) for u, v in zip(*shifts, strict=True))


_SHIFTS = ("shift_u_px", "shift_v_px", "axis_shift_px", "roll_deg", "tilt_deg", "slant_deg")


def _chosen(chosen: ConeSettings, found: FoundCone, name: str) -> float:
    given = getattr(chosen, name)
    return float(getattr(found, name) if given is None else given)


def _either(given: float | None, found: float | None) -> float | None:
    return found if given is None else given
