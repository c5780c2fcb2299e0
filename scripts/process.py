"""Make one chunk of sinograms, remove their stripes, and gather evidence for calibration."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tomobatch.align.move import moved
from tomobatch.beam import ConeBeam
from tomobatch.calibrate.evidence import EvidenceSettings, gather_evidence
from tomobatch.on_chunks.rows import process_rows
from tomobatch.records.job import Record, logger, reported
from tomobatch.scan.leave_out import numbers
from tomobatch.stores.alignment import load_shifts
from tomobatch.stores.angles import load_angles
from tomobatch.stores.files import write_bytes, write_json
from tomobatch.stores.layout import ArrayLayout
from tomobatch.stores.read import open_array, read_sinograms
from tomobatch.stripes.choice import StripeChoice
from tomobatch.stripes.settings import StripeSettings
from tomobatch.words import counted

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    projections_metadata: str,
    angles_path: str,
    choice_path: str,
    alignment_path: str | None,
    chunk: int,
    settings: dict[str, Any],
    beam: ConeBeam | None,
    layout: ArrayLayout,
    shard_path: str,
    evidence_path: str,
    record_path: str,
) -> None:
    """Write the sinograms, the evidence and the record of one chunk of rows."""
    record = Record("process", chunk)
    start, stop = layout.range(chunk)
    with record.stage("read"):
        angles_rad = load_angles(Path(angles_path))
        shifts = load_shifts(alignment_path)
        # Rows around are moved in from.
        first, last = start - shifts.halo_rows, stop + shifts.halo_rows
        first, last = max(first, 0), min(last, layout.shape[0])
        sinograms = read_sinograms(open_array(projections_metadata), first, last)
    with record.stage("compute"):
        choice = StripeChoice.from_json(Path(choice_path).read_text(encoding="utf-8"))
        missing = process_rows(
            sinograms, angles_rad, StripeSettings.model_validate(settings), choice
        )
        sinograms = moved(sinograms, shifts, slice(start - first, stop - first))
        evidence = gather_evidence(
            sinograms, angles_rad, start, EvidenceSettings(n_rows=layout.shape[0], beam=beam)
        )
    if missing.any():
        record.warn(
            f"{counted(int(np.count_nonzero(missing)), 'projection')} without a picture of its own"
            " (blank in whole or in part, without beam, a copy, or no numbers):"
            f" {numbers(missing)} (the first is 0);"
            " the neighbours in angle stand for it, and datasets.exclude leaves it out instead"
        )
    with record.stage("write"):
        layout.write_shard(chunk, sinograms, Path(shard_path))
        write_bytes(Path(evidence_path), evidence.to_json().encode())
    logger.info("processed rows %d to %d of %d", start, stop, layout.shape[0])
    write_json(Path(record_path), record.to_dict())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.input.metadata,
            snakemake.input.angles,
            snakemake.input.stripes,
            next(iter(snakemake.input.alignment), None),
            int(snakemake.wildcards.k),
            snakemake.params.stripes,
            snakemake.params.beam,
            snakemake.params.layout,
            snakemake.output.shard,
            snakemake.output.evidence,
            snakemake.output.record,
        )
