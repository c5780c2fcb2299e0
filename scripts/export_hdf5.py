"""Copy the volume into one HDF5 file."""

from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.records.job import reported
from tomobatch.stores.export import export_hdf5
from tomobatch.stores.read import open_array

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(array_metadata: str, pixel_size_um: float | None, file_path: str) -> None:
    """Write the finest level of the volume to a file."""
    export_hdf5(open_array(array_metadata), Path(file_path), pixel_size_um)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input.arrays[0], snakemake.params.pixel_size_um, snakemake.output.file)
