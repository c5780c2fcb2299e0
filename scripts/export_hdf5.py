"""Copy the volume into one HDF5 file."""

from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.records.job import reported
from tomobatch.stores.export import export_hdf5
from tomobatch.stores.read import open_array
from tomobatch.stores.volume import read_voxel_um

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(group_metadata: str, array_metadata: str, file_path: str) -> None:
    """Write the finest level of the volume to a file."""
    export_hdf5(open_array(array_metadata), Path(file_path), read_voxel_um(group_metadata))


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input.volume, snakemake.input.arrays[0], snakemake.output.file)
