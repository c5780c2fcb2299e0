"""The parts a format's reader finds, and the open scan that reads them (decision 40)."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tomobatch.errors import UserError
from tomobatch.known_axis import KnownAxis
from tomobatch.orientation import Rotation
from tomobatch.scan.angles import FoundAngles
from tomobatch.scan.beam_geometry import BeamGeometry
from tomobatch.scan.cone import FoundCone
from tomobatch.scan.flats import Flats, FlatSeries, date_flats
from tomobatch.scan.header import Frames, ScanHeader
from tomobatch.scan.units import Figure


@dataclass(frozen=True)
class FlatBlock:
    """Flats taken one after the other.

    Attributes
    ----------
    frames
        The flats.
    position
        Number of projections taken before them; None if the file does not say.
    scale
        What their signal is multiplied by to be that of the projections' exposure.
    monitor
        What a monitor of the beam read while they were taken, on average.
    """

    frames: Frames
    position: int | None
    scale: float = 1.0
    monitor: float | None = None


def flat_blocks(stacks: Sequence[Frames], n_projections: int) -> tuple[FlatBlock, ...]:
    """Give stacks of flats that the config names their time, in the order it names them.

    A single one may hold flats from before and after the scan; several are spread over it.
    """
    if len(stacks) == 1:
        return (FlatBlock(stacks[0], None),)
    positions = np.linspace(0, n_projections, len(stacks)).round().astype(int)
    return tuple(
        FlatBlock(stack, int(position)) for stack, position in zip(stacks, positions, strict=True)
    )


@dataclass(frozen=True)
class ScanParts:
    """What the reader of one format found.

    Attributes
    ----------
    slots
        Which of ``n_slots`` evenly spaced angles each projection was taken at, where some pictures
        are missing; None if there are none missing.
    monitor
        What a monitor of the beam read at each projection, float64 (n,); None without one.
    white_level
        Grey value of the open beam, where the scanner has divided its pictures by its flats.
    tube_kv
        Voltage of the tube that the beam is from.
    unusable
        Which projections cannot be read, bool (n,); None if all can.
    rotation
        How the sample turns with rising angles; None if the file does not say.
    beam, cone
        How far source and detector are; and all that is known of a cone beam, if it is one.
    stored_dtype
        Type of a pixel of the file, where pictures are seen through a view.
    notes
        What the user should know of how the scan was read.
    close
        Closes all files.
    """

    format: str
    projections: Frames
    flats: tuple[FlatBlock, ...] = ()
    darks: tuple[Frames, ...] = ()
    angles: FoundAngles | None = None
    pixel_size: Figure = field(default_factory=Figure)
    energy: Figure = field(default_factory=Figure)
    beam: BeamGeometry = field(default_factory=BeamGeometry)
    cone: FoundCone | None = None
    half_acquisition: bool = False
    rotation: Rotation | None = None
    slots: NDArray[np.int64] | None = None
    monitor: NDArray[np.float64] | None = None
    unusable: NDArray[np.bool_] | None = None
    white_level: float | None = None
    tube_kv: float | None = None
    known_axis: KnownAxis | None = None
    stored_dtype: np.dtype[Any] | None = None
    notes: tuple[str, ...] = ()
    close: Callable[[], None] = field(default=lambda: None)

    def seen(self, view: Callable[[Frames], Frames]) -> "ScanParts":
        """Return the parts with every stack of pictures seen through a view."""
        return replace(
            self,
            projections=view(self.projections),
            flats=tuple(replace(block, frames=view(block.frames)) for block in self.flats),
            darks=tuple(map(view, self.darks)),
            stored_dtype=self.stored_dtype or self.projections.dtype,
        )


class Scan:
    """An open scan: its header, and its pictures by range. A context manager.

    Attributes
    ----------
    header
        What is known without reading pictures.
    parts
        What its format's reader found.
    """

    def __init__(self, header: ScanHeader, parts: ScanParts) -> None:
        self.header = header
        self.parts = parts

    def __repr__(self) -> str:
        header = self.header
        return (
            f"<Scan {header.path}: {header.format}, {header.n_projections} projections of "
            f"{header.n_rows} rows x {header.n_cols} columns, {header.dtype}, "
            f"{header.n_flats} flats, {header.n_darks} darks>"
        )

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
        self.parts.close()

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
        return self.parts.projections.read(start, stop, rows)

    def flats(self) -> Flats:
        """Read the flats, series by series in the order of time, and say what was made of them."""
        series: list[FlatSeries] = []
        notes: list[str] = []
        for block in self.parts.flats:
            frames = _read_all(block.frames)
            if block.position is not None:
                series.append(FlatSeries(frames, block.position, block.scale))
                continue
            dated = date_flats(frames, self.header.n_projections, self._dark_level(), block.scale)
            series += dated.series
            notes += dated.notes
        return Flats(series, tuple(notes))

    def flat_series(self) -> list[FlatSeries]:
        """Read the flats, series by series.

        Returns
        -------
        list of (ndarray of shape (n, y, x), position, scale)
            The position is the number of projections taken before the series: 0 for flats before
            the scan, the number of projections for flats after it.
        """
        return self.flats().series

    def beam_offsets(self, flat_positions: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Return the logarithm of the beam at each projection over that of its flats, (angle,).

        None without a monitor of the beam that read something at every projection. Where it did not
        read while flats were taken, those at ``flat_positions``, projections taken before them, are
        given what it read at the projections beside them.
        """
        monitor, blocks = self.parts.monitor, self.parts.flats
        if monitor is None:
            return None
        dated = [
            (block.position, block.monitor)
            for block in blocks
            if block.position is not None and block.monitor is not None
        ]
        if len(dated) < len(blocks) or not dated:
            dated = [(int(place), _beside(monitor, int(place))) for place in flat_positions]
        positions, of_flats = np.array(sorted(dated), np.float64).T
        if not (np.isfinite(monitor).all() and monitor.min() > 0 and of_flats.min() > 0):
            return None
        at_projections = np.interp(np.arange(len(monitor)) + 0.5, positions, of_flats)
        return np.asarray(np.log(monitor / at_projections))

    def darks(self) -> NDArray[Any] | None:
        """Read all darks, shape (n, y, x); None if there are none."""
        if not self.parts.darks:
            return None
        return np.concatenate([_read_all(frames) for frames in self.parts.darks])

    def _dark_level(self) -> float:
        """Return the median counts of one dark; zero without."""
        darks = [frames for frames in self.parts.darks if frames.shape[0]]
        return float(np.median(darks[0].read(0, 1))) if darks else 0.0

    def cropped(self, rows: slice) -> "Scan":
        """Return the scan as if its detector had these rows alone; closing it closes this one.

        Of a beam that is no parallel one the header says what it says of the whole detector.
        """
        first, stop, _ = rows.indices(self.header.n_rows)
        parts = self.parts.seen(lambda frames: RowsOfFrames(frames, first, stop))
        return Scan(replace(self.header, n_rows=stop - first), parts)


class RowsOfFrames:
    """Rows [first, stop) of every picture of a stack."""

    def __init__(self, frames: Frames, first: int, stop: int) -> None:
        self._frames, self._first = frames, first
        self.name, self.dtype = frames.name, frames.dtype
        self.shape: tuple[int, int, int] = (frames.shape[0], stop - first, frames.shape[2])

    def read(self, start: int, stop: int, rows: slice = slice(None)) -> NDArray[Any]:
        """Read the given ones of these rows, of pictures ``[start, stop)``."""
        low, high, step = rows.indices(self.shape[1])
        return self._frames.read(start, stop, slice(self._first + low, self._first + high, step))

    def sources(self) -> list[Hashable]:
        """Say what each picture is."""
        return self._frames.sources()


def _beside(monitor: NDArray[np.float64], place: int) -> float:
    """Return the mean of what a monitor read within a tenth of the scan of a projection."""
    reach = max(1, len(monitor) // 10)
    place = min(place, len(monitor) - 1)
    return float(np.mean(monitor[max(0, place - reach) : place + reach]))


def _read_all(frames: Frames) -> NDArray[Any]:
    return frames.read(0, frames.shape[0])
