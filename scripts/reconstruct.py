"""Reconstruct one chunk of slices and write its shard of every level of the volume."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tomobatch.calibrate import Calibration
from tomobatch.jobs import Record, logger, reported
from tomobatch.reconstruct import fbp
from tomobatch.stores.angles import load_angles
from tomobatch.stores.layout import write_json
from tomobatch.stores.read import open_array
from tomobatch.stores.volume import VolumeLayout
from tomobatch.units import grey_factor

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    sinograms_metadata: str,
    calibration_path: str,
    angles_path: str,
    chunk: int,
    settings: dict[str, Any],
    layout: VolumeLayout,
    shard_paths: Sequence[str],
    record_path: str,
) -> None:
    """Write the shards and the record of one chunk of slices."""
    record = Record("reconstruct", chunk)
    start = chunk * layout.chunk_slices
    stop = min(start + layout.chunk_slices, layout.n_slices)
    calibration = Calibration.from_json(Path(calibration_path).read_text(encoding="utf-8"))
    with record.stage("read"):
        sinograms = open_array(sinograms_metadata)[start:stop]
    # The definition of GPU jobs sets it, so that none of them computes on the CPU unnoticed.
    if settings["device"] == "auto":
        settings = {**settings, "device": os.environ.get("TOMOBATCH_DEVICE", "auto")}
    with record.stage("compute"):
        slices = fbp(
            sinograms,
            load_angles(Path(angles_path)),
            calibration.cor_px(np.arange(start, stop)),
            **settings,
        )
    del sinograms
    with record.stage("write"):
        slices *= np.float32(grey_factor(layout.pixel_size_um))
        for level, values in layout.pyramid(slices):
            layout.array(level).write_shard(chunk, values, Path(shard_paths[level]))
    logger.info("reconstructed slices %d to %d of %d", start, stop, layout.n_slices)
    write_json(Path(record_path), record.to_dict())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.input.metadata,
            snakemake.input.calibration,
            snakemake.input.angles,
            int(snakemake.wildcards.k),
            snakemake.params.reconstruct,
            snakemake.params.layout,
            snakemake.output.shards,
            snakemake.output.record,
        )
