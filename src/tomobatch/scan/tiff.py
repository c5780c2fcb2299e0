"""Scans of TIFFs: a folder of pictures whose names tell what they are, or one file of pages."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.scan.addresses import refuse_second_role, several
from tomobatch.scan.angle_files import read_angle_file
from tomobatch.scan.angles import FoundAngles, to_radians
from tomobatch.scan.esrf_info import esrf_position, read_info
from tomobatch.scan.header import Frames, ImageKey
from tomobatch.scan.lab_files import find_lab_scan
from tomobatch.scan.lab_pictures import numbered, pictures_taken
from tomobatch.scan.lab_scan import LabScan
from tomobatch.scan.leave_out import KeptFrames, numbers
from tomobatch.scan.names import Series, role, sort_series, taken_after
from tomobatch.scan.parts import FlatBlock, ScanParts, flat_blocks
from tomobatch.scan.picture_files import (
    folders_of,
    n_hidden,
    open_files,
    open_named,
    open_stack,
    pictures_of,
)
from tomobatch.scan.settings import DatasetSettings
from tomobatch.scan.tiff_frames import PictureFiles, TiffPages
from tomobatch.scan.tiff_projections import Found, bare_name, find_projections
from tomobatch.scan.units import Figure, pixel_um

_ANGLE_FILES = ("angles.txt", "angles.csv", "angles.npy", "theta.txt")
_FROM_NAMES = "names"


def read_tiff_file(path: Path, datasets: DatasetSettings) -> ScanParts:
    """Find the parts of a scan in one file; flats and darks are files or folders beside it."""
    folder = path.parent
    own = path.stem.lower()
    beside = [
        item
        for item in (*folders_of(folder), *pictures_of(folder))
        if item != path and item.stem.lower().startswith((f"{own}_", f"{own}-", "flat", "dark"))
    ]
    projections = (
        open_stack(path)
        if datasets.projections is None
        else open_named(folder, datasets.projections, "projections")
    )
    return _parts("multi-page TIFF", Found(folder, beside, projections), datasets)


def read_tiff_folder(
    folder: Path, datasets: DatasetSettings, lab_file: Path | None = None
) -> ScanParts:
    """Find the parts of a scan in a folder: subfolders or names tell flats and darks.

    ``lab_file`` is the one of the laboratory's scanner, where the folder may hold several.

    Raises
    ------
    UserError
        If there are no TIFFs, or several series or folders that may hold the projections.
    """
    lab = find_lab_scan(lab_file or folder)
    if lab is not None and lab.folder is not None:
        folder = lab.folder
    items = [*folders_of(folder), *pictures_of(folder)]
    own = [] if lab is None else numbered(pictures_of(folder), lab.prefix)
    if datasets.projections is not None:
        projections = open_named(folder, datasets.projections, "projections")
        found = Found(folder, items, projections)
        if isinstance(projections, PictureFiles):
            series = sort_series(projections.paths)
            found.series = series[0] if len(series) == 1 else None
    elif len(own) > 1:
        one = sort_series(own)[0]
        found = Found(folder, items, open_files(f"folder {folder.name}", own), one)
    else:
        found = find_projections(folder, items)
    found.lab = lab
    hidden = n_hidden(folder)
    if hidden:
        found.notes.append(f"{hidden} hidden files, named like pictures, are left out")
    suffix = _format_of(found.projections)
    return _parts(f"{suffix} folder", found, datasets)


def _format_of(projections: Frames) -> str:
    """Return the format of the projections' files as a word."""
    first = projections.sources()[0]
    suffix = first.suffix.lower() if isinstance(first, Path) else ""
    return {"edf": "EDF", "fits": "FITS", "fit": "FITS", "fts": "FITS"}.get(suffix[1:], "TIFF")


