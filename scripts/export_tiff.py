"""Copy the volume into one TIFF stack."""

from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.records.job import reported
from tomobatch.stores.export import export_tiff
from tomobatch.stores.read import open_array

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(array_metadata: str, pixel_size_um: float | None, stack_path: str) -> None:
    """Write the finest level of the volume to a stack."""
    export_tiff(open_array(array_metadata), Path(stack_path), pixel_size_um)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input.arrays[0], snakemake.params.pixel_size_um, snakemake.output.stack)
