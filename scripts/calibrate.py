"""Settle the centre of rotation, the tilt and the grey window from the evidence of every chunk."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tomobatch.beam import ConeBeam
from tomobatch.calibrate.calibration import calibrate, with_source_row
from tomobatch.calibrate.evidence import Evidence
from tomobatch.calibrate.merging import Merging
from tomobatch.calibrate.settings import CalibrateSettings
from tomobatch.columns import Columns
from tomobatch.records.job import Record, logger, reported
from tomobatch.stores.alignment import load_shifts
from tomobatch.stores.files import write_bytes, write_json
from tomobatch.units import from_grey

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def in_pixels(settings: dict[str, Any], pixel_size_um: float | None) -> CalibrateSettings:
    """Return the settings with the grey window turned from the unit of the volume to 1/pixel."""
    window = settings["grey_window"]
    if window is not None:
        low, high = (from_grey(value, pixel_size_um) for value in window)
        settings = {**settings, "grey_window": (low, high)}
    return CalibrateSettings.model_validate(settings)


def main(
    evidence_paths: Sequence[str],
    alignment_path: str | None,
    settings: dict[str, Any],
    pixel_size_um: float | None,
    beam: ConeBeam | None,
    merging: Merging,
    columns: Columns,
    calibration_path: str,
    record_path: str,
    like: str | None = None,
    *,
    row_is_given: bool = False,
) -> None:
    """Write the calibration and the record of one scan.

    ``like`` names another that tells it; ``row_is_given`` says that the configuration has the
    source's row.
    """
    record = Record("calibrate")
    with record.stage("read"):
        texts = [Path(path).read_text(encoding="utf-8") for path in evidence_paths]
        evidence = [Evidence.from_json(text) for text in texts]
    with record.stage("compute"):
        stated_px = None if beam is None else beam.cor_px(evidence[0].n_x)
        calibration = calibrate(
            evidence,
            in_pixels(settings, pixel_size_um),
            stated_px,
            merging=merging,
            columns=columns,
        )
        if beam is not None:
            calibration = with_source_row(calibration, evidence, beam, is_given=row_is_given)
        calibration = replace(calibration, shifts=load_shifts(alignment_path))
    if like is not None:
        told = f"axis and grey window are those of scan {like}, as calibrate.like says"
        calibration = replace(calibration, warnings=(told, *calibration.warnings))
    middle_px = calibration.line.mid_px
    logger.info(
        "centre of rotation %.3f px, tilt %.4f degrees, by %s",
        middle_px,
        calibration.tilt_deg,
        calibration.method,
    )
    for line in calibration.warnings:
        logger.warning("warning: %s", line)
    write_bytes(Path(calibration_path), calibration.to_json().encode())
    write_json(Path(record_path), record.to_dict())


if __name__ == "__main__":
    with reported(snakemake.log[0]):
        like = snakemake.params.like
        main(
            snakemake.input.evidence,
            next(iter(snakemake.input.alignment), None),
            snakemake.params.calibrate,
            snakemake.params.pixel_size_um,
            snakemake.params.beam,
            snakemake.params.merging,
            snakemake.params.columns,
            snakemake.output.calibration,
            snakemake.output.record,
            None if like == snakemake.wildcards.scan else like,
            row_is_given=snakemake.params.row_is_given,
        )
