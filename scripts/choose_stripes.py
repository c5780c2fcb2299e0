"""Choose, once a scan, what is done against the stripes of its sinograms, and measure its rings."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tomobatch.beam import ConeBeam
from tomobatch.on_chunks.rows import choose_stripes
from tomobatch.records.job import Record, logger, reported
from tomobatch.stores.angles import load_angles
from tomobatch.stores.files import write_bytes, write_json
from tomobatch.stores.read import open_array, read_sinograms
from tomobatch.stripes.choice import StripeChoice
from tomobatch.stripes.rows import rows_to_look_at
from tomobatch.stripes.settings import StripeSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    projections_metadata: str,
    angles_path: str,
    settings: dict[str, Any],
    choice_path: str,
    record_path: str,
    beam: ConeBeam | None = None,
) -> None:
    """Write the choice and the record of one scan."""
    record = Record("choose_stripes")
    projections = open_array(projections_metadata)
    rows = rows_to_look_at(projections.shape[1])
    with record.stage("read"):
        angles_rad = load_angles(Path(angles_path))
        sinograms = np.concatenate([read_sinograms(projections, row, row + 1) for row in rows])
    with record.stage("compute"):
        choice = choose_stripes(
            sinograms,
            rows,
            angles_rad,
            projections.shape[1],
            StripeSettings.model_validate(settings),
            beam,
        )
    logger.info("%s", in_words(choice))
    write_bytes(Path(choice_path), choice.to_json().encode())
    write_json(Path(record_path), record.to_dict())


def in_words(choice: StripeChoice) -> str:
    """Return one line for the log."""
    asked = "chosen" if choice.asked == "auto" else "asked for"
    if choice.figure_before is None or choice.figure_after is None:
        return f"stripes: {choice.method}, {asked}; too few columns to measure rings"
    return (
        f"stripes: {choice.method}, {asked}; ring figure {choice.figure_before:.3f} before,"
        f" {choice.figure_after:.3f} after; at most {choice.n_odd_columns} dead columns a row"
    )


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.input.metadata,
            snakemake.input.angles,
            snakemake.params.stripes,
            snakemake.output.choice,
            snakemake.output.record,
            snakemake.params.beam,
        )
