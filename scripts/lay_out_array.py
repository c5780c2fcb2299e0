"""Write the metadata of an array whose shards other jobs will write."""

from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.records.job import reported
from tomobatch.stores.files import write_bytes
from tomobatch.stores.layout import ArrayLayout

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(layout: ArrayLayout, metadata_path: str) -> None:
    """Write one array's zarr.json."""
    write_bytes(Path(metadata_path), layout.metadata())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.params.layout, snakemake.output.metadata)
