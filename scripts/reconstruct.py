"""Reconstruct one chunk of slices and write its shard of every level of the volume."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
import numpy.typing as npt
import zarr

from tomobatch.arrays import Float32Array
from tomobatch.calibrate.calibration import Calibration
from tomobatch.calibrate.fan import calibrated_beam
from tomobatch.errors import UserError
from tomobatch.opencl.kind import DeviceKind
from tomobatch.reconstruct.cone.geometry import make_cone_geometry
from tomobatch.reconstruct.cone.slabs import reconstruct_slabs
from tomobatch.reconstruct.geometry import Roi, make_geometry
from tomobatch.reconstruct.settings import ReconstructSettings
from tomobatch.reconstruct.stream import reconstruct_blocks
from tomobatch.reconstruct.timeline import Timeline
from tomobatch.records.job import Record, logger, reported
from tomobatch.stores.angles import load_angles
from tomobatch.stores.files import write_json
from tomobatch.stores.read import open_array
from tomobatch.stores.volume import VolumeLayout
from tomobatch.stores.volume_writer import ChunkWriter, open_chunk
from tomobatch.units import to_grey_in_place

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    sinograms_metadata: str,
    calibration_path: str,
    angles_path: str,
    chunk: int,
    settings: dict[str, Any],
    whole_slice_px: int,
    layout: VolumeLayout,
    shard_paths: Sequence[str],
    record_path: str,
) -> None:
    """Write the shards and the record of one chunk of slices."""
    record = Record("reconstruct", chunk)
    first, stop = layout.range(chunk)
    calibration = Calibration.from_json(Path(calibration_path).read_text(encoding="utf-8"))
    if layout.may_widen and calibration.half_acquisition:
        whole_slice_px *= 2
    layout = layout.settled(calibration.half_acquisition)
    choices = ReconstructSettings.model_validate(
        {**settings, "size_px": whole_slice_px, "device": asked_device(settings["device"])}
    )
    sinograms, angles_rad = open_array(sinograms_metadata), load_angles(Path(angles_path))
    merged = calibration.half_acquisition if layout.beam is None else choices.merges
    work = Work(sinograms, angles_rad, choices, merged, flips_rows=layout.orientation.flips_rows)
    with open_chunk(layout, chunk, [Path(path) for path in shard_paths]) as writer:
        reconstruct = parallel if layout.beam is None else cone
        timeline = reconstruct(work, calibration, layout, (first, stop), writer)
    record.facts["timeline"] = timeline.to_dict()
    for stage in ("read", "prepare", "compute", "write"):
        record.stages_s[stage] = timeline.spent_s(stage)
    logger.info(
        "reconstructed slices %d to %d of %d, %.0f%% of the time computing",
        first,
        stop,
        layout.n_slices,
        100 * timeline.compute_fraction,
    )
    write_json(Path(record_path), record.to_dict())


@dataclass(frozen=True)
class Work:
    """What a chunk of slices is made of: sinograms (row, angle, x), angles and settings."""

    sinograms: "zarr.Array[Any]"
    angles_rad: npt.NDArray[np.float64]
    choices: ReconstructSettings
    merged: bool | None
    flips_rows: bool

    @property
    def shape(self) -> dict[str, Any]:
        """What the settings say about the slices."""
        given = {name: getattr(self.choices, name) for name in ("size_px", "binning", "mask")}
        return {"roi": self.roi, "half_acquisition": self.merged, **given}

    @property
    def roi(self) -> Roi:
        """The part of the slice to compute, of which the volume may be written upside down."""
        size_px = self.choices.size_px
        if size_px is None:
            raise ValueError("the width of a whole slice is that of the plan")
        roi = Roi(*(self.choices.roi_px or (0, 0, size_px, size_px)))
        return roi.upside_down(size_px, self.choices.binning) if self.flips_rows else roi


def parallel(
    work: Work,
    calibration: Calibration,
    layout: VolumeLayout,
    slices: tuple[int, int],
    writer: ChunkWriter,
) -> Timeline:
    """Reconstruct slices of a parallel beam, one of each row."""
    first, stop = slices

    def write(start: int, values: Float32Array) -> None:
        to_grey_in_place(values, layout.pixel_size_um)
        writer.write(start, values)

    return reconstruct_blocks(
        lambda start, end: np.asarray(work.sinograms[first + start : first + end]),
        write,
        stop - first,
        make_geometry(work.angles_rad, work.sinograms.shape[2], **work.shape),
        calibration.cor_px(np.arange(first, stop)),
        work.choices,
    )


def cone(
    work: Work,
    calibration: Calibration,
    layout: VolumeLayout,
    slices: tuple[int, int],
    writer: ChunkWriter,
) -> Timeline:
    """Reconstruct slices of a cone beam from all the rows that they need."""
    if layout.beam is None:
        raise ValueError("a parallel beam")
    n_rows, _, n_cols = work.sinograms.shape
    beam = calibrated_beam(layout.beam, calibration.line, n_rows, n_cols)
    geometry = make_cone_geometry(beam, work.angles_rad, n_rows, n_cols, **work.shape)
    first, _ = slices

    def write(start: int, values: Float32Array) -> None:
        to_grey_in_place(values, layout.pixel_size_um)
        writer.write(start - first, values)

    return reconstruct_slabs(
        lambda rows, angles: np.asarray(work.sinograms[rows, angles]),
        write,
        slices,
        geometry,
        filter=work.choices.filter,
        padding=work.choices.padding,
        device=work.choices.device,
    )


def asked_device(configured: DeviceKind) -> DeviceKind:
    """Return the device to use: where the configuration leaves it open, what the machine is for.

    The definition of GPU jobs sets ``TOMOBATCH_DEVICE``, so that a job which was given a machine
    with a GPU that does not work fails, and does not compute on the CPU unnoticed.
    """
    if configured != "auto":
        return configured
    machine_is_for = os.environ.get("TOMOBATCH_DEVICE", "auto")
    if machine_is_for not in get_args(DeviceKind):
        raise UserError(f"TOMOBATCH_DEVICE is {machine_is_for!r}; it may be auto, gpu or cpu")
    return cast(DeviceKind, machine_is_for)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.input.metadata,
            snakemake.input.calibration,
            snakemake.input.angles,
            int(snakemake.wildcards.k),
            snakemake.params.reconstruct,
            snakemake.params.whole_slice_px,
            snakemake.params.layout,
            snakemake.output.shards,
            snakemake.output.record,
        )
