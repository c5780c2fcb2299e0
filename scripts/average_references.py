"""Average the flats and darks of a scan, find its bad pixels, and settle its angles."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomobatch.normalise.settings import NormaliseSettings
from tomobatch.records.job import Record, logger, reported
from tomobatch.scan.open import open_scan
from tomobatch.scan.remarks import look_at
from tomobatch.scan.settings import DatasetSettings
from tomobatch.stores.angles import save_angles
from tomobatch.stores.files import write_json
from tomobatch.stores.references import save_references

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    scan: str,
    datasets: dict[str, Any],
    settings: dict[str, Any],
    references_path: str,
    angles_path: str,
    record_path: str,
) -> None:
    """Write the references, the angles and the record of one scan."""
    record = Record("average_references")
    with open_scan(scan, DatasetSettings.model_validate(datasets)) as opened:
        with record.stage("read"):
            flats, darks = opened.flats(), opened.darks()
        with record.stage("compute"):
            look = look_at(opened, flats, darks, NormaliseSettings.model_validate(settings))
    references = replace(look.references, warnings=look.warnings)
    logger.info("%s", look.angles.reason)
    for line in look.warnings:
        logger.warning("warning: %s", line)
    with record.stage("write"):
        save_references(Path(references_path), references)
        save_angles(Path(angles_path), look.angles.angles_rad, look.angles.reason)
    write_json(Path(record_path), record.to_dict())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.input.scan,
            snakemake.params.datasets,
            snakemake.params.normalise,
            snakemake.output.references,
            snakemake.output.angles,
            snakemake.output.record,
        )
