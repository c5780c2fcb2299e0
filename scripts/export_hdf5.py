"""Copy the volume into one HDF5 file, with how it was made."""

from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.copies.nexus import write_nexus
from tomobatch.copies.original import open_original
from tomobatch.provenance.record import read_record
from tomobatch.records.job import reported

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(group_metadata: str, file_path: str) -> None:
    """Write the finest level of the volume to a file."""
    group = group_metadata.removesuffix("/zarr.json")
    write_nexus(open_original(group), Path(file_path), read_record(group))


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input.volume, snakemake.output.file)
