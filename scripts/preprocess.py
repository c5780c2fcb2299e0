"""Turn one chunk of projections from counts into line integrals."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomobatch.normalise.missing import MISSING, find_missing, mend_pixels
from tomobatch.normalise.normalise import normalise
from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.phase.blur import PhaseBlur
from tomobatch.phase.retrieve import retrieve_phase
from tomobatch.records.job import Record, logger, reported
from tomobatch.scan.open import open_scan
from tomobatch.scan.settings import DatasetSettings
from tomobatch.stores.files import write_json
from tomobatch.stores.layout import ArrayLayout
from tomobatch.stores.references import load_references
from tomobatch.words import counted

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    scan: str,
    references_path: str,
    chunk: int,
    datasets: dict[str, Any],
    settings: dict[str, Any],
    phase: PhaseBlur | None,
    layout: ArrayLayout,
    shard_path: str,
    record_path: str,
) -> None:
    """Write the shard of one chunk of projections, and its record."""
    record = Record("preprocess", chunk)
    start, stop = layout.range(chunk)
    with record.stage("read"), open_scan(scan, DatasetSettings.model_validate(datasets)) as opened:
        before = opened.read_projections(start - 1, start)[0] if start else None
        counts = opened.read_projections(start, stop)
        references = load_references(Path(references_path))
    with record.stage("compute"):
        missing = find_missing(counts, before, references)
        counts, n_mended = mend_pixels(counts)
        normalised = normalise(
            counts, start, references, NormaliseSettings.model_validate(settings)
        )
        if phase is not None:
            retrieve_phase(normalised.line_integrals, phase)
        # The next step sees all angles, and bridges what is missing.
        normalised.line_integrals[missing.any] = MISSING
    del counts
    with record.stage("write"):
        layout.write_shard(chunk, normalised.line_integrals, Path(shard_path))
    record.facts["counts"] = {
        "zingers": int(normalised.zingers.sum()),
        "clipped": int(normalised.clipped.sum()),
        "saturated": int(normalised.saturated.sum()),
        "mended": n_mended,
    }
    record.facts["missing"] = missing.numbers(start)
    if n_mended:
        record.warn(
            f"{counted(n_mended, 'pixel')} of projections {start} to {stop - 1} without a number:"
            " replaced by the nearest one that has one"
        )
    if phase is not None and phase.warning and chunk == 0:
        record.warn(phase.warning)
    logger.info("preprocessed projections %d to %d of %d", start, stop, layout.shape[0])
    write_json(Path(record_path), record.to_dict())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.input.scan,
            snakemake.input.references,
            int(snakemake.wildcards.i),
            snakemake.params.datasets,
            snakemake.params.normalise,
            snakemake.params.phase,
            snakemake.params.layout,
            snakemake.output.shard,
            snakemake.output.record,
        )
