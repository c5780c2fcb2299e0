"""What a scan's header and the configuration say about its jobs: chunks, layouts and memory."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tomobatch.chunks import ChunkGrid, size_for_budget
from tomobatch.config.schema import Config, ScanConfig
from tomobatch.errors import UserError
from tomobatch.normalise.settings import NO_FLATS
from tomobatch.scan.header import ScanHeader
from tomobatch.scan.open import open_scan
from tomobatch.steps import Step, steps_with
from tomobatch.stores.layout import ArrayLayout, projections_layout, sinograms_layout
from tomobatch.stores.settings import VolumeSettings
from tomobatch.stores.volume import VolumeLayout

if TYPE_CHECKING:
    from tomobatch.reconstruct.geometry import Geometry

# Interpreter, libraries and OpenCL's compiler, before any data: measured at 300 to 450 MB.
_BASE_MB = 500
_COPIES = 3


@dataclass(frozen=True)
class ScanPlan:
    """The jobs of one scan."""

    name: str
    header: ScanHeader
    config: ScanConfig
    volume: VolumeSettings

    @property
    def n_levels(self) -> int:
        """Resolutions of the volume."""
        return self.volume.levels

    @property
    def n_jobs(self) -> dict[str, int]:
        """How many jobs each rule has, in the order of the workflow."""
        n_projections, n_slices = self.projections.n_chunks, self.slices.n_chunks
        return {step.rule: step.n_jobs(n_projections, n_slices) for step in self.steps}

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the workflow for this scan."""
        return steps_with(self.volume.export)

    @cached_property
    def projections(self) -> ChunkGrid:
        """The chunks of projections, one a preprocess job."""
        n_items = self.header.n_projections
        size = self.config.chunks.projections
        if size == "auto":
            item_mb = _float32_mb(self.header.n_rows * self.header.n_cols)
            size = size_for_budget(n_items, item_mb, self.config.chunks.memory_mb)
        return ChunkGrid(n_items, min(size, n_items))

    @cached_property
    def slices(self) -> ChunkGrid:
        """The chunks of rows, one a process job and one a reconstruct job."""
        n_items = self.header.n_rows
        size = self.config.chunks.slices
        if size == "auto":
            size = size_for_budget(
                n_items,
                _float32_mb(self._row_values),
                self.config.chunks.memory_mb,
                multiple_of=2 ** (self.n_levels - 1),
            )
        return ChunkGrid(n_items, min(size, n_items))

    @property
    def pixel_size_um(self) -> float | None:
        """Size of a detector pixel at the sample, if known."""
        return self.header.pixel_size_um

    @property
    def slice_pixel_um(self) -> float | None:
        """Size of a pixel of a slice, if known."""
        size_um = self.header.pixel_size_um
        return None if size_um is None else size_um * self.config.reconstruct.binning

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
        return self.header.n_cols * (2 if chosen.half_acquisition else 1)

    def geometry(self) -> "Geometry":
        """Return the geometry of the slices, for an axis in the middle of the detector.

        Raises
        ------
        UserError
            Where the slices asked for do not fit the scan.
        """
        # Brings OpenCL along, for which most plans need not wait.
        from tomobatch.reconstruct.geometry import make_geometry

        chosen = self.config.reconstruct
        return make_geometry(
            self.header.angles_rad,
            self.header.n_cols,
            size_px=self.whole_slice_px,
            roi=chosen.roi_px,
            binning=chosen.binning,
            mask=chosen.mask,
            half_acquisition=chosen.half_acquisition,
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
            self.slices.size,
        )

    @property
    def sinograms_layout(self) -> ArrayLayout:
        """Layout of sinograms.zarr."""
        header = self.header
        return sinograms_layout(
            header.n_projections, header.n_rows, header.n_cols, self.slices.size
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
        )

    @property
    def projections_job_mb(self) -> int:
        """Memory that a job on a chunk of projections needs."""
        header = self.header
        return _job_mb(self.projections.size * header.n_rows * header.n_cols)

    @property
    def slices_job_mb(self) -> int:
        """Memory that a job on a chunk of rows needs."""
        return _job_mb(self.slices.size * self._row_values)

    @property
    def _row_values(self) -> int:
        """Values of a sinogram or of the slice made of it, whichever are more."""
        height_px, width_px = self.slice_shape_px
        return max(self.header.n_projections * self.header.n_cols, height_px * width_px)


def read_plan(config: Config, name: str, path: str) -> ScanPlan:
    """Plan the jobs of one scan from the header that lies at a path or s3:// address.

    Raises
    ------
    UserError
        If the scan can't be read, or the slices asked for do not fit it.
    """
    with open_scan(path, config.scans[name].datasets) as opened:
        return plan_scan(config, name, opened.header)


def plan_scan(config: Config, name: str, header: ScanHeader) -> ScanPlan:
    """Plan the jobs of one scan of the configuration.

    Raises
    ------
    UserError
        Where the slices asked for do not fit the scan, or it has no flats and needs some.
    """
    plan = ScanPlan(name, header, config.scans[name], config.volume)
    if header.n_flats == 0 and plan.config.normalise.input == "counts":
        raise UserError(f"{header.path}: {NO_FLATS}")
    _check_slices(plan)
    _check_axis(plan)
    return plan


def _check_axis(plan: ScanPlan) -> None:
    """Refuse an axis that the detector does not see, before anything runs."""
    cor_px, last = plan.config.calibrate.cor_px, plan.header.n_cols - 1
    if cor_px is not None and not 0 <= cor_px <= last:
        raise UserError(
            f"calibrate.cor_px is {cor_px:g}, outside the detector, whose columns are 0 to {last}; "
            "it is the column of the axis in the middle row"
        )


def _check_slices(plan: ScanPlan) -> None:
    """Refuse now what reconstruct jobs would refuse hours later."""
    chosen = plan.config.reconstruct
    if chosen.roi_px is None and chosen.binning == 1 and not chosen.half_acquisition:
        return
    plan.geometry()


def _float32_mb(n_values: int) -> float:
    return n_values * 4 / 1e6


def _job_mb(n_values: int) -> int:
    return _BASE_MB + round(_COPIES * _float32_mb(n_values))
