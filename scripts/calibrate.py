"""Settle the centre of rotation, the tilt and the grey window from the evidence of every chunk."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomobatch.calibrate import CalibrateSettings, Evidence, calibrate
from tomobatch.jobs import Record, logger, reported
from tomobatch.stores.layout import write_bytes, write_json

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(
    evidence_paths: Sequence[str],
    settings: dict[str, Any],
    detector: tuple[int, int],
    calibration_path: str,
    record_path: str,
) -> None:
    """Write the calibration and the record of one scan."""
    record = Record("calibrate")
    with record.stage("read"):
        texts = [Path(path).read_text(encoding="utf-8") for path in evidence_paths]
        evidence = [Evidence.from_json(text) for text in texts]
    with record.stage("compute"):
        calibration = calibrate(evidence, CalibrateSettings(**settings), detector)
    for line in calibration.summary():
        logger.info(line)
    write_bytes(Path(calibration_path), calibration.to_json().encode())
    write_json(Path(record_path), record.to_dict())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        main(
            snakemake.input.evidence,
            snakemake.params.calibrate,
            snakemake.params.detector,
            snakemake.output.calibration,
            snakemake.output.record,
        )
