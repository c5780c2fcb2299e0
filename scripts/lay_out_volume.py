"""Write the metadata of the OME-Zarr volume: its group and the array of every level."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.calibrate.calibration import Calibration
from tomobatch.records.job import reported
from tomobatch.stores.files import write_bytes
from tomobatch.stores.volume import VolumeLayout

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    scan: str,
    layout: VolumeLayout,
    calibration_path: str,
    group_path: str,
    array_paths: list[str],
) -> None:
    """Write the group's zarr.json and, level by level, those of its arrays."""
    calibration = Calibration.from_json(Path(calibration_path).read_text(encoding="utf-8"))
    grey_window = calibration.grey_window
    layout = layout.settled(calibration)
    if layout.beam is not None:
        layout = replace(layout, beam=calibration.beam(layout.beam))
    write_bytes(Path(group_path), layout.group_metadata(scan, grey_window))
    for level, path in enumerate(array_paths):
        write_bytes(Path(path), layout.array(level).metadata())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.wildcards.scan,
            snakemake.params.layout,
            snakemake.input.calibration,
            snakemake.output.group,
            snakemake.output.arrays,
        )
