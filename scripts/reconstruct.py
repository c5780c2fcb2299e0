"""Reconstruct one chunk of slices and write its shard of every level of the volume."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from tomobatch.calibrate.calibration import Calibration
from tomobatch.errors import UserError
from tomobatch.on_chunks.slices import SlicesOfScan, settled
from tomobatch.opencl.kind import DeviceKind
from tomobatch.reconstruct.engine import summarise
from tomobatch.reconstruct.settings import ReconstructSettings
from tomobatch.reconstruct.timeline import Timeline
from tomobatch.records.job import Record, logger, reported
from tomobatch.stores.angles import load_angles
from tomobatch.stores.files import write_json
from tomobatch.stores.grey_codes import GreyCodes
from tomobatch.stores.read import open_array
from tomobatch.stores.volume import VolumeLayout
from tomobatch.stores.volume_writer import ChunkWriter, open_chunk

MOST_CLIPPED = 0.01
"""Of a chunk, by a window that the user gave; one that was found should clip nothing."""

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
    choices = ReconstructSettings.model_validate(
        {**settings, "size_px": whole_slice_px, "device": asked_device(settings["device"])}
    )
    choices, layout = settled(choices, layout, calibration)
    sinograms, angles_rad = open_array(sinograms_metadata), load_angles(Path(angles_path))
    work = SlicesOfScan(sinograms, angles_rad, choices, calibration, layout)
    with open_chunk(layout, chunk, [Path(path) for path in shard_paths]) as writer:
        timeline = work.reconstruct((first, stop), writer.write)
    if layout.codes is not None:
        n_voxels = (stop - first) * layout.height_px * layout.width_px
        tell_clipped(record, layout, layout.codes, writer, n_voxels)
    record.facts["timeline"] = timeline.to_dict()
    tell_iterations(record, timeline, choices)
    if choices.remove_rings:
        tell_rings(record, work.rings.share)
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


def tell_clipped(
    record: Record, layout: VolumeLayout, codes: GreyCodes, writer: ChunkWriter, n_voxels: int
) -> None:
    """Write down how many voxels lie beyond the whole numbers, and warn of more than a few."""
    record.facts["clipped_voxels"] = {"below": writer.n_below, "above": writer.n_above}
    share = (writer.n_below + writer.n_above) / n_voxels
    if share > (0.0 if layout.window is None else MOST_CLIPPED):
        record.warn(
            f"{100 * share:.2g}% of the voxels of a chunk lie outside {codes.low:.4g} to"
            f" {codes.high:.4g} and became these in {codes.dtype}; give a wider volume.window"
        )


def tell_iterations(record: Record, timeline: Timeline, choices: ReconstructSettings) -> None:
    """Say how iterations ended, and warn of slices that stopped short of what was asked for."""
    found = summarise(timeline.convergence)
    if found is None:
        return
    least, most = found["iterations"]
    logger.info(
        "%s: %s iterations, residual %.3g (noise alone %.3g)",
        choices.method,
        least if least == most else f"{least} to {most}",
        found["residuals"][1][-1],
        found["noise"],
    )
    if found["unreached"]:
        record.warn(
            f"{found['unreached']} of {found['slices']} slices of a chunk did not come down to the"
            f" residual {choices.residual} in {most} iterations; set more reconstruct.iterations,"
            " or a larger reconstruct.residual"
        )


def tell_rings(record: Record, share: float) -> None:
    """Write down how much was taken off as rings, and say once that something was."""
    record.facts["rings_taken"] = share
    if record.chunk == 0:
        record.warn(
            f"rings are taken off the finished slices (reconstruct.remove_rings), {share:.1%} of"
            " the contrast of the first chunk: whatever is concentric with the axis goes with them"
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
