"""What a scan's header and the configuration say about its jobs: chunks and layouts."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.merging import Merging
from tomobatch.chunks import ChunkGrid, ChunkSettings, size_for_budget
from tomobatch.config.schema import ScanConfig
from tomobatch.on_chunks.corrections import Corrections
from tomobatch.orientation import Orientation
from tomobatch.scan.header import ScanHeader
from tomobatch.steps import Step, steps_with
from tomobatch.stores.layout import ArrayLayout, projections_layout, sinograms_layout
from tomobatch.stores.settings import VolumeSettings
from tomobatch.stores.volume import VolumeLayout
from tomobatch.turn import covers_full_turn

if TYPE_CHECKING:
    from tomobatch.reconstruct.cone.geometry import ConeGeometry

# Slices of a cone's chunks: a fourth of the scan, within these. Taller ones compute faster and read
# fewer rows twice (benchmarks/results/cone.md).
_LEAST_CHUNK, _TALLEST_CHUNK = 64, 256
# Angles that a cone's reconstruction reads at a time, of every row that it needs.
_ANGLES_A_PIECE = 64


@dataclass(frozen=True)
class ScanPlan:
    """The jobs of one scan."""

    name: str
    header: ScanHeader
    config: ScanConfig
    volume: VolumeSettings
    keep_intermediates: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """What makes the results of the scan what they are, as plain JSON values."""
        volume = self.volume.model_dump(mode="json", exclude={"export"})
        return {**self.config.model_dump(mode="json"), "volume": volume}

    @property
    def calibrated_like(self) -> str:
        """The scan that tells the axis and the grey window, as a rule this one."""
        return self.config.calibrate.like or self.name

    @property
    def n_levels(self) -> int:
        """Resolutions of the volume."""
        return self.volume.levels

    @property
    def n_jobs(self) -> dict[str, int]:
        """How many jobs each rule has, in the order of the workflow."""
        chunks = self.projections.n_chunks, self.rows.n_chunks, self.slices.n_chunks
        return {step.rule: step.n_jobs(*chunks) for step in self.steps}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the workflow for this scan."""
        return steps_with(
            self.volume.export,
            checked=self.volume.check == "fail",
            aligned=self.is_aligned,
            keep_intermediates=self.keep_intermediates,
        )

    @property
    def is_aligned(self) -> bool:
        """Whether projections are moved onto each other."""
        return self.config.align.method != "none"

    @cached_property
    def projections(self) -> ChunkGrid:
        """The chunks of projections, one a preprocess job."""
        n_items = self.header.n_projections
        size = self.config.chunks.projections
        if size == "auto":
            item_mb = float32_mb(self.header.n_rows * self.header.n_cols)
            size = size_for_budget(n_items, item_mb, self.config.chunks.memory_mb)
        return ChunkGrid(n_items, min(size, n_items))

    @cached_property
    def rows(self) -> ChunkGrid:
        """The chunks of detector rows, one a process job."""
        n_items = self.header.n_rows
        size = self.config.chunks.slices
        if size == "auto":
            size = size_for_budget(
                n_items,
                float32_mb(self.row_values),
                self.config.chunks.memory_mb,
                multiple_of=2 ** (self.n_levels - 1),
            )
        return ChunkGrid(n_items, min(size, n_items))

    @cached_property
    def slices(self) -> ChunkGrid:
        """The chunks of slices, one a reconstruct job: those of the rows, or taller in a cone.

        A chunk of a cone reads rows beyond its own, so that few tall ones read less in all; only a
        size other than the default is taken as it is. Iterations take the whole volume of a cone at
        once, as its rays cross many slices.
        """
        if self.iterates_on_volume:
            return ChunkGrid(self.header.n_rows, self.header.n_rows)
        if self.header.beam is None or self.config.chunks.slices != ChunkSettings().slices:
            return self.rows
        n_items = self.header.n_rows
        quarter = 2 ** int(math.log2(max(n_items / 4, 1)))
        return ChunkGrid(n_items, min(n_items, _TALLEST_CHUNK, max(_LEAST_CHUNK, quarter)))

    def rows_of(self, chunk: int) -> range:
        """Return the chunks of rows that a chunk of slices is made of."""
        if self.header.beam is None:
            return range(chunk, chunk + 1)
        first, stop = self.cone_geometry().rows_needed(*self.slices.range(chunk))
        return range(first // self.rows.size, (stop - 1) // self.rows.size + 1)

    @property
    def pixel_size_um(self) -> float | None:
        """Size of a detector pixel at the sample, if known."""
        return self.header.pixel_size_um

    @property
    def slice_shape_px(self) -> tuple[int, int]:
        """Height and width of a slice as it is written."""
        chosen = self.config.reconstruct
        if chosen.roi_px is not None:
            _, _, width, height = chosen.roi_px
        else:
            width = height = self.whole_slice_px
        return height // chosen.binning, width // chosen.binning

    @property
    def whole_slice_px(self) -> int:
        """Width and height of a whole slice, before region of interest and binning."""
        chosen = self.config.reconstruct
        if chosen.size_px is not None:
            return chosen.size_px
        # How far the halves overlap is known only after calibration; this holds all they can show.
        return self.header.n_cols * (2 if self._is_merged else 1)

    @property
    def beam(self) -> ConeBeam | None:
        """The cone beam; None for a parallel one."""
        return self.header.beam

    @property
    def iterates_on_volume(self) -> bool:
        """Whether the slices are made together, by iterations on a cone beam."""
        return self.beam is not None and self.config.reconstruct.iterates

    @property
    def source_row_is_given(self) -> bool:
        """Whether the configuration says where the source's plane meets a cone's detector."""
        return self.config.datasets.cone.shift_v_px is not None

    @property
    def orientation(self) -> Orientation:
        """What the volume shows of the sample."""
        header = self.header
        return Orientation(
            self.volume.orientation,
            header.rotation,
            header.rotation_source,
            is_cone=header.beam is not None,
            is_mirrored=header.is_mirrored,
        )

    @property
    def may_merge(self) -> bool:
        """Whether calibration decides on half acquisition, and slices may come out twice as wide.

        A width or a region that is given is that of the slices as they are planned.
        """
        chosen = self.config.reconstruct
        is_given = chosen.size_px is not None or chosen.roi_px is not None
        parallel_turn = self.header.beam is None and covers_full_turn(self.header.angles_rad)
        return chosen.half_acquisition == "auto" and parallel_turn and not is_given

    @property
    def merging(self) -> Merging:
        """What calibration does about an axis near the edge of a full turn."""
        if self._is_merged:
            return "done"
        if self.may_merge:
            return "half by its file" if self.header.half_acquisition else "where needed"
        return "off" if self.config.reconstruct.half_acquisition is False else "not possible"

    @property
    def _is_merged(self) -> bool:
        """Whether the sides of an axis near the detector's edge are merged into a wider view."""
        asked = self.config.reconstruct.half_acquisition
        if self.header.beam is None or asked != "auto":
            return asked is True
        from tomobatch.reconstruct.cone.geometry import is_full_circle, is_offset

        offset = is_offset(self.header.beam, self.header.n_cols)
        return offset and is_full_circle(self.header.angles_rad)

    def cone_geometry(self) -> "ConeGeometry":
        """Return the geometry of a cone's slices, for the axis that the scan states.

        Raises
        ------
        UserError
            Where the slices asked for do not fit the scan, or its angles are too few.
        """
        from tomobatch.reconstruct.cone.geometry import make_cone_geometry

        header, chosen = self.header, self.config.reconstruct
        if header.beam is None:
            raise ValueError(f"{header.path}: a parallel beam")
        return make_cone_geometry(
            header.beam,
            header.angles_rad,
            header.n_rows,
            header.n_cols,
            size_px=self.whole_slice_px,
            roi=chosen.roi_px,
            binning=chosen.binning,
            mask=chosen.mask,
            half_acquisition=chosen.merges,
        )

    @property
    def projections_layout(self) -> ArrayLayout:
        """Layout of projections.zarr."""
        header = self.header
        return projections_layout(
            header.n_projections,
            header.n_rows,
            header.n_cols,
            self.projections.size,
            self.rows.size,
        )

    @property
    def sinograms_layout(self) -> ArrayLayout:
        """Layout of sinograms.zarr."""
        header = self.header
        return sinograms_layout(
            header.n_projections,
            header.n_rows,
            header.n_cols,
            self.rows.size,
            chunk_angles=None if header.beam is None else _ANGLES_A_PIECE,
        )

    @property
    def volume_layout(self) -> VolumeLayout:
        """Layout of volume.ome.zarr."""
        roi_px = self.config.reconstruct.roi_px
        return VolumeLayout(
            n_slices=self.header.n_rows,
            height_px=self.slice_shape_px[0],
            width_px=self.slice_shape_px[1],
            chunk_slices=self.slices.size,
            n_levels=self.n_levels,
            pixel_size_um=self.header.pixel_size_um,
            binning=self.config.reconstruct.binning,
            corner_px=(0, 0) if roi_px is None else roi_px[:2],
            first_row=self.header.first_row,
            pixel_binning=self.header.binning,
            beam=self.header.beam,
            n_cols=self.header.n_cols,
            orientation=self.orientation,
            may_widen=self.may_merge,
            dtype=self.volume.dtype,
            window=self.volume.window,
        )

    @property
    def corrections(self) -> Corrections:
        """What is done to line integrals before they become sinograms.

        Raises
        ------
        UserError
            Where a figure that it needs is known neither to the file nor to the configuration.
        """
        return Corrections.of_scan(self.config.tube, self.config.phase, self.header)

    @property
    def row_values(self) -> int:
        """Values of a sinogram or of the slice made of it, whichever are more."""
        height_px, width_px = self.slice_shape_px
        widened = 4 if self.may_merge else 1
        return max(self.header.n_projections * self.header.n_cols, widened * height_px * width_px)


def float32_mb(n_values: int) -> float:
    """Return the memory of so many values."""
    return n_values * 4 / 1e6
