"""Turn one chunk of projections from counts into line integrals."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.on_chunks.corrections import Corrections
from tomobatch.on_chunks.projections import preprocess_chunk
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
    corrections: Corrections,
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
        angles_rad = opened.header.angles_rad[start:stop]
        references = load_references(Path(references_path))
    with record.stage("compute"):
        done = preprocess_chunk(
            counts,
            before,
            start,
            references,
            NormaliseSettings.model_validate(settings),
            corrections,
            angles_rad,
        )
    normalised, n_mended = done.normalised, done.n_mended
    del counts
    with record.stage("write"):
        layout.write_shard(chunk, normalised.line_integrals, Path(shard_path))
    record.facts["counts"] = {
        "zingers": int(normalised.zingers.sum()),
        "clipped": int(normalised.clipped.sum()),
        "saturated": int(normalised.saturated.sum()),
        "mended": n_mended,
    }
    record.facts["missing"] = done.missing.numbers(start)
    if n_mended:
        record.warn(
            f"{counted(n_mended, 'pixel')} of projections {start} to {stop - 1} without a number:"
            " replaced by the nearest one that has one"
        )
    if chunk == 0:
        for line in corrections.warnings:
            record.warn(line)
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
            snakemake.params.corrections,
            snakemake.params.layout,
            snakemake.output.shard,
            snakemake.output.record,
        )
