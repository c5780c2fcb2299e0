"""A scan made of the parts that a reader found, after the same checks for every format."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tomobatch.beam import ConeBeam
from tomobatch.errors import UserError
from tomobatch.orientation import Rotation, RotationSource
from tomobatch.scan.angles import evenly_spaced, n_with_angles, unwrapped
from tomobatch.scan.cone import settle_beam
from tomobatch.scan.header import AngleSource, ScanHeader
from tomobatch.scan.leave_out import KeptFrames, excluded, included, n_written, numbers
from tomobatch.scan.parts import Scan, ScanParts
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.taken import with_taken
from tomobatch.scan.units import Figure
from tomobatch.scan.upright import with_upright_axis
from tomobatch.scan.white_level import settle_white_level

_AS_SINOGRAMS = "it looks stored as sinograms (y, angle, x); write it as projections (angle, y, x)"


def assemble(path: str, parts: ScanParts, datasets: DatasetSettings) -> Scan:
    """Check the parts against each other and make a scan of them; the config wins over the file."""
    parts = with_upright_axis(path, parts, datasets)
    source, angles, problems, angle_notes = _angles(path, parts, datasets)
    kept, left_out, n_absent = _kept(parts, angles, source, datasets)
    if not kept.any():
        raise UserError(f"{path}: no projection is left of {len(kept)}: {'; '.join(left_out)}")
    angles, not_numbers = _numbers_alone(path, parts, unwrapped(angles[kept]))
    parts = parts if kept.all() else _only_kept(parts, kept)
    n_projections, n_rows, n_cols = parts.projections.shape
    beam, of_beam = _beam(path, parts, datasets, source, kept)
    parts, of_level = settle_white_level(path, parts, datasets)
    problems += not_numbers + of_beam + of_level
    rotation, rotation_source = _rotation(parts, datasets, beam)
    header = ScanHeader(
        path=path,
        format=parts.format,
        n_projections=n_projections,
        n_rows=n_rows,
        n_cols=n_cols,
        dtype=parts.projections.dtype,
        angles_rad=angles,
        angle_source=source,
        pixel_size_um=_pixel_um(parts, datasets, beam),
        energy_kev=_given_or_found(datasets.energy_kev, parts.energy),
        n_flats=sum(block.frames.shape[0] for block in parts.flats),
        n_darks=sum(frames.shape[0] for frames in parts.darks),
        known_axis=parts.known_axis,
        problems=(*_reference_problems(path, parts), *problems),
        notes=(*parts.notes, *angle_notes, *_figure_notes(parts, datasets), *left_out),
        half_acquisition=parts.half_acquisition,
        beam=beam,
        rotation=rotation,
        rotation_source=rotation_source,
        distance_mm=parts.beam.detector_mm,
        is_mirrored=parts.cone is not None and parts.cone.is_mirrored,
        white_level=parts.white_level,
        tube_kv=parts.tube_kv,
        n_absent=n_absent,
        stored_dtype=parts.stored_dtype,
    )
    return with_taken(Scan(header, parts), datasets)


def _beam(
    path: str,
    parts: ScanParts,
    datasets: DatasetSettings,
    source: AngleSource,
    kept: NDArray[np.bool_],
) -> tuple[ConeBeam | None, list[str]]:
    """Return the cone beam of the projections that are kept, or None, and what is wrong with it."""
    found_um = parts.pixel_size.value
    if datasets.rotation is None:
        datasets = datasets.model_copy(update={"rotation": parts.rotation})
    try:
        shape = (len(kept), *parts.projections.shape[1:])
        beam = settle_beam(path, parts.cone, parts.beam, datasets, shape, found_um)
    except UserError as contradiction:
        return None, [str(contradiction)]
    if beam is None:
        return None, []
    if len(beam.drift_px) == len(kept):
        drifts = np.asarray(beam.drift_px)[kept].tolist()
        beam = replace(beam, drift_px=tuple((u, v) for u, v in drifts))
    if source is AngleSource.ASSUMED and parts.angles is None:
        problem = f"{path}: a cone beam without angles; give datasets.angle_range_deg"
        return beam, [f"{problem}, the first and the last"]
    return beam, []


def _pixel_um(parts: ScanParts, datasets: DatasetSettings, beam: ConeBeam | None) -> float | None:
    """Return what a pixel covers at the sample: a voxel of a cone, or what is given or found."""
    return (
        _given_or_found(datasets.pixel_size_um, parts.pixel_size) if beam is None else beam.voxel_um
    )


def _rotation(
    parts: ScanParts, datasets: DatasetSettings, beam: ConeBeam | None
) -> tuple[Rotation, RotationSource]:
    """Return how the sample turns, and who says so."""
    if datasets.rotation is not None:
        return datasets.rotation, "config"
    if parts.rotation is not None:
        return parts.rotation, "file"
    turns_with_frame = beam is not None and beam.sense == 1
    return "clockwise" if turns_with_frame else "counter-clockwise", "assumed"


def _reference_problems(path: str, parts: ScanParts) -> list[str]:
    """Say what is wrong with flats and darks."""
    n_pictures, n_rows, n_cols = parts.projections.shape
    references = [*(block.frames for block in parts.flats), *parts.darks]
    other = [frames for frames in references if frames.shape[1:] != (n_rows, n_cols)]
    if other and all(frames.shape[::2] == (n_pictures, n_cols) for frames in references):
        return [
            f"{path}: {parts.projections.name} and {other[0].name} have {n_pictures} pictures each,"
            f" of {n_rows} and {other[0].shape[1]} rows: {_AS_SINOGRAMS}"
        ]
    return [
        f"{path}: {frames.name} has {frames.shape[1]} x {frames.shape[2]} pixels,"
        f" but the projections have {n_rows} x {n_cols}; check the paths under datasets"
        for frames in other
    ]


def _angles(
    path: str, parts: ScanParts, datasets: DatasetSettings
) -> tuple[AngleSource, NDArray[np.float64], list[str], list[str]]:
    """Return who states the angles, those of all projections, and problems and notes of them."""
    n_projections = parts.projections.shape[0]
    slots = np.arange(n_projections) if parts.slots is None else parts.slots
    if datasets.angle_range_deg is not None:
        spread = np.linspace(*datasets.angle_range_deg, int(slots[-1]) + 1)
        return AngleSource.CONFIG, np.deg2rad(spread)[slots], [], []
    assumed = np.linspace(0.0, np.pi, int(slots[-1]) + 1)[slots]
    found = parts.angles
    if found is None:
        return AngleSource.ASSUMED, assumed, [], []
    angles, n_angles = found.angles_rad, len(found.angles_rad)
    notes = list(found.notes)
    if n_angles == n_projections:
        return AngleSource.FILE, angles, [], notes
    n_rows = parts.projections.shape[1]
    if n_angles == n_rows:
        problem = (
            f"{path}: {parts.projections.name} has {n_projections} pictures of {n_rows} rows, and"
            f" {found.name} {n_angles} angles: {_AS_SINOGRAMS}"
        )
        return AngleSource.ASSUMED, assumed, [problem], notes
    if n_angles > n_projections and evenly_spaced(angles):
        notes.append(
            f"{found.name} has {n_angles} angles for {n_projections} projections: the first"
            f" {n_projections} are taken, as after a scan that was ended early"
        )
        return AngleSource.FILE, angles[:n_projections], [], notes
    first = _first_of_projections(angles, parts)
    if first is not None:
        notes.append(
            f"{found.name} has {n_angles} angles for {n_projections} projections: those of numbers"
            f" {first} to {first + n_projections - 1} (the first is 0) are taken, the only ones"
            " evenly spaced, as flats and darks have angles there as well"
        )
        return AngleSource.FILE, angles[first : first + n_projections], [], notes
    problem = (
        f"{path}: {found.name} has {n_angles} angles, but {parts.projections.name} has"
        f" {n_projections} projections; give datasets.angle_range_deg, or the right path as"
        " datasets.angles"
    )
    return AngleSource.ASSUMED, assumed, [problem], notes


def _first_of_projections(angles: NDArray[np.float64], parts: ScanParts) -> int | None:
    """Return where the angles of the projections begin among those of all pictures, if one tells.

    None unless there are as many more as flats or darks or both, and one run alone is evenly
    spaced.
    """
    n_projections = parts.projections.shape[0]
    n_flats = sum(block.frames.shape[0] for block in parts.flats)
    n_darks = sum(frames.shape[0] for frames in parts.darks)
    n_more = len(angles) - n_projections
    if n_more <= 0 or n_more not in (n_flats, n_darks, n_flats + n_darks):
        return None
    even = [
        first for first in range(n_more + 1) if evenly_spaced(angles[first : first + n_projections])
    ]
    return even[0] if len(even) == 1 else None


def _numbers_alone(
    path: str, parts: ScanParts, angles: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[str]]:
    """Return angles that are numbers, and what is wrong with the stated ones if those are not."""
    if np.isfinite(angles).all():
        return angles, []
    problem = (
        f"{path}: {parts.angles.name if parts.angles else 'the angles'} holds NaN or infinity"
        f" (projections {numbers(~np.isfinite(angles))}); give datasets.angle_range_deg"
        " instead, or leave these out with datasets.exclude"
    )
    return np.linspace(0.0, np.pi, len(angles)), [problem]


def _kept(
    parts: ScanParts,
    angles: NDArray[np.float64],
    source: AngleSource,
    datasets: DatasetSettings,
) -> tuple[NDArray[np.bool_], list[str], int]:
    """Return which projections are kept, bool (n,), what was left out, and how many are absent.

    Of what was left out a line each; absent are those that are announced and not there.
    """
    n_all = parts.projections.shape[0]
    kept = included(datasets.include, n_all) & ~excluded(datasets.exclude, n_all)
    notes = []
    if not kept.all():
        notes.append(f"{n_all - np.count_nonzero(kept)} projections are left out by the config")
    if parts.unusable is not None and (parts.unusable & kept).any():
        bad = parts.unusable & kept
        notes.append(
            f"{np.count_nonzero(bad)} of {n_all} projections cannot be read and are left out:"
            f" {numbers(bad)} (the first is 0)"
        )
        kept &= ~bad
    ends = _ends(parts, angles, source)
    for n_good, why in ends:
        tail = kept & (np.arange(n_all) >= n_good)
        if tail.any():
            notes.append(f"the last {np.count_nonzero(tail)} of {n_all} projections {why}")
            kept &= ~tail
    n_there = min([n_all, *(n_good for n_good, _ in ends)])
    return kept, notes, n_all - n_there + _n_angles_more(parts, source)


def _n_angles_more(parts: ScanParts, source: AngleSource) -> int:
    """Return how many more angles than pictures there are, where all are those of projections."""
    found, n_projections = parts.angles, parts.projections.shape[0]
    if found is None or source is not AngleSource.FILE:
        return 0
    n_more = len(found.angles_rad) - n_projections
    return n_more if n_more > 0 and evenly_spaced(found.angles_rad) else 0


def _ends(
    parts: ScanParts, angles: NDArray[np.float64], source: AngleSource
) -> list[tuple[int, str]]:
    """Return how many projections are there, and how many have an angle, with what to say."""
    ends = []
    if parts.unusable is None or not parts.unusable[[0, -1]].any():
        ends.append(
            (n_written(parts.projections), "are blank, as after an aborted scan, and are left out")
        )
    if source is AngleSource.FILE:
        ends.append((n_with_angles(angles), "have no angle (zero, never written) and are left out"))
    return ends


def _only_kept(parts: ScanParts, kept: NDArray[np.bool_]) -> ScanParts:
    """Return the parts without the projections that are left out; flats keep their time."""
    n_before = np.concatenate([[0], np.cumsum(kept)])
    flats = tuple(
        block
        if block.position is None
        else replace(block, position=int(n_before[min(block.position, len(kept))]))
        for block in parts.flats
    )
    monitor = None if parts.monitor is None else parts.monitor[kept]
    projections = KeptFrames(parts.projections, kept)
    return replace(parts, projections=projections, flats=flats, monitor=monitor)


def _figure_notes(parts: ScanParts, datasets: DatasetSettings) -> list[str]:
    """Say which figures of the file cannot be, unless the config gives better ones."""
    pairs = (
        (datasets.pixel_size_um, parts.pixel_size),
        (datasets.energy_kev, parts.energy),
    )
    found = [figure.note for given, figure in pairs if given is None and figure.note is not None]
    return [*parts.beam.notes, *found]


def _given_or_found(given: float | None, found: Figure) -> float | None:
    return found.value if given is None else given
