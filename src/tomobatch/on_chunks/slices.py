"""What step 4 does to a chunk of slices."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tomobatch.arrays import Float32Array
from tomobatch.beam import ConeBeam
from tomobatch.calibrate.calibration import Calibration
from tomobatch.reconstruct.cone.geometry import make_cone_geometry
from tomobatch.reconstruct.cone.iterate import iterate_volume
from tomobatch.reconstruct.cone.slabs import reconstruct_slabs
from tomobatch.reconstruct.geometry import Roi, make_geometry
from tomobatch.reconstruct.settings import ReconstructSettings
from tomobatch.reconstruct.stream import reconstruct_blocks
from tomobatch.reconstruct.timeline import Timeline
from tomobatch.stores.volume import VolumeLayout
from tomobatch.stripes.ring_removal import Polar, RingsTaken, remove_rings
from tomobatch.turn import covers_full_turn
from tomobatch.units import to_grey_in_place

Write = Callable[[int, Float32Array], None]


class Sinograms(Protocol):
    """Sinograms (row, angle, x) of a whole scan, read as they are sliced."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, angles and columns."""

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401  what zarr takes and gives
        """Read some of them."""


def settled(
    choices: ReconstructSettings, layout: VolumeLayout, calibration: Calibration
) -> tuple[ReconstructSettings, VolumeLayout]:
    """Return the settings, whose width is known, and the layout once the axis is found."""
    if layout.may_widen and calibration.half_acquisition and choices.size_px is not None:
        choices = choices.model_copy(update={"size_px": 2 * choices.size_px})
    return choices, layout.settled(calibration)


@dataclass(frozen=True)
class SlicesOfScan:
    """What slices are made of: sinograms, angles in radians, settings, the axis, the layout.

    ``rings`` tells after it what was taken off as rings.
    """

    sinograms: Sinograms
    angles_rad: npt.NDArray[np.float64]
    choices: ReconstructSettings
    calibration: Calibration
    layout: VolumeLayout
    rings: RingsTaken = field(default_factory=RingsTaken)

    def reconstruct(self, slices: tuple[int, int], write: Write) -> Timeline:
        """Reconstruct slices [first, stop) of the volume.

        ``write(start, slices)`` keeps float32 (n, y, x) in the volume's unit, from slice ``start``
        after the first; it turns them to the volume's orientation.
        """
        if self.layout.beam is None:
            return self._parallel(slices, write)
        return self._cone(self.layout.beam, slices, write)

    def _parallel(self, slices: tuple[int, int], write: Write) -> Timeline:
        """Reconstruct slices of a parallel beam, one of each row."""
        first, stop = slices
        return reconstruct_blocks(
            lambda start, end: np.asarray(self.sinograms[first + start : first + end]),
            self._in_grey(write),
            stop - first,
            make_geometry(self.angles_rad, self.sinograms.shape[2], **self._shape),
            self.calibration.cor_px(np.arange(first, stop)),
            self.choices,
        )

    def _cone(self, beam: ConeBeam, slices: tuple[int, int], write: Write) -> Timeline:
        """Reconstruct slices of a cone beam from the rows that they need, or, iterating, all."""
        n_rows, _, n_cols = self.sinograms.shape
        beam = self.calibration.beam(beam)
        geometry = make_cone_geometry(beam, self.angles_rad, n_rows, n_cols, **self._shape)
        write_grey = self._in_grey(write)

        def read(rows: slice, angles: slice) -> Float32Array:
            return np.asarray(self.sinograms[rows, angles])

        def write_from_first(start: int, values: Float32Array) -> None:
            write_grey(start - slices[0], values)

        if self.choices.iterates:
            return iterate_volume(read, write_from_first, slices, geometry, self.choices)
        return reconstruct_slabs(
            *(read, write_from_first, slices, geometry),
            filter=self.choices.filter,
            padding=self.choices.padding,
            device=self.choices.device,
        )

    def _in_grey(self, write: Write) -> Write:
        polar = self._polar() if self.choices.remove_rings else None

        def in_grey(start: int, values: Float32Array) -> None:
            if polar is not None:
                self.rings.note(values, remove_rings(values, polar))
            to_grey_in_place(values, self.layout.pixel_size_um)
            write(start, values)

        return in_grey

    def _polar(self) -> Polar:
        """Return polar coordinates about the axis, which is the middle of a whole slice."""
        roi, binning = self._roi, self.choices.binning
        whole_px = self.choices.size_px or roi.nx
        row, column = (((whole_px - binning) / 2 - corner) / binning for corner in (roi.y0, roi.x0))
        return Polar(
            (roi.ny // binning, roi.nx // binning),
            (row, column),
            whole_px / binning / 2,
            n_arcs=1 if covers_full_turn(self.angles_rad) else 2,
            first_rad=float(np.min(self.angles_rad)),
        )

    @property
    def _shape(self) -> dict[str, Any]:
        """What the settings say about the slices."""
        parallel = self.layout.beam is None
        merged = self.calibration.half_acquisition if parallel else self.choices.merges
        given = {name: getattr(self.choices, name) for name in ("size_px", "binning", "mask")}
        return {"roi": self._roi, "half_acquisition": merged, **given}

    @property
    def _roi(self) -> Roi:
        """The part of the slice to compute, of which the volume may be written upside down."""
        size_px = self.choices.size_px
        if size_px is None:
            raise ValueError("the width of a whole slice is that of the plan")
        roi = Roi(*(self.choices.roi_px or (0, 0, size_px, size_px)))
        flips = self.layout.orientation.flips_rows
        return roi.upside_down(size_px, self.choices.binning) if flips else roi
