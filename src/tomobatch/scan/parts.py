"""The parts a format's reader finds, and the scan made of them after the same checks for all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.phantom.truth import Truth
from tomobatch.scan.header import AngleSource, Frames, ScanHeader
from tomobatch.scan.settings import DatasetSettings


@dataclass(frozen=True)
class FoundAngles:
    """Angles as a file states them.

    Attributes
    ----------
    name
        Where they lie, for messages.
    angles_rad
        One a projection, if the file is right, shape (n,).
    """

    name: str
    angles_rad: NDArray[np.float64]


@dataclass(frozen=True)
class FlatBlock:
    """Flats taken one after the other.

    Attributes
    ----------
    frames
        The flats.
    position
        Number of projections taken before them.
    """

    frames: Frames
    position: int


@dataclass(frozen=True)
class ScanParts:
    """What the reader of one format found."""

    format: str
    projections: Frames
    flats: tuple[FlatBlock, ...] = ()
    darks: tuple[Frames, ...] = ()
    angles: FoundAngles | None = None
    pixel_size_um: float | None = None
    energy_kev: float | None = None
    truth: Truth | None = None
    close: Callable[[], None] = field(default=lambda: None)


class Scan:
    """An open scan: its header, and its pictures by range. A context manager.

    Attributes
    ----------
    header
        What is known without reading pictures.
    """

    def __init__(self, header: ScanHeader, parts: ScanParts) -> None:
        self.header = header
        self._parts = parts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._parts.close()

    def read_projections(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read projections ``[start, stop)``.

        Returns
        -------
        ndarray, shape (angle, y, x)
            In the type they are stored in.

        Raises
        ------
        UserError
            If the range is not in the scan, or the file is damaged there.
        """
        header = self.header
        if not 0 <= start <= stop <= header.n_projections:
            raise UserError(
                f"{header.path}: projections [{start}, {stop}) asked for,"
                f" but it has {header.n_projections}"
            )
        return self._parts.projections.read(start, stop, rows)

    def flat_series(self) -> list[tuple[NDArray[Any], int]]:
        """Read the flats, series by series.

        Returns
        -------
        list of (ndarray of shape (n, y, x), position)
            The position is the number of projections taken before the series: 0 for flats before
            the scan, the number of projections for flats after it.
        """
        return [(_read_all(block.frames), block.position) for block in self._parts.flats]

    def darks(self) -> NDArray[Any] | None:
        """Read all darks, shape (n, y, x); None if there are none."""
        if not self._parts.darks:
            return None
        return np.concatenate([_read_all(frames) for frames in self._parts.darks])


def assemble(path: str, parts: ScanParts, datasets: DatasetSettings) -> Scan:
    """Check the parts against each other and make a scan of them; the config wins over the file."""
    n_projections, n_rows, n_cols = parts.projections.shape
    if 0 in parts.projections.shape:
        raise UserError(f"{path}: {parts.projections.name} holds no projections")
    flats = [block.frames for block in parts.flats]
    problems = [
        f"{path}: {frames.name} has {frames.shape[1]} x {frames.shape[2]} pixels,"
        f" but the projections have {n_rows} x {n_cols}; check the paths under datasets"
        for frames in (*flats, *parts.darks)
        if frames.shape[1:] != (n_rows, n_cols)
    ]
    n_flats = sum(frames.shape[0] for frames in flats)
    if n_flats == 0:
        problems.append(f"{path}: no flats found; say where they are with datasets.flats")
    if datasets.angle_range_deg is not None:
        source = AngleSource.CONFIG
        angles_rad = np.deg2rad(np.linspace(*datasets.angle_range_deg, n_projections))
    elif parts.angles is not None and len(parts.angles.angles_rad) == n_projections:
        source = AngleSource.FILE
        angles_rad = parts.angles.angles_rad
    else:
        source = AngleSource.ASSUMED
        angles_rad = np.linspace(0.0, np.pi, n_projections)
        if parts.angles is not None:
            problems.append(
                f"{path}: {parts.angles.name} has {len(parts.angles.angles_rad)} angles, but"
                f" {parts.projections.name} has {n_projections} projections;"
                " give datasets.angle_range_deg, or the right path as datasets.angles"
            )
    header = ScanHeader(
        path=path,
        format=parts.format,
        n_projections=n_projections,
        n_rows=n_rows,
        n_cols=n_cols,
        dtype=parts.projections.dtype,
        angles_rad=angles_rad,
        angle_source=source,
        pixel_size_um=_first(datasets.pixel_size_um, parts.pixel_size_um),
        energy_kev=_first(datasets.energy_kev, parts.energy_kev),
        n_flats=n_flats,
        n_darks=sum(frames.shape[0] for frames in parts.darks),
        truth=parts.truth,
        problems=tuple(problems),
    )
    return Scan(header, parts)


def _read_all(frames: Frames) -> NDArray[Any]:
    return frames.read(0, frames.shape[0])


def _first(given: float | None, found: float | None) -> float | None:
    return found if given is None else given
