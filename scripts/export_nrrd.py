"""Copy the volume into one NRRD file."""

from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.copies.nrrd import write_nrrd
from tomobatch.copies.original import open_original
from tomobatch.records.job import reported

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(group_metadata: str, file_path: str) -> None:
    """Write the finest level of the volume to a file."""
    write_nrrd(open_original(group_metadata.removesuffix("/zarr.json")), Path(file_path))


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input.volume, snakemake.output.file)
