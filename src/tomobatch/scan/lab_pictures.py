"""The pictures of a laboratory scan: which of them count, and at which step each was taken."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomobatch.scan.angles import FoundAngles
from tomobatch.scan.cone import FoundCone
from tomobatch.scan.header import Frames
from tomobatch.scan.lab_files import came_back
from tomobatch.scan.lab_scan import LabScan
from tomobatch.scan.leave_out import KeptFrames
from tomobatch.scan.names import Series


@dataclass(frozen=True)
class Taken:
    """Pictures of a laboratory scan.

    Attributes
    ----------
    projections
        Those that count.
    kept
        Which of all these are, bool (n,).
    places
        The step at which each of them was taken, int64.
    angles, cone
        Theirs; None without a step, or without a cone.
    notes
        What was left out or is missing.
    """

    projections: Frames
    kept: NDArray[np.bool_]
    places: NDArray[np.int64]
    angles: FoundAngles | None
    cone: FoundCone
    notes: tuple[str, ...]

    @property
    def slots(self) -> NDArray[np.int64] | None:
        """The steps, where some are missing; None if none is."""
        return None if (self.places == np.arange(len(self.places))).all() else self.places


def numbered(paths: list[Path], prefix: str) -> list[Path]:
    """Return the pictures whose names are the prefix and a number, in its order."""
    if not prefix:
        return []
    own = [path for path in paths if re.fullmatch(rf"{re.escape(prefix)}\d+", path.stem)]
    return sorted(own, key=lambda path: int(path.stem.removeprefix(prefix)))


def pictures_taken(lab: LabScan, projections: Frames, series: Series | None) -> Taken:
    """Hold the pictures against what the scanner's file says of them.

    Raises
    ------
    UserError
        They are not of the size that it says.
    """
    n_found = projections.shape[0]
    places = _settled(lab, lab.places(_numbers(lab, series), n_found))
    kept = np.ones(n_found, bool) if lab.n_projections is None else places < lab.n_projections
    notes = list(lab.notes)
    if not kept.all():
        notes.append(
            f"{np.count_nonzero(~kept)} pictures after the {lab.n_projections} that"
            f" {lab.path.name} speaks of are left out"
        )
    if lab.may_end_twice and kept.all() and came_back(projections):
        kept[-1] = False
        notes.append(
            "the last picture is more like the first than like the one before it: it is left out,"
            " as taken after the scanner had turned back"
        )
    stated = places[kept][-1] + 1 if lab.n_projections is None else lab.n_projections
    notes += _missing(lab, places[kept], int(stated))
    n_rows, n_cols = projections.shape[1:]
    cone, size_notes = lab.cone_of(n_rows, n_cols)
    cone, drift_notes = _drifts_of(cone, places[kept])
    return Taken(
        projections=projections if kept.all() else KeptFrames(projections, kept),
        kept=kept,
        places=places[kept],
        angles=lab.angles(places[kept]),
        cone=cone,
        notes=(*notes, *size_notes, *drift_notes),
    )


def _numbers(lab: LabScan, series: Series | None) -> NDArray[np.float64]:
    """Return the numbers in the names, without those that are the scan's name."""
    if series is None:
        return np.empty(0)
    stems = [path.stem for path in series.paths]
    if lab.prefix and all(re.fullmatch(rf"{re.escape(lab.prefix)}\d+", stem) for stem in stems):
        return np.array([float(stem.removeprefix(lab.prefix)) for stem in stems])
    return series.numbers


def _settled(lab: LabScan, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the steps counted from the first picture, where the numbers begin elsewhere."""
    beyond = lab.n_projections is not None and places.max() >= lab.n_projections
    if places.min() < 0 or (places.min() > 0 and (beyond or lab.n_projections is None)):
        return np.asarray(places - places.min())
    return places


def _missing(lab: LabScan, places: NDArray[np.int64], stated: int) -> list[str]:
    """Say which of the projections that the scanner's file speaks of are not there."""
    absent = np.setdiff1d(np.arange(stated), places)
    if len(absent) == 0:
        return []
    at_end = absent[0] > places.max()
    if at_end and lab.may_end_twice and len(absent) == 1:
        # Some models count the one more picture that they keep under another name.
        return []
    if at_end:
        return [
            f"{lab.path.name} speaks of {stated} projections, and {len(places)} are there: the"
            " angles of the others are as after a scan that was ended early"
        ]
    named = ", ".join(map(str, absent[:5])) + (", ..." if len(absent) > 5 else "")
    return [
        f"{len(absent)} of the {stated} projections are missing ({named}; the first is 0): the"
        " others keep their angles"
    ]


def _drifts_of(cone: FoundCone, places: NDArray[np.int64]) -> tuple[FoundCone, tuple[str, ...]]:
    """Return the cone with the shifts of these pictures, or without any if they are too few."""
    if not cone.drift_px:
        return cone, ()
    if len(cone.drift_px) <= places.max():
        note = (
            f"the shifts of the pictures are {len(cone.drift_px)}, fewer than the pictures:"
            " they are not used"
        )
        return replace(cone, drift_px=()), (note,)
    return replace(cone, drift_px=tuple(cone.drift_px[place] for place in places)), ()
