"""Copy the volume into one TIFF stack."""

from pathlib import Path
from typing import TYPE_CHECKING

from tomobatch.copies.original import open_original
from tomobatch.copies.tiff import write_stack
from tomobatch.records.job import logger, reported

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(group_metadata: str, stack_path: str) -> None:
    """Write the finest level of the volume to a stack."""
    original = open_original(group_metadata.removesuffix("/zarr.json"))
    said = write_stack(original, Path(stack_path))
    if said is not None:
        logger.warning("warning: %s: %s", Path(stack_path).name, said)


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(snakemake.input.volume, snakemake.output.stack)