def _parts(format_name: str, found: Found, datasets: DatasetSettings) -> ScanParts:
    """Sort what lies beside the projections."""
    folder, projections = found.folder, found.projections
    flats, darks = _references(found, datasets)
    slots = None if found.series is None else found.series.slots()
    notes = [*found.notes, *_notes(projections, [*(b.frames for b in flats), *darks])]
    if slots is not None and found.lab is None:
        notes.append(
            f"{slots[-1] + 1 - len(slots)} numbers are missing in the names of the projections: the"
            " others keep their angles"
        )
    unusable = getattr(projections, "unusable", None)
    info = read_info(folder)
    angles = _angles(folder, found.series, slots, datasets)
    if info is not None:
        notes += info.left_out(projections.shape[0])
        kept = np.arange(projections.shape[0]) < info.n_projections
        if not kept.all():
            projections = KeptFrames(projections, kept)
            unusable, slots = (None if one is None else one[kept] for one in (unusable, slots))
        if angles is None and projections.shape[0] == info.n_projections:
            angles = info.angles
    parts = ScanParts(
        format=format_name,
        projections=projections,
        flats=tuple(
            FlatBlock(_usable(block.frames), block.position, block.scale) for block in flats
        ),
        darks=tuple(_usable(frames) for frames in darks),
        angles=angles,
        pixel_size=Figure() if info is None else info.pixel_size,
        energy=Figure() if info is None else info.energy,
        slots=slots,
        unusable=unusable,
        notes=tuple(notes),
    )
    return parts if found.lab is None else _with_lab(parts, found.lab, found.series)


def _with_lab(parts: ScanParts, lab: LabScan, series: Series | None) -> ScanParts:
    """Add what the file of a laboratory scanner says."""
    taken = pictures_taken(lab, parts.projections, series)
    voxel_um = taken.cone.voxel_um or taken.cone.demagnified_um
    return replace(
        parts,
        format=f"{lab.scanner} scan, {parts.format}",
        projections=taken.projections,
        angles=parts.angles or taken.angles,
        pixel_size=Figure() if voxel_um is None else pixel_um(voxel_um, "um", "um"),
        beam=lab.beam,
        cone=taken.cone,
        rotation=lab.rotation,
        slots=taken.slots,
        unusable=None if parts.unusable is None else parts.unusable[taken.kept],
        white_level=lab.white_level_of(parts.projections.dtype),
        tube_kv=lab.tube_kv,
        notes=(*parts.notes, *taken.notes),
    )


def _references(found: Found, datasets: DatasetSettings) -> tuple[list[FlatBlock], list[Frames]]:
    """Find flats and darks among what is no projection.

    Raises
    ------
    UserError
        If the config gives a picture a second role.
    """
    projections = found.projections
    own = {source if isinstance(source, Path) else source[0] for source in projections.sources()}  # type: ignore[index]
    items = [
        item
        for item in found.items
        if item.resolve() not in own and not any(item.resolve() in path.parents for path in own)
    ]
    flats = _flats(found.folder, items, projections, datasets)
    darks = _darks(found.folder, items, datasets)
    refuse_second_role(projections, {"flats": [block.frames for block in flats], "darks": darks})
    return flats, darks


def _notes(projections: Frames, references: Sequence[Frames]) -> list[str]:
    """Say what of the files is not used."""
    notes = []
    if isinstance(projections, PictureFiles) and projections.faults:
        path = projections.paths[int(np.argmax(projections.unusable))]
        notes.append(f"{path.name}: {projections.faults[0]}")
    if isinstance(projections, TiffPages) and projections.left_out:
        notes.append(
            f"{projections.left_out} pages of {projections.name} are of another size and are left"
            " out"
        )
    for frames in references:
        unusable = getattr(frames, "unusable", None)
        if unusable is not None and unusable.any():
            notes.append(
                f"{np.count_nonzero(unusable)} pictures of {frames.name} cannot be read and are"
                f" left out: {numbers(unusable)} (the first is 0)"
            )
    return notes


def _usable(frames: Frames) -> Frames:
    return frames.usable() if isinstance(frames, PictureFiles) else frames


