"""Find, once a scan, how far each projection lies from where it should."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomobatch.align.settings import AlignSettings
from tomobatch.beam import ConeBeam
from tomobatch.on_chunks.alignment import Band, bands_to_look_at, find_shifts
from tomobatch.on_chunks.rows import process_rows
from tomobatch.records.job import Record, logger, reported
from tomobatch.stores.angles import load_angles
from tomobatch.stores.files import write_bytes, write_json
from tomobatch.stores.read import open_array, read_sinograms
from tomobatch.stripes.choice import StripeChoice
from tomobatch.stripes.settings import StripeSettings

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    projections_metadata: str,
    angles_path: str,
    choice_path: str,
    settings: dict[str, Any],
    stripes: dict[str, Any],
    beam: ConeBeam | None,
    alignment_path: str,
    record_path: str,
) -> None:
    """Write the shifts and the record of one scan."""
    record = Record("align")
    projections = open_array(projections_metadata)
    n_rows = projections.shape[1]
    with record.stage("read"):
        angles_rad = load_angles(Path(angles_path))
        bands = [
            Band(start, read_sinograms(projections, start, stop))
            for start, stop in bands_to_look_at(n_rows)
        ]
    with record.stage("compute"):
        choice = StripeChoice.from_json(Path(choice_path).read_text(encoding="utf-8"))
        for band in bands:
            process_rows(band.rows, angles_rad, StripeSettings.model_validate(stripes), choice)
        checked = AlignSettings.model_validate(settings)
        shifts = find_shifts(bands, angles_rad, n_rows, checked, beam)
    logger.info("alignment: %s", shifts.words)
    write_bytes(Path(alignment_path), shifts.to_json().encode())
    write_json(Path(record_path), record.to_dict())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.input.metadata,
            snakemake.input.angles,
            snakemake.input.stripes,
            snakemake.params.align,
            snakemake.params.stripes,
            snakemake.params.beam,
            snakemake.output.alignment,
            snakemake.output.record,
        )