def _flats(
    folder: Path, items: list[Path], projections: Frames, datasets: DatasetSettings
) -> list[FlatBlock]:
    """Find the flats, and when they were taken as far as names and numbers tell."""
    n_projections = projections.shape[0]
    if datasets.flats is not None:
        stacks = [open_named(folder, text, "flats") for text in several(datasets.flats)]
        return _dated(stacks, projections)
    found = [item for item in items if role(bare_name(item)) is ImageKey.FLAT]
    numbered = {item: at for item in found if (at := esrf_position(item.stem)) is not None}
    if numbered:
        # Medians of the flats at a projection; the flats they were made of may lie beside them.
        return [
            FlatBlock(open_stack(item), min(at, n_projections))
            for item, at in sorted(numbered.items(), key=lambda pair: pair[1])
        ]
    times = {item: taken_after(bare_name(item)) for item in found}
    groups = (
        ([item for item in found if times[item] is False], 0),
        ([item for item in found if times[item] is None], None),
        ([item for item in found if times[item] is True], n_projections),
    )
    return [
        FlatBlock(frames, 0 if position is None and groups[2][0] else position)
        for group, position in groups
        for frames in _group(folder, group)
    ]


def _dated(stacks: list[Frames], projections: Frames) -> list[FlatBlock]:
    """Give stacks of flats their time: by the numbers of one series, or by their order."""
    if isinstance(projections, PictureFiles) and all(isinstance(s, PictureFiles) for s in stacks):
        firsts = [stack.paths[0] for stack in stacks if isinstance(stack, PictureFiles)]
        series = sort_series([*projections.paths, *firsts])
        if len(series) == 1 and len({path.parent for path in series[0].paths}) == 1:
            place = {path: index for index, path in enumerate(series[0].paths)}
            return [
                FlatBlock(stack, sum(place[path] < place[first] for path in projections.paths))
                for stack, first in zip(stacks, firsts, strict=True)
            ]
    return list(flat_blocks(stacks, projections.shape[0]))


def _darks(folder: Path, items: list[Path], datasets: DatasetSettings) -> list[Frames]:
    if datasets.darks is not None:
        return [open_named(folder, text, "darks") for text in several(datasets.darks)]
    return _group(folder, [item for item in items if role(bare_name(item)) is ImageKey.DARK])


def _group(folder: Path, items: list[Path]) -> list[Frames]:
    """Make one stack of all single pictures, and one of each folder or file of many pages."""
    files = [item for item in items if item.is_file()]
    stacks: list[Frames] = [open_stack(item) for item in items if item.is_dir()]
    return [*stacks, open_files(f"folder {folder.name}", files)] if files else stacks


def _angles(
    folder: Path, series: Series | None, slots: NDArray[np.int64] | None, datasets: DatasetSettings
) -> FoundAngles | None:
    """Read the angles from the file that the config names, one of a usual name, or from names."""
    if datasets.angles == _FROM_NAMES:
        if series is None or len(series.numbers) == 0:
            raise UserError(f"{folder}: the names of the pictures hold no angles (datasets.angles)")
        degrees = series.numbers if series.angles_deg is None else series.angles_deg
        return to_radians(degrees, "deg", "the names of the pictures")
    if datasets.angles is not None:
        return _at_slots(read_angle_file(folder, datasets.angles), slots)
    for name in _ANGLE_FILES:
        if (folder / name).is_file():
            return _at_slots(read_angle_file(folder, name), slots)
    if series is not None and series.angles_deg is not None:
        found = to_radians(series.angles_deg, "deg", "the names of the pictures")
        first, last = series.angles_deg[[0, -1]]
        note = f"the angles are taken from the names of the pictures: {first:g} to {last:g} degrees"
        return FoundAngles(found.name, found.angles_rad, (*found.notes, note))
    return None


def _at_slots(found: FoundAngles, slots: NDArray[np.int64] | None) -> FoundAngles:
    """Leave out the angles of pictures that are missing, if the file has one for each of these."""
    if slots is None or len(found.angles_rad) != slots[-1] + 1:
        return found
    return FoundAngles(found.name, found.angles_rad[slots], found.notes)
